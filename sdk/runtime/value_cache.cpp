#include "runtime/value_cache.hpp"

#include <iterator>
#include <utility>

namespace distributo::runtime {

ValueCache::Value ValueCache::get(std::string_view key, base::TimePoint now) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end())
        return nullptr;
    const auto entry = found->second;
    if (entry->until <= now) {
        drop(entry);
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->value;
}

void ValueCache::put(std::string_view key,
                     std::string value,
                     base::Duration time_to_live,
                     base::TimePoint now) {
    if (!accepts(key, value.size()))
        return;
    const std::lock_guard lock(mutex_);
    if (const auto before = by_key_.find(key); before != by_key_.end())
        drop(before->second);
    const bool for_ever =
        time_to_live <= base::Duration::zero() || time_to_live >= base::TimePoint::max() - now;
    bytes_ += key.size() + value.size();
    entries_.push_front({.key = std::string(key),
                         .value = std::make_shared<const std::string>(std::move(value)),
                         .until = for_ever ? base::TimePoint::max() : now + time_to_live});
    by_key_.emplace(entries_.front().key, entries_.begin());
    while (entries_.size() > limits_.entries || bytes_ > limits_.bytes)
        drop(std::prev(entries_.end()));
}

void ValueCache::drop(Entries::iterator entry) {
    bytes_ -= entry->key.size() + entry->value->size();
    by_key_.erase(entry->key);
    entries_.erase(entry);
}

std::size_t ValueCache::entries() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

std::size_t ValueCache::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace distributo::runtime
