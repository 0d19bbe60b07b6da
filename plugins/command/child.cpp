#include "child.hpp"

#include <distributo/plugin.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ;

namespace command {

using distributo::permanent;
using distributo::retry;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto patience = std::chrono::seconds(1);

struct Pipe {
    support::Descriptor read, write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw retry("cannot make a pipe: " + std::string(std::strerror(errno)));
    }
    return {support::Descriptor(ends[0]), support::Descriptor(ends[1])};
}

int milliseconds_to(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

std::string how_it_ended(int status) {
    return WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                               : "ended with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Child::Child(const std::vector<std::string>& argv, std::function<void(std::string_view)> on_line)
    : on_line_(std::move(on_line)) {
    Pipe to = make_pipe();
    Pipe from = make_pipe();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to.read.number(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from.write.number(), STDOUT_FILENO);
    // Programs expect that a broken pipe ends them.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> arguments;
    for (const std::string& argument : argv) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    const int failed =
        posix_spawnp(&process_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
        process_ = -1;
        throw permanent("cannot start " + argv[0] + ": " + std::strerror(failed));
    }
    in_ = std::move(to.write);
    out_ = std::move(from.read);
    fcntl(in_.number(), F_SETFL, O_NONBLOCK);
    fcntl(out_.number(), F_SETFL, O_NONBLOCK);
}

Child::~Child() {
    if (process_ < 0) {
        return;
    }
    in_ = support::Descriptor();
    const auto deadline = Clock::now() + patience;
    try {
        while (Clock::now() < deadline && read_available()) {
            pollfd output{out_.number(), POLLIN, 0};
            poll(&output, 1, milliseconds_to(deadline));
        }
    } catch (...) {  // a line that is of no interest any more
    }
    int status = 0;
    while (waitpid(process_, &status, WNOHANG) == 0) {
        if (Clock::now() >= deadline) {
            kill(process_, SIGKILL);
            waitpid(process_, &status, 0);
            return;
        }
        poll(nullptr, 0, 1);
    }
}

void Child::write(std::string_view text, Clock::time_point deadline) {
    while (!text.empty()) {
        const ssize_t count = ::write(in_.number(), text.data(), text.size());
        if (count > 0) {
            text.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EPIPE) {
            ended();
        } else if (errno == EAGAIN) {
            wait(true, deadline);
        } else if (errno != EINTR) {
            throw retry("cannot write to the program: " + std::string(std::strerror(errno)));
        }
    }
    static_cast<void>(read_available());
}

void Child::read_until(const std::function<bool()>& done, Clock::time_point deadline) {
    while (!done()) {
        if (!read_available()) {
            ended();
        }
        if (!done()) {
            wait(false, deadline);
        }
    }
}

void Child::wait(bool to_write, Clock::time_point deadline) {
    std::array<pollfd, 2> what{pollfd{out_.number(), POLLIN, 0}, pollfd{in_.number(), POLLOUT, 0}};
    const int ready = poll(what.data(), to_write ? 2 : 1, milliseconds_to(deadline));
    if (ready == 0) {
        throw retry(to_write ? "the program did not read in time"
                             : "the program did not acknowledge in time");
    }
    if (what[0].revents != 0 && !read_available()) {
        ended();
    }
}

bool Child::read_available() {
    std::array<char, 16 * 1024> buffer;
    for (;;) {
        const ssize_t count = read(out_.number(), buffer.data(), buffer.size());
        if (count == 0) {
            return false;
        }
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN;
        }
        partial_.append(buffer.data(), static_cast<std::size_t>(count));
        std::size_t begin = 0;
        for (auto end = partial_.find('\n'); end != std::string::npos;
             end = partial_.find('\n', begin)) {
            on_line_(std::string_view(partial_).substr(begin, end - begin));
            begin = end + 1;
        }
        partial_.erase(0, begin);
    }
}

void Child::ended() {
    in_ = support::Descriptor();
    int status = 0;
    const auto deadline = Clock::now() + patience;
    while (waitpid(process_, &status, WNOHANG) == 0) {
        if (Clock::now() >= deadline) {
            kill(process_, SIGKILL);
            waitpid(process_, &status, 0);
            break;
        }
        poll(nullptr, 0, 1);
    }
    process_ = -1;
    throw retry("the program " + how_it_ended(status));
}

}  // namespace command
