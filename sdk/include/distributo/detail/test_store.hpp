#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace distributo::testing {

/// A file that travels with tasks, as a test gives and sees it.
struct Artifact {
    std::string data;
    std::string media_type = "application/octet-stream";
};

namespace detail {

/// Named values that all calls of a plugin share. Thread-safe.
template <class Value>
class TestStore {
public:
    [[nodiscard]] std::optional<Value> get(std::string_view name) const {
        const std::lock_guard lock(mutex_);
        const auto found = values_.find(name);
        return found == values_.end() ? std::nullopt : std::optional(found->second);
    }

    void put(std::string_view name, Value value) {
        const std::lock_guard lock(mutex_);
        values_.insert_or_assign(std::string(name), std::move(value));
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, Value, std::less<>> values_;
};

/// What the services of the test host remember.
struct TestStores {
    TestStore<std::string> cache;
    TestStore<Artifact> artifacts;
};

}  // namespace detail
}  // namespace distributo::testing
