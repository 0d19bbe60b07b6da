#include "coordinator/engine/log_book.hpp"

#include <algorithm>
#include <chrono>

namespace distributo::coordinator::engine {

std::size_t LogBook::cost(const LogLine& line) noexcept {
    return sizeof(LogLine) + line.text.size();
}

LogBook::Attempt& LogBook::attempt(TaskId task, std::uint32_t number, base::TimePoint now) {
    auto [place, added] = by_task_[task].try_emplace(number);
    if (added) {
        Attempt fresh;
        fresh.task = task;
        fresh.number = number;
        fresh.allowance = static_cast<double>(limits_.bytes_per_second);
        fresh.counted = now;
        place->second = attempts_.insert(attempts_.end(), std::move(fresh));
        bytes_ += sizeof(Attempt);
    } else {
        attempts_.splice(attempts_.end(), attempts_, place->second);
    }
    return *place->second;
}

bool LogBook::allowed(Attempt& attempt, std::size_t size, base::TimePoint now) const {
    const auto burst = static_cast<double>(limits_.bytes_per_second);
    const auto passed = std::chrono::duration<double>(now - attempt.counted).count();
    attempt.allowance = std::min(burst, attempt.allowance + passed * burst);
    attempt.counted = now;
    if (attempt.allowance < static_cast<double>(size))
        return false;
    attempt.allowance -= static_cast<double>(size);
    return true;
}

void LogBook::append(TaskId task,
                     std::uint32_t number,
                     std::string_view stream,
                     std::string_view text,
                     base::TimePoint now,
                     base::WallTime wall) {
    Attempt& to = attempt(task, number, now);
    if (!allowed(to, text.size(), now)) {
        // What follows a hole belongs to the tail, so that the marker stands where bytes are
        // missing.
        to.head_bytes = limits_.head;
        for (const auto& line : to.tail) {
            to.left_out += line.text.size();
            bytes_ -= cost(line);
        }
        to.tail.clear();
        to.tail_bytes = 0;
        to.left_out += text.size();
        return;
    }
    keep(to, {number, std::string(stream), std::string(text), wall});
    while (bytes_ > limits_.total && attempts_.size() > 1)
        drop_oldest();
}

void LogBook::keep(Attempt& to, LogLine line) {
    const auto size = cost(line);
    bytes_ += size;
    if (to.head_bytes + size <= limits_.head) {
        to.head_bytes += size;
        to.head.push_back(std::move(line));
        return;
    }
    to.head_bytes = limits_.head;
    to.tail_bytes += size;
    to.tail.push_back(std::move(line));
    while (to.tail_bytes > limits_.tail && to.tail.size() > 1) {
        const auto& oldest = to.tail.front();
        to.left_out += oldest.text.size();
        to.tail_bytes -= cost(oldest);
        bytes_ -= cost(oldest);
        to.tail.pop_front();
    }
    if (to.tail_bytes <= limits_.tail)
        return;
    // One piece alone is too long: its end is what counts.
    auto& last = to.tail.front();
    const auto surplus = std::min(to.tail_bytes - limits_.tail, last.text.size());
    last.text.erase(0, surplus);
    to.left_out += surplus;
    to.tail_bytes -= surplus;
    bytes_ -= surplus;
}

void LogBook::drop_oldest() {
    const Attempt& oldest = attempts_.front();
    for (const auto& line : oldest.head)
        bytes_ -= cost(line);
    for (const auto& line : oldest.tail)
        bytes_ -= cost(line);
    bytes_ -= sizeof(Attempt);
    const auto task = by_task_.find(oldest.task);
    task->second.erase(oldest.number);
    if (task->second.empty())
        by_task_.erase(task);
    attempts_.pop_front();
}

std::vector<LogLine> LogBook::lines(TaskId task) const {
    std::vector<LogLine> all;
    const auto found = by_task_.find(task);
    if (found == by_task_.end())
        return all;
    for (const auto& [number, place] : found->second) {
        all.insert(all.end(), place->head.begin(), place->head.end());
        if (place->left_out != 0)
            all.push_back({number,
                           "distributo",
                           "… " + std::to_string(place->left_out) + " bytes left out …",
                           place->tail.empty() ? base::WallTime{} : place->tail.front().when});
        all.insert(all.end(), place->tail.begin(), place->tail.end());
    }
    return all;
}

}  // namespace distributo::coordinator::engine
