#include "runtime/check/probe_process.hpp"

#include "runtime/check/probe_verdict.hpp"
#include "runtime/child_process.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

extern char** environ;  // NOLINT(readability-redundant-declaration): not in every libc's headers

namespace distributo::runtime::check {
namespace {

using base::Errc;

constexpr std::size_t longest_answer = 1024 * 1024;
constexpr std::size_t longest_output = 4096;

/// The reading end of a pipe to the child, and what came through it.
struct Stream {
    Descriptor end;
    std::string text;

    /// Takes what is there; false at the end.
    bool read_some() {
        std::array<char, 4096> buffer;
        const ssize_t got = read(end.get(), buffer.data(), buffer.size());
        if (got > 0)
            text.append(buffer.data(), static_cast<std::size_t>(got));
        return got > 0;
    }
};

void keep_tail(std::string& text) {
    if (text.size() > 2 * longest_output)
        text.erase(0, text.size() - longest_output);
}

base::Error failed(const std::string& what, int number) {
    return base::error(Errc::io, what + ": " + std::strerror(number));
}

class Probe {
public:
    Probe() = default;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    ~Probe() { reap(); }

    base::Result<void> start(const std::filesystem::path& program,
                             const std::vector<std::string>& arguments) {
        std::array<int, 2> answers{};
        std::array<int, 2> outputs{};
        if (pipe2(answers.data(), O_CLOEXEC) != 0)
            return failed("cannot make a pipe", errno);
        answer_.end = Descriptor(answers[0]);
        const Descriptor answer_to(answers[1]);
        if (pipe2(outputs.data(), O_CLOEXEC) != 0)
            return failed("cannot make a pipe", errno);
        output_.end = Descriptor(outputs[0]);
        const Descriptor output_to(outputs[1]);
        // Above the numbers that they become in the child, which are then not closed on exec.
        const Descriptor answer_source(
            fcntl(answer_to.get(), F_DUPFD_CLOEXEC, verdict_descriptor + 1));
        const Descriptor output_source(
            fcntl(output_to.get(), F_DUPFD_CLOEXEC, verdict_descriptor + 1));
        for (const Stream* stream : {&answer_, &output_})
            fcntl(stream->end.get(), F_SETFL, O_NONBLOCK);
        if (const int number = spawn(program, arguments, answer_source.get(), output_source.get()))
            return failed("cannot start " + program.string(), number);
        process_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
        if (!process_.ok())
            return failed("cannot watch a process", errno);
        return {};
    }

    /// Reads until it has ended, or been killed at the deadline.
    ProbeEnd finish(base::TimePoint deadline, const std::function<bool()>& stop) {
        ProbeEnd end;
        while (!wait_once(deadline))
            if (base::SystemClock().now() >= deadline || (stop && stop())) {
                end.late = true;
                break;
            }
        const ProcessEnd how = reap();
        // What it started may hold the pipes open: only what is there by now counts.
        while (answer_.text.size() < longest_answer && answer_.read_some()) {
        }
        while (output_.read_some())
            keep_tail(output_.text);
        end.answer = std::move(answer_.text);
        end.output = std::move(output_.text);
        end.how = how.text();
        end.clean = how.signal == 0 && how.code == 0 && !end.late;
        return end;
    }

private:
    int spawn(const std::filesystem::path& program,
              const std::vector<std::string>& arguments,
              int answer,
              int output) {
        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
        posix_spawn_file_actions_adddup2(&files, answer, verdict_descriptor);
        posix_spawn_file_actions_addclosefrom_np(&files, verdict_descriptor + 1);
        posix_spawnattr_t attributes;
        posix_spawnattr_init(&attributes);
        sigset_t all;
        sigfillset(&all);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        std::string name = program.string();
        std::vector<std::string> copies = arguments;
        std::vector<char*> argv{name.data()};
        for (std::string& argument : copies)
            argv.push_back(argument.data());
        argv.push_back(nullptr);
        const int number =
            posix_spawn(&pid_, name.c_str(), &files, &attributes, argv.data(), environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&files);
        if (number != 0)
            pid_ = -1;
        return number;
    }

    /// True when the process has ended.
    bool wait_once(base::TimePoint deadline) {
        std::array<pollfd, 3> wanted{{{.fd = process_.get(), .events = POLLIN, .revents = 0},
                                      {.fd = answer_.end.get(), .events = POLLIN, .revents = 0},
                                      {.fd = output_.end.get(), .events = POLLIN, .revents = 0}}};
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - base::SystemClock().now());
        if (poll(wanted.data(), wanted.size(), static_cast<int>(std::max<long>(left.count(), 0))) <=
            0)
            return false;
        if (wanted[1].revents != 0 &&
            (!answer_.read_some() || answer_.text.size() > longest_answer))
            answer_.end.reset();
        if (wanted[2].revents != 0) {
            if (!output_.read_some())
                output_.end.reset();
            keep_tail(output_.text);
        }
        return wanted[0].revents != 0;
    }

    ProcessEnd reap() { return pid_ > 0 ? reap_group(std::exchange(pid_, -1)) : ProcessEnd(); }

    pid_t pid_ = -1;
    Descriptor process_;
    Stream answer_, output_;
};

}  // namespace

base::Result<ProbeEnd> run_probe(const std::filesystem::path& program,
                                 const std::vector<std::string>& arguments,
                                 base::Duration limit,
                                 const std::function<bool()>& stop) {
    const auto deadline = base::SystemClock().now() + limit;
    Probe probe;
    if (auto started = probe.start(program, arguments); !started)
        return started.error();
    return probe.finish(deadline, stop);
}

std::filesystem::path default_check_program() {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
    const fs::path name = "distributo-check";
    const fs::path installed = here.parent_path() / "libexec" / "distributo" / name;
    return !fs::exists(here / name, error) && fs::exists(installed, error) ? installed
                                                                           : here / name;
}

}  // namespace distributo::runtime::check
