#include "worker.hpp"

#include "interpreter.hpp"

#include <signal.h>

namespace script {

Worker::Worker() : thread_([this] { work(); }) {}

Worker::~Worker() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

std::string Worker::fault() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_; });
    return fault_;
}

void Worker::run(const std::function<void()>& job) {
    if (!fault().empty())
        return;
    std::unique_lock lock(mutex_);
    job_ = &job;
    changed_.notify_all();
    changed_.wait(lock, [this] { return job_ == nullptr; });
}

void Worker::work() {
    // Python gives the thread that it is started on another one, and does not take it back.
    stack_t signal_stack{};
    sigaltstack(nullptr, &signal_stack);
    std::string fault = start_interpreter();
    const bool usable = fault.empty();
    {
        const std::lock_guard lock(mutex_);
        fault_ = std::move(fault);
        ready_ = true;
    }
    changed_.notify_all();
    std::unique_lock lock(mutex_);
    // The same thread state for all jobs: it holds what belongs to the thread.
    const auto state = usable ? PyGILState_Ensure() : PyGILState_STATE{};
    auto* const thread = usable ? PyEval_SaveThread() : nullptr;
    for (;;) {
        changed_.wait(lock, [this] { return job_ != nullptr || ended_; });
        if (job_ == nullptr)
            break;
        lock.unlock();
        PyEval_RestoreThread(thread);
        (*job_)();
        PyEval_SaveThread();
        lock.lock();
        job_ = nullptr;
        changed_.notify_all();
    }
    lock.unlock();
    if (usable) {
        PyEval_RestoreThread(thread);
        PyGILState_Release(state);
    }
    sigaltstack(&signal_stack, nullptr);
}

}  // namespace script
