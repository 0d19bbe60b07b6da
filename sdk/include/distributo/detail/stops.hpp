#pragma once

#include <distributo/abi.h>

#include <algorithm>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

namespace distributo::detail {

/// The stop sources of the running calls that asked for one. Thread-safe.
class Stops {
public:
    std::stop_source remember(dto_call* call) {
        const std::lock_guard lock(mutex_);
        const auto found = find(call);
        return found != running_.end() ? found->second
                                       : running_.emplace_back(call, std::stop_source()).second;
    }

    void forget(dto_call* call) {
        const std::lock_guard lock(mutex_);
        const auto found = find(call);
        if (found != running_.end()) {
            running_.erase(found);
        }
    }

    /// Stop callbacks run in here, outside of the lock: they may call anything of a Task.
    void cancel(dto_call* call) {
        std::stop_source source(std::nostopstate);
        {
            const std::lock_guard lock(mutex_);
            const auto found = find(call);
            if (found == running_.end()) {
                return;
            }
            source = found->second;
        }
        source.request_stop();
    }

private:
    std::vector<std::pair<dto_call*, std::stop_source>>::iterator find(dto_call* call) {
        return std::find_if(running_.begin(), running_.end(), [call](const auto& entry) {
            return entry.first == call;
        });
    }

    std::mutex mutex_;
    std::vector<std::pair<dto_call*, std::stop_source>> running_;
};

}  // namespace distributo::detail
