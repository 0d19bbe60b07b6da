#pragma once

#include "base/clock.hpp"
#include "coordinator/core/task.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace distributo::coordinator::engine {

/// Those who wait for something with a key, each until a deadline of its own. Told by calling
/// `wake` once, whether the thing came or the deadline passed; who is woken looks for itself.
template <typename Key>
class WaitingList {
public:
    using Wake = std::function<void(bool expired)>;

    void add(const Key& key, base::TimePoint deadline, Wake wake) {
        const auto place = by_deadline_.emplace(deadline, Entry{key, std::move(wake)});
        by_key_.emplace(key, place);
    }

    /// Removes those who wait for `key` and hands them out.
    [[nodiscard]] std::vector<Wake> take(const Key& key) {
        std::vector<Wake> woken;
        const auto [first, last] = by_key_.equal_range(key);
        for (auto entry = first; entry != last; ++entry) {
            woken.push_back(std::move(entry->second->second.wake));
            by_deadline_.erase(entry->second);
        }
        by_key_.erase(first, last);
        return woken;
    }

    [[nodiscard]] std::vector<Wake> take_expired(base::TimePoint now) {
        std::vector<Wake> woken;
        while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) {
            const auto place = by_deadline_.begin();
            const auto [first, last] = by_key_.equal_range(place->second.key);
            for (auto entry = first; entry != last; ++entry)
                if (entry->second == place) {
                    by_key_.erase(entry);
                    break;
                }
            woken.push_back(std::move(place->second.wake));
            by_deadline_.erase(place);
        }
        return woken;
    }

    [[nodiscard]] base::TimePoint next_deadline() const {
        return by_deadline_.empty() ? base::TimePoint::max() : by_deadline_.begin()->first;
    }
    [[nodiscard]] std::size_t size() const noexcept { return by_deadline_.size(); }
    [[nodiscard]] bool empty() const noexcept { return by_deadline_.empty(); }

private:
    struct Entry {
        Key key;
        Wake wake;
    };
    using Timeline = std::multimap<base::TimePoint, Entry>;

    Timeline by_deadline_;
    std::unordered_multimap<Key, typename Timeline::iterator> by_key_;
};

}  // namespace distributo::coordinator::engine
