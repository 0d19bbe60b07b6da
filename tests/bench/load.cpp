// Load for a coordinator on this machine; prints one JSON object.
//
//   load tasks PORT COUNT BATCH TYPE [nowait]   submit COUNT tasks, BATCH per request, wait for all
//   load latency PORT COUNT TYPE PAUSE_US       one task at a time, submitted and waited for
//   load addtask PORT CONNECTIONS PIPELINE COUNT
//   load idle PORT COUNT                        hold COUNT idle connections until stdin ends
//   load hosts HOST_PORT COUNT                  hold COUNT connected hosts that offer nothing
//   load paced PORT RATE SECONDS BATCH TYPE     submit at a fixed rate, time of the answers
//   load submits PORT COUNT TYPE FOLDER         single submits beside syncs of a file in FOLDER
//   load get PORT COUNT TARGET                  one request again and again
//   load append FOLDER BYTES COUNT              what the disk itself takes
#include "tests/bench/durable_load.hpp"
#include "tests/bench/http_socket.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

using namespace distributo::bench;
using Clock = std::chrono::steady_clock;

namespace {

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::uint64_t number_after(std::string_view text, std::string_view name) {
    const auto at = text.find("\"" + std::string(name) + "\":");
    return at == std::string_view::npos
               ? 0
               : std::strtoull(text.data() + at + name.size() + 3, nullptr, 10);
}

std::uint64_t completed(HttpSocket& socket, const std::string& status_request) {
    std::string_view body;
    socket.send(status_request);
    socket.receive(body);
    return number_after(body, "completed");
}

/// Sends batches, at most `window` unanswered; a full queue (429) is tried again.
void submit(HttpSocket& socket,
            const std::string& batch,
            std::uint64_t requests,
            std::uint64_t window) {
    std::uint64_t sent = 0;
    std::uint64_t done = 0;
    std::string_view body;
    while (done < requests) {
        while (sent < requests && sent - done < window) {
            socket.send(batch);
            ++sent;
        }
        const int status = socket.receive(body);
        if (status == 429) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            --sent;
        } else if (status != 200) {
            std::fprintf(stderr, "status %d: %.*s\n", status, 300, body.data());
            std::exit(1);
        } else {
            ++done;
        }
    }
}

int tasks(
    std::uint16_t port, std::uint64_t count, std::uint64_t per_batch, const char* type, bool wait) {
    std::string lines;
    for (std::uint64_t i = 0; i < per_batch; ++i)
        lines += noop_task(type) + '\n';
    const std::string batch =
        request("POST", "/v1/tasks:batch", port, lines, "application/x-ndjson");
    const std::string status = request("GET", "/v1/status", port);
    HttpSocket socket(port);
    HttpSocket watch(port);
    const std::uint64_t before = completed(watch, status);
    const auto start = Clock::now();
    // Enough to keep the other side busy, not so much that it only queues.
    const auto window = std::clamp<std::uint64_t>(4000 / per_batch, 4, 1024);
    submit(socket, batch, count / per_batch, window);
    const double submitted = seconds_since(start);
    while (wait && completed(watch, status) - before < count)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const double all = seconds_since(start);
    std::printf(R"({"tasks":%llu,"submit_seconds":%.4f,"seconds":%.4f,"tasks_per_second":%.0f})"
                "\n",
                static_cast<unsigned long long>(count),
                submitted,
                all,
                static_cast<double>(count) / all);
    return 0;
}

int latency(std::uint16_t port, std::uint64_t count, const char* type, long pause_us) {
    const std::string one = request("POST", "/v1/tasks?wait=30s", port, noop_task(type));
    HttpSocket socket(port);
    std::vector<double> micros;
    std::string_view body;
    for (std::uint64_t i = 0; i < count + count / 10; ++i) {
        if (pause_us > 0)
            std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
        const auto start = Clock::now();
        socket.send(one);
        const int status = socket.receive(body);
        if (status >= 300 || body.find("\"completed\"") == std::string_view::npos) {
            std::fprintf(
                stderr, "status %d: %.*s\n", status, static_cast<int>(body.size()), body.data());
            return 1;
        }
        if (i >= count / 10)  // the first ones warm everything up
            micros.push_back(seconds_since(start) * 1e6);
    }
    const double p50 = percentile(micros, 50);
    const double p99 = percentile(micros, 99);
    std::printf(R"({"count":%llu,"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f})"
                "\n",
                static_cast<unsigned long long>(count),
                p50,
                p99,
                percentile(micros, 99.9));
    return 0;
}

