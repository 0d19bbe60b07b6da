#include "alarm.hpp"

#include <utility>

namespace script {

Alarm::Alarm(Object exception) : exception_(std::move(exception)), thread_([this] { watch(); }) {}

Alarm::~Alarm() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_one();
    thread_.join();
    const auto state = PyGILState_Ensure();
    exception_.reset();
    PyGILState_Release(state);
}

void Alarm::arm(const dto_call* call, Time due) {
    thread_ident_ = PyThread_get_thread_ident();
    {
        const std::lock_guard lock(mutex_);
        call_ = call;
        ++number_;
        due_ = due;
        rung_ = false;
    }
    if (due != Time::max())
        changed_.notify_one();
}

void Alarm::disarm() {
    PyThreadState_SetAsyncExc(std::exchange(thread_ident_, 0), nullptr);
    const std::lock_guard lock(mutex_);
    call_ = nullptr;
    due_ = Time::max();
}

void Alarm::ring(const dto_call* call) {
    {
        const std::lock_guard lock(mutex_);
        if (call != call_)
            return;
        rung_ = true;
    }
    changed_.notify_one();
}

void Alarm::watch() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
        const auto now = std::chrono::steady_clock::now();
        if (call_ == nullptr || (!rung_ && now < due_)) {
            if (due_ == Time::max())
                changed_.wait(lock);
            else
                changed_.wait_until(lock, due_);
            continue;
        }
        const auto number = number_;
        due_ = Time::max();
        rung_ = false;
        lock.unlock();
        const auto state = PyGILState_Ensure();
        lock.lock();
        // The call that it was meant for may have ended, and another one run, while this waited.
        if (call_ != nullptr && number == number_)
            PyThreadState_SetAsyncExc(thread_ident_, exception_.get());
        lock.unlock();
        PyGILState_Release(state);
        lock.lock();
    }
}

}  // namespace script
