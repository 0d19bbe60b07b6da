#pragma once

#include "python_object.hpp"

#include <distributo/abi.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace script {

/// Raises distributo.Cancelled in the thread that runs a task, wherever its Python code is. A
/// thread of its own does it, since that needs the interpreter's lock, for which a library in C may
/// let everybody wait.
class Alarm {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// `exception` is what is raised; needs the interpreter's lock, as arm() and disarm() do.
    explicit Alarm(Object exception);
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    /// Without the lock.
    ~Alarm();

    /// The calling thread runs `call` from now on; at `due` it rings by itself.
    void arm(const dto_call* call, Time due);
    void disarm();
    /// Any thread, never waits. Without effect when another call, or none, runs.
    void ring(const dto_call* call);

private:
    void watch();

    Object exception_;
    unsigned long thread_ident_ = 0;  // with the interpreter's lock; 0: nothing runs
    std::mutex mutex_;                // of the rest
    std::condition_variable changed_;
    const dto_call* call_ = nullptr;
    std::uint64_t number_ = 0;  // of the call: the host uses its contexts again
    Time due_ = Time::max();
    bool rung_ = false;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace script
