#pragma once

#include "coordinator/core/extension.hpp"
#include "wire/task_state.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::core {

/// Live tasks by state; a task whose end is being recorded counts under its last one.
class LiveCounts {
public:
    [[nodiscard]] std::uint64_t& operator[](wire::TaskState state) noexcept {
        return of_[static_cast<std::size_t>(state)];
    }
    [[nodiscard]] std::uint64_t operator[](wire::TaskState state) const noexcept {
        return of_[static_cast<std::size_t>(state)];
    }
    [[nodiscard]] std::uint64_t total() const noexcept {
        std::uint64_t sum = 0;
        for (const auto one : of_)
            sum += one;
        return sum;
    }

private:
    std::array<std::uint64_t, static_cast<std::size_t>(wire::TaskState::completed)> of_{};
};

inline constexpr std::uint32_t no_group = ~std::uint32_t{0};

/// The groups that live tasks belong to.
class GroupTable {
public:
    /// The group's number, which is its as long as a task is in it. Counts one more pending task.
    [[nodiscard]] std::uint32_t enter(const std::string& name);
    void leave(std::uint32_t group, wire::TaskState last);
    [[nodiscard]] LiveCounts& operator[](std::uint32_t group) noexcept {
        return entries_[group].counts;
    }
    /// Of a group that nobody is in: nothing.
    [[nodiscard]] LiveCounts find(std::string_view name) const;

private:
    struct Entry {
        std::string name;
        LiveCounts counts;
    };
    std::deque<Entry> entries_;  // names are keys below: entries never move
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_map<std::string_view, std::uint32_t> by_name_;
};

/// The generators that live tasks came from. Few tasks have one: its functions stay out of the way
/// of all others.
class GeneratorTable {
public:
    /// Counts one more pending task.
    void enter(ExtensionNumber generator);
    void move(ExtensionNumber generator, wire::TaskState from, wire::TaskState to);
    void leave(ExtensionNumber generator, wire::TaskState last);
    [[nodiscard]] LiveCounts find(ExtensionNumber generator) const;

private:
    boost::unordered_flat_map<ExtensionNumber, LiveCounts> of_;
};

}  // namespace distributo::coordinator::core
