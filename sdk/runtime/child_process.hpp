#pragma once

#include "base/result.hpp"
#include "runtime/shared_page.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <sys/types.h>

namespace distributo::runtime {

/// A file descriptor that is closed with its owner.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) noexcept : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor() { reset(); }

    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] bool ok() const noexcept { return number_ >= 0; }
    [[nodiscard]] int release() noexcept;
    void reset() noexcept;

private:
    int number_ = -1;
};

/// Memory that a child process writes and that survives it.
class SharedMemory {
public:
    SharedMemory() = default;
    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&& other) noexcept;
    ~SharedMemory();

    [[nodiscard]] static base::Result<SharedMemory> make(std::size_t slots);
    [[nodiscard]] const SharedPage& page() const noexcept { return page_; }
    [[nodiscard]] int descriptor() const noexcept { return memory_.get(); }

private:
    Descriptor memory_;
    void* start_ = nullptr;
    std::size_t size_ = 0;
    SharedPage page_;
};

/// How a process ended, in words: "killed by SIGSEGV", "exited with code 3".
struct ProcessEnd {
    int code = 0;
    int signal = 0;       ///< 0: it exited
    std::string cause{};  ///< why the supervisor ended it for its plugin's doing; empty: it did not
    std::string hint{};   ///< which limit it probably ran into, and how to change that
    [[nodiscard]] std::string text() const;
};

/// Kills what is left of the process group that a child of ours leads, and takes the child's
/// status.
[[nodiscard]] ProcessEnd reap_group(pid_t leader);

/// A runner process, leader of its own session and process group. Killed and reaped with its owner.
class ChildProcess {
public:
    ChildProcess() = default;
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();

    /// Starts the program with the descriptors of runner_descriptors.hpp and nothing else, an
    /// environment of a few variables, and default signals. `library` is shown in process lists.
    [[nodiscard]] static base::Result<ChildProcess> spawn(const std::filesystem::path& program,
                                                          const std::filesystem::path& library,
                                                          std::size_t slots);

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// Become the caller's to close. All non-blocking; `process` is readable when it has ended.
    Descriptor socket, out, error, process;
    SharedMemory memory;

    /// To the whole process group. Does nothing once the process has been reaped.
    void signal_group(int signal) const noexcept;
    /// The process has ended: kills what is left of its group and takes its status.
    [[nodiscard]] ProcessEnd reap();

private:
    pid_t pid_ = -1;
};

}  // namespace distributo::runtime
