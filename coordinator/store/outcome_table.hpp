#pragma once

#include "base/bytes.hpp"
#include "coordinator/core/task.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace distributo::coordinator::store {

/// Recorded ends in order of recording: sequence 1, 2, 3 … Compact: names of hosts and versions are
/// shared, and what most outcomes lack takes no allocation.
class OutcomeTable {
public:
    /// Returns the outcome's sequence number.
    std::uint64_t append(const core::Outcome& outcome);
    /// 0 when this sequence was withdrawn or dropped.
    [[nodiscard]] core::TaskId task(std::uint64_t sequence) const;
    [[nodiscard]] wire::TaskState state(std::uint64_t sequence) const;
    [[nodiscard]] std::string_view host(std::uint64_t sequence) const;
    [[nodiscard]] base::WallTime finished(std::uint64_t sequence) const;
    /// `sequence` must be one that has a task.
    [[nodiscard]] core::Outcome get(std::uint64_t sequence) const;
    void withdraw(std::uint64_t sequence);

    /// Outcomes that were neither withdrawn nor dropped.
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t oldest() const noexcept { return first_; }
    [[nodiscard]] std::uint64_t newest() const noexcept { return first_ + rows_.size() - 1; }

private:
    struct Row {
        core::TaskId id = 0;
        base::Bytes result;
        base::Bytes host;
        base::Bytes host_id;
        base::Bytes version;
        base::Bytes message;
        base::WallTime started;
        base::WallTime finished;
        wire::PhaseTimes times;
        std::uint32_t attempt = 0;
        wire::TaskState state = wire::TaskState::completed;
        wire::FailReason reason = wire::FailReason::none;
        wire::AttemptStatus status = wire::AttemptStatus::ok;
        core::Charge charge = core::Charge::none;
        bool excludes_host = false;
    };
    [[nodiscard]] const Row* row(std::uint64_t sequence) const;
    /// The last shared text is looked at first, since most outcomes of a batch are alike.
    [[nodiscard]] base::Bytes shared(const std::string& text, base::Bytes& last);

    std::deque<Row> rows_;
    std::uint64_t first_ = 1;  // sequence of rows_.front()
    std::size_t count_ = 0;
    std::unordered_map<std::string, base::Bytes> names_;
    base::Bytes last_host_;
    base::Bytes last_host_id_;
    base::Bytes last_version_;
};

}  // namespace distributo::coordinator::store
