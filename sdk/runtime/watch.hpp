#pragma once

#include "base/clock.hpp"

#include <atomic>

namespace distributo::runtime {

/// A thread that sleeps until a timer fires, and that can be told to wake up in a moment without
/// waking it now: arming costs one system call and no context switch.
class Watch {
public:
    Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    /// Any thread: fire after `delay`, unless that is already arranged.
    void arm(base::Duration delay);
    /// Any thread.
    void fire_now();
    /// Waits for it to fire; once per arm(). The watch's own thread.
    void wait();

private:
    int timer_;
    std::atomic<bool> armed_{false};
};

}  // namespace distributo::runtime