int addtask(std::uint16_t port,
            std::size_t connections,
            std::size_t pipeline,
            std::uint64_t count) {
    const std::string one =
        request("POST",
                "/addTask",
                port,
                R"({"projectName":"bench","options":{"taskType":"test.noop","payload":)" +
                    noop_payload() + "}}");
    std::string burst;
    for (std::size_t i = 0; i < pipeline; ++i)
        burst += one;
    std::vector<HttpSocket> sockets;
    for (std::size_t i = 0; i < connections; ++i)
        sockets.emplace_back(port);
    const std::uint64_t rounds = count / connections / pipeline;
    std::vector<std::uint64_t> left(connections, rounds);
    std::vector<std::size_t> open(connections, pipeline);
    std::vector<pollfd> polls;
    for (HttpSocket& socket : sockets)
        polls.push_back({socket.fd(), POLLIN, 0});
    const auto start = Clock::now();
    for (HttpSocket& socket : sockets)
        socket.send(burst);
    std::string_view body;
    for (std::size_t busy = connections; busy != 0;) {
        poll(polls.data(), polls.size(), -1);
        for (std::size_t i = 0; i < connections; ++i) {
            if ((polls[i].revents & POLLIN) == 0)
                continue;
            for (; open[i] != 0; --open[i])
                if (sockets[i].receive(body) != 200) {
                    std::fprintf(stderr, "%.*s\n", static_cast<int>(body.size()), body.data());
                    return 1;
                }
            open[i] = pipeline;
            if (--left[i] == 0) {
                polls[i].fd = -1;
                --busy;
            } else {
                sockets[i].send(burst);
            }
        }
    }
    const double all = seconds_since(start);
    const auto sent = rounds * connections * pipeline;
    std::printf(R"({"requests":%llu,"seconds":%.4f,"requests_per_second":%.0f})"
                "\n",
                static_cast<unsigned long long>(sent),
                all,
                static_cast<double>(sent) / all);
    return 0;
}

/// A text frame of RFC 6455 as a client sends it, masked with zeros.
std::string frame(const std::string& text) {
    std::string bytes{'\x81', static_cast<char>(0x80 | 126)};
    bytes += static_cast<char>(text.size() >> 8U);
    bytes += static_cast<char>(text.size() & 255U);
    bytes.append(4, '\0');
    return bytes + text;
}

/// The greeting of a host with a made-up identity.
std::string hello(std::size_t number) {
    char id[33];
    std::snprintf(id, sizeof id, "%032zx", number);
    return std::string(R"({"op":"hello","protocol":[1,1],"host_id":")") + id + R"(","boot_id":")" +
           id + R"(","name":"idle","version":"0","slots":1})";
}

/// Opens COUNT connections, as plain HTTP ones or as hosts, and holds them.
int idle(std::uint16_t port, std::size_t count, bool as_hosts) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    std::string ask = request("GET", as_hosts ? "/v1/host" : "/healthz", port);
    if (as_hosts)
        ask.insert(ask.size() - 2,
                   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                   "Sec-WebSocket-Protocol: distributo.host.v1\r\n");
    std::vector<HttpSocket> sockets;
    std::string_view body;
    for (std::size_t i = 0; i < count; ++i) {
        sockets.emplace_back(port);
        sockets.back().send(ask);
        const int status = sockets.back().receive(body);
        if (status != (as_hosts ? 101 : 200)) {
            std::fprintf(stderr, "status %d: %.*s\n", status, 300, body.data());
            return 1;
        }
        if (as_hosts)
            sockets.back().send(frame(hello(i + 1)));
        sockets.back().forget_buffer();
    }
    std::printf("{\"connections\":%zu}\n", sockets.size());
    std::fflush(stdout);
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}

std::uint64_t number(const char* text) {
    return std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 2 ? argv[1] : "";
    const auto port = static_cast<std::uint16_t>(argc > 2 ? number(argv[2]) : 0);
    if (mode == "tasks" && argc >= 6)
        return tasks(port, number(argv[3]), number(argv[4]), argv[5], argc < 7);
    if (mode == "latency" && argc == 6)
        return latency(port, number(argv[3]), argv[4], std::atol(argv[5]));
    if (mode == "addtask" && argc == 6)
        return addtask(port, number(argv[3]), number(argv[4]), number(argv[5]));
    if (mode == "idle" && argc == 4)
        return idle(port, number(argv[3]), false);
    if (mode == "hosts" && argc == 4)
        return idle(port, number(argv[3]), true);
    if (mode == "paced" && argc == 7)
        return paced(port, std::atof(argv[3]), std::atof(argv[4]), number(argv[5]), argv[6]);
    if (mode == "submits" && argc == 6)
        return submits(port, number(argv[3]), argv[4], argv[5]);
    if (mode == "get" && argc == 5)
        return get(port, number(argv[3]), argv[4]);
    if (mode == "append" && argc == 5)
        return append(argv[2], number(argv[3]), number(argv[4]));
    std::fprintf(stderr, "usage: see the head of tests/bench/load.cpp\n");
    return 2;
}
