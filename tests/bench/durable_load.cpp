#include "tests/bench/durable_load.hpp"

#include "tests/bench/http_socket.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace distributo::bench {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

[[noreturn]] void refuse(int status, std::string_view body) {
    std::fprintf(stderr, "status %d: %.*s\n", status, 300, std::string(body).c_str());
    std::exit(1);
}

void print_times(const char* name, std::vector<double>& times, const char* end) {
    std::printf(R"("%s_p50_ms":%.4f,"%s_p99_ms":%.4f%s)",
                name,
                percentile(times, 50),
                name,
                percentile(times, 99),
                end);
}

/// A file that is removed again, for appending to.
class Appender {
public:
    explicit Appender(const std::string& folder)
        : path_(folder + "/append"),
          file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
        if (file_ < 0)
            fail();
    }
    ~Appender() {
        ::close(file_);
        ::unlink(path_.c_str());
    }
    Appender(const Appender&) = delete;
    Appender& operator=(const Appender&) = delete;

    /// Milliseconds until the bytes are on the disk.
    double append(std::string_view bytes) {
        const auto start = Clock::now();
        if (::write(file_, bytes.data(), bytes.size()) < 0 || ::fdatasync(file_) != 0)
            fail();
        return milliseconds_since(start);
    }

private:
    [[noreturn]] void fail() const {
        std::perror(path_.c_str());
        std::exit(1);
    }
    std::string path_;
    int file_;
};

std::uint64_t ended(HttpSocket& socket, const std::string& status) {
    std::string_view body;
    socket.send(status);
    socket.receive(body);
    constexpr std::string_view name = R"("completed":)";
    const auto at = body.find(name);
    return at == std::string_view::npos
               ? 0
               : std::strtoull(body.data() + at + name.size(), nullptr, 10);
}

}  // namespace

std::string noop_payload() {
    std::string payload = R"({"path":"/data/in/)";
    payload.append(100 - payload.size() - 2, 'x');
    return payload + "\"}";
}

std::string noop_task(const std::string& type) {
    return R"({"type":")" + type + R"(","payload":)" + noop_payload() + '}';
}

int paced(
    std::uint16_t port, double rate, double seconds, std::uint64_t per_batch, const char* type) {
    std::string lines;
    for (std::uint64_t i = 0; i < per_batch; ++i)
        lines += noop_task(type) + '\n';
    const auto batch = request("POST", "/v1/tasks:batch", port, lines, "application/x-ndjson");
    const auto status = request("GET", "/v1/status", port);
    HttpSocket socket(port);
    HttpSocket watch(port);
    const auto before = ended(watch, status);
    const auto requests =
        static_cast<std::uint64_t>(rate * seconds / static_cast<double>(per_batch));
    const auto interval = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(static_cast<double>(per_batch) / rate));
    std::vector<double> times;
    std::string_view body;
    const auto start = Clock::now();
    const auto due = [&](std::uint64_t number) {
        return start + interval * static_cast<std::int64_t>(number);
    };
    // Apart from the receiver: a sender that waits for the server must not keep answers waiting.
    std::thread sender([&] {
        for (std::uint64_t sent = 0; sent < requests; ++sent) {
            std::this_thread::sleep_until(due(sent));
            socket.send(batch);
        }
    });
    while (times.size() < requests) {
        if (const int answer = socket.receive(body); answer != 200)
            refuse(answer, body);
        times.push_back(milliseconds_since(due(times.size())));
    }
    sender.join();
    const auto count = requests * per_batch;
    while (ended(watch, status) - before < count)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::printf(R"({"tasks":%llu,"tasks_per_second":%.0f,)",
                static_cast<unsigned long long>(count),
                static_cast<double>(count) / milliseconds_since(start) * 1000);
    print_times("ack", times, "}\n");
    return 0;
}

int submits(std::uint16_t port, std::uint64_t count, const char* type, const std::string& folder) {
    const auto task = noop_task(type);
    const auto one = request("POST", "/v1/tasks", port, task);
    HttpSocket socket(port);
    Appender appender(folder);
    std::vector<double> submitted;
    std::vector<double> synced;
    std::string_view body;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto start = Clock::now();
        socket.send(one);
        if (const int answer = socket.receive(body); answer != 201)
            refuse(answer, body);
        submitted.push_back(milliseconds_since(start));
        synced.push_back(appender.append(task));
    }
    std::printf("{");
    print_times("submit", submitted, ",");
    print_times("sync", synced, "}\n");
    return 0;
}

int get(std::uint16_t port, std::uint64_t count, const char* target) {
    const auto one = request("GET", target, port);
    HttpSocket socket(port);
    std::vector<double> times;
    std::string_view body;
    std::size_t bytes = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto start = Clock::now();
        socket.send(one);
        if (const int answer = socket.receive(body); answer != 200)
            refuse(answer, body);
        times.push_back(milliseconds_since(start));
        bytes = body.size();
    }
    std::printf(R"({"bytes":%zu,"first_ms":%.4f,)", bytes, times.front());
    print_times("get", times, "}\n");
    return 0;
}

int append(const std::string& folder, std::uint64_t bytes, std::uint64_t count) {
    Appender appender(folder);
    const std::string block(bytes, 'x');
    std::vector<double> times;
    const auto start = Clock::now();
    for (std::uint64_t i = 0; i < count; ++i)
        times.push_back(appender.append(block));
    const double all = milliseconds_since(start);
    std::printf(R"({"appends_per_second":%.0f,)", static_cast<double>(count) / all * 1000);
    print_times("sync", times, "}\n");
    return 0;
}

}  // namespace distributo::bench
