#include "runtime/child_process.hpp"

#include "runtime/runner_descriptors.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

extern char** environ;  // NOLINT(readability-redundant-declaration): not in every libc's headers

namespace distributo::runtime {
namespace {

using base::Errc;

base::Error failed(std::string_view what) {
    return base::error(Errc::io, "cannot " + std::string(what) + ": " + std::strerror(errno));
}

/// glibc 2.36 declares its function without extern "C".
int open_pidfd(pid_t process) {
    return static_cast<int>(syscall(SYS_pidfd_open, process, 0));
}

void set_nonblocking(int descriptor) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

struct Pipe {
    Descriptor read, write;

    static base::Result<Pipe> make() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            return failed("make a pipe");
        return Pipe{.read = Descriptor(ends[0]), .write = Descriptor(ends[1])};
    }
};

/// What the child gets, by the child's number.
using Sources = std::array<int, descriptors::count>;

/// Moves the sources out of the way of the numbers that they will become in the child.
base::Result<std::vector<Descriptor>> lift(Sources& sources) {
    std::vector<Descriptor> lifted;
    for (int& source : sources) {
        lifted.emplace_back(fcntl(source, F_DUPFD_CLOEXEC, descriptors::count));
        if (!lifted.back().ok())
            return failed("duplicate a descriptor");
        source = lifted.back().get();
    }
    return lifted;
}

bool is_passed_on(std::string_view variable) {
    for (const std::string_view name : {"PATH=", "HOME=", "LANG=", "LC_ALL=", "TZ=", "TMPDIR="})
        if (variable.substr(0, name.size()) == name)
            return true;
    return variable.substr(0, 11) == "DISTRIBUTO_";
}

std::vector<char*> clean_environment() {
    std::vector<char*> variables;
    for (char** variable = environ; variable && *variable; ++variable)
        if (is_passed_on(*variable))
            variables.push_back(*variable);
    variables.push_back(nullptr);
    return variables;
}

class SpawnPlan {
public:
    explicit SpawnPlan(const Sources& sources) {
        posix_spawn_file_actions_init(&files_);
        for (int number = 0; number < descriptors::count; ++number)
            posix_spawn_file_actions_adddup2(
                &files_, sources[static_cast<std::size_t>(number)], number);
        // Not every library in this process opens its files close-on-exec.
        posix_spawn_file_actions_addclosefrom_np(&files_, descriptors::count);

        posix_spawnattr_init(&attributes_);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        // A session is a process group, too, and has no terminal that could be written to.
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        posix_spawnattr_destroy(&attributes_);
        posix_spawn_file_actions_destroy(&files_);
    }

    int run(pid_t& pid, const char* program, const char* library) {
        char name[] = "distributo-runner";
        std::string argument(library);
        char* const arguments[] = {name, argument.data(), nullptr};
        auto environment = clean_environment();
        return posix_spawn(&pid, program, &files_, &attributes_, arguments, environment.data());
    }

private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

// ---- Descriptor ------------------------------------------------------------------------------

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        reset();
        number_ = other.release();
    }
    return *this;
}

int Descriptor::release() noexcept {
    return std::exchange(number_, -1);
}

void Descriptor::reset() noexcept {
    if (number_ >= 0)
        close(release());
}

// ---- SharedMemory ----------------------------------------------------------------------------

SharedMemory::SharedMemory(SharedMemory&& other) noexcept {
    *this = std::move(other);
}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(start_, other.start_);
    std::swap(size_, other.size_);
    std::swap(page_, other.page_);
    return *this;
}

SharedMemory::~SharedMemory() {
    if (start_)
        munmap(start_, size_);
}

base::Result<SharedMemory> SharedMemory::make(std::size_t slots) {
    SharedMemory made;
    const std::size_t size = SharedPage::size_for(slots);
    made.memory_ = Descriptor(memfd_create("distributo-calls", MFD_CLOEXEC));
    if (!made.memory_.ok() || ftruncate(made.memory_.get(), static_cast<off_t>(size)) != 0)
        return failed("make shared memory");
    void* const start =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, made.memory_.get(), 0);
    if (start == MAP_FAILED)
        return failed("map shared memory");
    made.start_ = start;
    made.size_ = size;
    // Fresh memory is zero, which is what empty slots and areas are.
    made.page_ = SharedPage::at(start, size);
    return made;
}

// ---- ChildProcess ----------------------------------------------------------------------------

std::string ProcessEnd::text() const {
    std::string text = cause;
    const char* const name = signal != 0 ? sigabbrev_np(signal) : nullptr;
    if (text.empty() && signal == 0)
        text = "exited with code " + std::to_string(code);
    else if (text.empty())
        text =
            "killed by " + (name ? "SIG" + std::string(name) : "signal " + std::to_string(signal));
    return hint.empty() ? text : text + " (" + hint + ")";
}

base::Result<ChildProcess> ChildProcess::spawn(const std::filesystem::path& program,
                                               const std::filesystem::path& library,
                                               std::size_t slots) {
    ChildProcess child;
    auto memory = SharedMemory::make(slots);
    auto out = Pipe::make();
    auto error = Pipe::make();
    if (!memory)
        return memory.error();
    if (!out || !error)
        return !out ? out.error() : error.error();
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return failed("make a socket pair");
    child.socket = Descriptor(ends[0]);
    const Descriptor theirs(ends[1]);
    const Descriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null.ok())
        return failed("open /dev/null");
    for (const int descriptor : {child.socket.get(), out->read.get(), error->read.get()})
        set_nonblocking(descriptor);

    Sources sources = {null.get(),
                       out->write.get(),
                       error->write.get(),
                       theirs.get(),
                       memory->descriptor(),
                       out->read.get(),
                       error->read.get()};
    const auto lifted = lift(sources);
    if (!lifted)
        return lifted.error();
    if (const int code = SpawnPlan(sources).run(child.pid_, program.c_str(), library.c_str())) {
        child.pid_ = -1;
        return base::error(Errc::io,
                           "cannot start " + program.string() + ": " + std::strerror(code),
                           "distributo-runner is installed beside distributo-host");
    }
    child.process = Descriptor(open_pidfd(child.pid_));
    if (!child.process.ok())
        return failed("watch the process");
    child.out = std::move(out->read);
    child.error = std::move(error->read);
    child.memory = std::move(*memory);
    return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : socket(std::move(other.socket)),
      out(std::move(other.out)),
      error(std::move(other.error)),
      process(std::move(other.process)),
      memory(std::move(other.memory)),
      pid_(std::exchange(other.pid_, -1)) {}

ChildProcess::~ChildProcess() {
    if (pid_ <= 0)
        return;
    signal_group(SIGKILL);
    static_cast<void>(reap());
}

void ChildProcess::signal_group(int signal) const noexcept {
    if (pid_ > 0)
        kill(-pid_, signal);
}

ProcessEnd ChildProcess::reap() {
    return pid_ > 0 ? reap_group(std::exchange(pid_, -1)) : ProcessEnd();
}

ProcessEnd reap_group(pid_t leader) {
    ProcessEnd end;
    // The zombie keeps the number of the group from being used again until it is reaped.
    kill(-leader, SIGKILL);
    int status = 0;
    while (waitpid(leader, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status))
        end.signal = WTERMSIG(status);
    else
        end.code = WEXITSTATUS(status);
    return end;
}

}  // namespace distributo::runtime
