#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace distributo::coordinator::store {

/// What a thread has to do, from any other one, in order.
template <typename Item>
class WorkQueue {
public:
    void push(Item item) {
        {
            const std::lock_guard lock(mutex_);
            items_.push_back(std::move(item));
        }
        changed_.notify_one();
    }
    /// Whoever waits is told that no more comes.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        changed_.notify_one();
    }
    /// Waits until there is something, or the queue is closed, or `until`; takes all there is.
    [[nodiscard]] std::deque<Item> take(std::chrono::steady_clock::time_point until) {
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, until, [&] { return closed_ || !items_.empty(); });
        return std::exchange(items_, {});
    }
    /// Waits for so long, or until the queue is closed; true when it is.
    [[nodiscard]] bool wait_for_end(std::chrono::steady_clock::duration time) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, time, [&] { return closed_; });
    }
    [[nodiscard]] bool closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Item> items_;
    bool closed_ = false;
};

}  // namespace distributo::coordinator::store
