// Everything that a plugin must not do, one payload member each. What the sandbox refuses is
// reported in the result, so that a test sees the error that the plugin saw.
#include <distributo/plugin.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

enum class Deed {
    null_dereference,
    stack_overflow,
    abort,
    throw_through_noexcept,
    exit_0,
    underscore_exit_3,
    loop,
    ignore_term,
    take_memory,
    fork_bomb,
    leak_descriptors,
    fill_disk,
    write_outside,
    read_home,
    unshare,
    ptrace,
    forge_mark,
    daemon,
    kill_host,
    leave_thread,
    connect,
    inherited,
    doze,
    nothing
};
BOOST_DESCRIBE_ENUM(Deed,
                    null_dereference,
                    stack_overflow,
                    abort,
                    throw_through_noexcept,
                    exit_0,
                    underscore_exit_3,
                    loop,
                    ignore_term,
                    take_memory,
                    fork_bomb,
                    leak_descriptors,
                    fill_disk,
                    write_outside,
                    read_home,
                    unshare,
                    ptrace,
                    forge_mark,
                    daemon,
                    kill_host,
                    leave_thread,
                    connect,
                    inherited,
                    doze,
                    nothing)

struct Wish {
    Deed deed = Deed::nothing;
    std::string path{};  ///< of the file to write or read
};
BOOST_DESCRIBE_STRUCT(Wish, (), (deed, path))

struct Report {
    std::string error{};      ///< of the system call; empty: it was let
    std::int64_t number = 0;  ///< how many it got, or which process it started
    std::string text{};
};
BOOST_DESCRIBE_STRUCT(Report, (), (error, number, text))

std::string error_of(bool failed) {
    return failed ? strerrorname_np(errno) : "";
}

[[gnu::noinline]] unsigned use_stack(unsigned depth) {
    volatile char page[4096] = {};
    page[depth % sizeof page] = 1;
    return use_stack(depth + 1) + static_cast<unsigned char>(page[0]);
}

void throw_through() noexcept {
    throw std::runtime_error("through noexcept");
}

[[noreturn]] void loop() {
    std::atomic<unsigned> turns = 0;
    for (;;) {
        ++turns;
    }
}

Report take_memory() {
    std::fprintf(stderr, "last words\n");
    std::vector<std::vector<char>> taken;
    for (;;) {
        taken.emplace_back(1 << 20U, 'x');
    }
}

Report fork_bomb() {
    std::vector<pid_t> children;
    for (;;) {
        const pid_t child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        if (child < 0) {
            Report report{error_of(true), static_cast<std::int64_t>(children.size())};
            for (const pid_t one : children) {
                kill(one, SIGKILL);
                waitpid(one, nullptr, 0);
            }
            return report;
        }
        children.push_back(child);
    }
}

Report leak_descriptors() {
    std::vector<int> taken;
    for (;;) {
        const int one = open("/dev/null", O_RDONLY);
        if (one < 0) {
            Report report{error_of(true), static_cast<std::int64_t>(taken.size())};
            for (const int number : taken) {
                close(number);
            }
            return report;
        }
        taken.push_back(one);
    }
}

void fill_disk(const std::string& path) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const std::vector<char> block(1 << 20U, 'x');
    for (;;) {
        if (write(file, block.data(), block.size()) < 0) {
            throw distributo::permanent(std::string("write: ") + std::strerror(errno));
        }
    }
}

Report open_file(const std::string& path, int flags) {
    const int file = open(path.c_str(), flags, 0600);
    Report report{error_of(file < 0)};
    if (file >= 0) {
        close(file);
    }
    return report;
}

/// Two forks, a session of its own, nothing inherited: nobody's child any more.
Report start_daemon() {
    int ends[2];
    if (pipe(ends) != 0) {
        return {error_of(true)};
    }
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        if (const pid_t daemon = fork(); daemon != 0) {
            _exit(write(ends[1], &daemon, sizeof daemon) == sizeof daemon ? 0 : 1);
        }
        clearenv();
        for (int number = 0; number < 64; ++number) {
            close(number);
        }
        for (;;) {
            pause();
        }
    }
    waitpid(child, nullptr, 0);
    pid_t daemon = 0;
    const auto size = read(ends[0], &daemon, sizeof daemon);
    close(ends[0]);
    close(ends[1]);
    return {error_of(size != sizeof daemon), daemon};
}

Report forge_mark() {
    rlimit mark{};
    getrlimit(RLIMIT_LOCKS, &mark);
    mark.rlim_cur = mark.rlim_max = mark.rlim_max - 1;
    return {error_of(setrlimit(RLIMIT_LOCKS, &mark) != 0)};
}

Report connect_somewhere() {
    const int one = socket(AF_INET, SOCK_STREAM, 0);
    if (one < 0) {
        return {error_of(true)};
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    address.sin_addr.s_addr = htonl(0xC0000201);  // 192.0.2.1, which is nobody's
    Report report{
        error_of(connect(one, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)};
    close(one);
    return report;
}

/// What a child of the runner finds: descriptors, and the environment.
Report inherited() {
    Report report;
    for (int number = 0; number < 1024; ++number) {
        if (fcntl(number, F_GETFD) >= 0 && (fcntl(number, F_GETFD) & FD_CLOEXEC) == 0) {
            ++report.number;
        }
    }
    for (char** variable = environ; *variable; ++variable) {
        report.text += std::string(*variable) + "\n";
    }
    return report;
}

/// What ends the process.
void die(Deed deed) {
    std::fprintf(stderr, "last words\n");
    switch (deed) {
        case Deed::null_dereference: {
            volatile int* const nowhere = nullptr;
            *nowhere = 1;
            break;
        }
        case Deed::stack_overflow:
            std::printf("%u\n", use_stack(0));
            break;
        case Deed::abort:
            std::abort();
        case Deed::throw_through_noexcept:
            throw_through();
            break;
        case Deed::exit_0:
            std::exit(0);
        case Deed::underscore_exit_3:
            _exit(3);
        case Deed::ignore_term:
            std::signal(SIGTERM, SIG_IGN);
            loop();
        default:
            loop();
    }
}

Report misbehave(const Wish& wish) {
    switch (wish.deed) {
        case Deed::nothing:
            return {};
        case Deed::doze:
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            return {};
        case Deed::take_memory:
            return take_memory();
        case Deed::fork_bomb:
            return fork_bomb();
        case Deed::leak_descriptors:
            return leak_descriptors();
        case Deed::fill_disk:
            std::fprintf(stderr, "last words\n");
            fill_disk("filled");
            return {};
        case Deed::write_outside:
            return open_file(wish.path, O_WRONLY | O_CREAT);
        case Deed::read_home:
            return open_file(wish.path, O_RDONLY);
        case Deed::unshare:
            return {error_of(unshare(CLONE_NEWUSER) != 0)};
        case Deed::ptrace:
            return {error_of(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)};
        case Deed::forge_mark:
            return forge_mark();
        case Deed::daemon:
            return start_daemon();
        case Deed::kill_host:
            return {error_of(kill(getppid(), SIGTERM) != 0)};
        case Deed::leave_thread:
            std::thread([] { pause(); }).detach();
            return {};
        case Deed::connect:
            return connect_somewhere();
        case Deed::inherited:
            return inherited();
        default:
            die(wish.deed);
            return {};
    }
}

}  // namespace

DISTRIBUTO_PLUGIN("test.misbehave",
                  "1.0.0",
                  distributo::task_type<misbehave>("test.misbehave")
                      .concurrency(8)
                      .cancel_grace(std::chrono::milliseconds(100)));
