#pragma once

#include "base/clock.hpp"
#include "coordinator/core/task.hpp"
#include "coordinator/engine/engine.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace distributo::coordinator::engine {

/// What tasks printed, in bounded memory. Of each attempt the beginning and the end are kept, with
/// a marker for what was left out between them; of all attempts those that wrote last.
class LogBook {
public:
    struct Limits {
        std::size_t head = 32 * 1024;               ///< bytes of an attempt, from its beginning
        std::size_t tail = 32 * 1024;               ///< and from its end
        std::size_t total = 64 * 1024 * 1024;       ///< of all attempts
        std::size_t bytes_per_second = 256 * 1024;  ///< of one attempt; the same as burst
    };

    LogBook() : LogBook(Limits{}) {}
    explicit LogBook(const Limits& limits) : limits_(limits) {}

    void append(TaskId task,
                std::uint32_t attempt,
                std::string_view stream,
                std::string_view text,
                base::TimePoint now,
                base::WallTime wall);
    [[nodiscard]] std::vector<LogLine> lines(TaskId task) const;
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    struct Attempt {
        TaskId task = 0;
        std::uint32_t number = 0;
        std::vector<LogLine> head;
        std::deque<LogLine> tail;
        std::size_t head_bytes = 0;
        std::size_t tail_bytes = 0;
        std::uint64_t left_out = 0;  // bytes between head and tail
        double allowance = 0;        // bytes that may still come now
        base::TimePoint counted;     // when `allowance` was right
    };
    using Attempts = std::list<Attempt>;  // the one that wrote last stands last

    Attempt& attempt(TaskId task, std::uint32_t number, base::TimePoint now);
    void keep(Attempt& attempt, LogLine line);
    [[nodiscard]] bool allowed(Attempt& attempt, std::size_t size, base::TimePoint now) const;
    void drop_oldest();
    static std::size_t cost(const LogLine& line) noexcept;

    Limits limits_;
    Attempts attempts_;
    std::unordered_map<TaskId, std::map<std::uint32_t, Attempts::iterator>> by_task_;
    std::size_t bytes_ = 0;
};

}  // namespace distributo::coordinator::engine
