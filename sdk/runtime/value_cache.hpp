#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace distributo::runtime {

/// What the plugins of a host remember for each other (distributo.cache/1). Lives in the host's
/// memory: it survives the end of a runner, not that of the host. Forgets what was not used for the
/// longest time. Any thread.
class ValueCache {
public:
    struct Limits {
        std::size_t entries = 16 * 1024;
        std::size_t bytes = 64 * 1024 * 1024;       ///< of all keys and values
        std::size_t value_bytes = 4 * 1024 * 1024;  ///< of one value
        std::size_t key_bytes = 1024;
    };
    using Value = std::shared_ptr<const std::string>;

    ValueCache() : ValueCache(Limits()) {}
    explicit ValueCache(const Limits& limits) : limits_(limits) {}

    /// May a value of this size have this key?
    [[nodiscard]] bool accepts(std::string_view key, std::size_t value_size) const noexcept {
        return !key.empty() && key.size() <= limits_.key_bytes && value_size <= limits_.value_bytes;
    }
    /// Null when there is none, or its time is over.
    [[nodiscard]] Value get(std::string_view key, base::TimePoint now);
    /// `time_to_live` zero: as long as there is room. What accepts() refuses is left out.
    void put(std::string_view key,
             std::string value,
             base::Duration time_to_live,
             base::TimePoint now);

    [[nodiscard]] std::size_t entries() const;
    [[nodiscard]] std::size_t bytes() const;

private:
    struct Entry {
        std::string key;
        Value value;
        base::TimePoint until;
    };
    using Entries = std::list<Entry>;  // the one that was used last stands first

    void drop(Entries::iterator entry);

    const Limits limits_;
    mutable std::mutex mutex_;  // of the following
    Entries entries_;
    std::unordered_map<std::string_view, Entries::iterator> by_key_;  // keys lie in the entries
    std::size_t bytes_ = 0;
};

}  // namespace distributo::runtime
