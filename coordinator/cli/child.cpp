#include "coordinator/cli/child.hpp"

#include <cstring>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <utility>

extern char** environ;

namespace distributo::coordinator::cli {

base::Result<Child> Child::start(const std::filesystem::path& program,
                                 const std::vector<std::string>& arguments) {
    std::string name = program.string();
    std::vector<std::string> copies = arguments;
    std::vector<char*> argv{name.data()};
    for (std::string& argument : copies)
        argv.push_back(argument.data());
    argv.push_back(nullptr);

    // Its own group: Ctrl-C reaches us alone, and we end the daemons in order.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, name.c_str(), nullptr, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0)
        return base::error(base::Errc::io,
                           "cannot start " + name + ": " + std::strerror(failed),
                           "is Distributo installed completely?");
    return Child(pid);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), exit_code_(other.exit_code_) {}

Child::~Child() {
    terminate();
    wait();
}

void Child::take_status(int status) {
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    pid_ = 0;
}

bool Child::running() {
    int status = 0;
    if (pid_ != 0 && waitpid(pid_, &status, WNOHANG) == pid_)
        take_status(status);
    return pid_ != 0;
}

void Child::terminate() const {
    if (pid_ != 0)
        kill(pid_, SIGTERM);
}

void Child::wait() {
    int status = 0;
    while (pid_ != 0)
        if (waitpid(pid_, &status, 0) == pid_)
            take_status(status);
        else if (errno != EINTR)
            pid_ = 0;
}

std::filesystem::path program_folder() {
    std::error_code failed;
    return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
}

}  // namespace distributo::coordinator::cli
