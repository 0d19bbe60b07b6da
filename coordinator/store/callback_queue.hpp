#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace distributo::coordinator::store {

/// Runs callbacks later, in order, with one post for all that come up in one turn of the loop.
/// Callbacks that still wait when the queue goes are dropped. Not thread-safe.
class CallbackQueue {
public:
    using Callback = std::function<void()>;
    using Post = std::function<void(Callback)>;

    explicit CallbackQueue(Post post) : post_(std::move(post)) {}
    ~CallbackQueue() { waiting_->clear(); }
    CallbackQueue(const CallbackQueue&) = delete;
    CallbackQueue& operator=(const CallbackQueue&) = delete;

    void add(Callback callback) {
        waiting_->push_back(std::move(callback));
        if (waiting_->size() == 1)
            post_([waiting = waiting_] { run(*waiting); });
    }

private:
    static void run(std::vector<Callback>& waiting) {
        const auto ready = std::exchange(waiting, {});
        for (const auto& callback : ready)
            callback();
    }

    Post post_;
    std::shared_ptr<std::vector<Callback>> waiting_ = std::make_shared<std::vector<Callback>>();
};

}  // namespace distributo::coordinator::store
