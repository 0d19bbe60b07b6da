#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace distributo::tests {

/// The executor of a store's caller: runs what was posted when the test waits. post(): any thread.
class PostQueue {
public:
    void post(std::function<void()> function) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(function));
        arrived_.notify_one();
    }
    /// Blocks until something was posted, then runs it.
    void run_one() {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [&] { return !waiting_.empty(); });
        const auto function = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        function();
    }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::function<void()>> waiting_;
};

}  // namespace distributo::tests
