#pragma once

#include "base/result.hpp"
#include "runtime/call_slot.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
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
class SharedSlots {
public:
    SharedSlots() = default;
    SharedSlots(SharedSlots&& other) noexcept;
    SharedSlots& operator=(SharedSlots&& other) noexcept;
    ~SharedSlots();

    [[nodiscard]] static base::Result<SharedSlots> make(std::size_t count);
    [[nodiscard]] std::span<const CallSlot> slots() const noexcept { return {slots_, count_}; }
    [[nodiscard]] int descriptor() const noexcept { return memory_.get(); }

private:
    Descriptor memory_;
    CallSlot* slots_ = nullptr;
    std::size_t count_ = 0;
};

/// How a process ended, in words: "killed by SIGSEGV", "exited with code 3".
struct ProcessEnd {
    int code = 0;
    int signal = 0;  ///< 0: it exited
    [[nodiscard]] std::string text() const;
};

/// A runner process, leader of its own process group. Killed and reaped with its owner.
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
    SharedSlots slots;

    /// To the whole process group. Does nothing once the process has been reaped.
    void signal_group(int signal) const noexcept;
    /// The process has ended: kills what is left of its group and takes its status.
    [[nodiscard]] ProcessEnd reap();

private:
    pid_t pid_ = -1;
};

}  // namespace distributo::runtime
