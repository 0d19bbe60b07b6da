#pragma once

#include "bed.hpp"
#include "coordinator/store/history.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace distributo::coordinator::core {

/// What outlives a boot: as much of what a Bed did as it has recorded.
class Disk {
public:
    explicit Disk(Settings settings = {}) : settings_(std::move(settings)) {}

    /// Ends the boot without a warning, and begins the next one.
    Bed& reboot(base::Duration down = 0s) {
        if (bed_)
            save();
        auto next = std::make_unique<Bed>(settings_, ++term_);
        if (bed_) {
            next->now = bed_->now + down;
            next->wall = bed_->wall + std::chrono::duration_cast<std::chrono::milliseconds>(down);
            next->last_id = bed_->last_id;
        }
        gone_.push_back(std::move(bed_));  // names of types point into it
        bed_ = std::move(next);
        std::vector<HostRecord> records;
        for (const auto& [id, record] : hosts_)
            records.push_back(record);
        bed_->scheduler.await_hosts(
            std::move(records), bed_->now + settings_.return_grace, bed_->now, bed_->wall);
        for (auto& [id, row] : rows_)
            if (!row.ended)
                bed_->scheduler.recover(recovered(row), bed_->now, bed_->wall);
        bed_->collect();
        return *bed_;
    }
    [[nodiscard]] Bed& bed() { return *bed_; }
    /// What is known of a task's past now.
    [[nodiscard]] TaskHistory history(TaskId id) {
        save();
        return fold(rows_.at(id));
    }
    [[nodiscard]] const std::map<std::string, HostRecord>& hosts() {
        save();
        return hosts_;
    }

private:
    struct Row {
        NewTask task;
        std::map<std::uint32_t, Attempt> attempts;
        std::vector<Control> controls;
        std::int64_t lead = 0;  // highest of number - term over all records
        bool ended = false;
    };

    void save() {
        for (TaskId id = saved_ + 1; id <= bed_->last_id; ++id) {
            auto& row = rows_[id];
            row.task = bed_->submitted.at(id);
            row.lead = -std::int64_t{term_};
        }
        saved_ = bed_->last_id;
        for (std::size_t i = 0; i < bed_->attempts_recorded; ++i)
            keep(bed_->failed_attempts[i].id, bed_->failed_attempts[i].attempt);
        for (const auto& outcome : bed_->outcomes)
            if (bed_->recorded.contains(outcome.id) && !rows_[outcome.id].ended) {
                keep(outcome.id, outcome.attempt);
                rows_[outcome.id].ended = true;
            }
        for (std::size_t i = 0; i < bed_->controls_recorded; ++i)
            rows_[bed_->controls[i].id].controls.push_back(bed_->controls[i]);
        for (std::size_t i = 0; i < bed_->hosts_recorded; ++i) {
            const auto& record = bed_->host_changes[i].record;
            hosts_[record.host_id] = record;
        }
        bed_->controls.erase(
            bed_->controls.begin(),
            bed_->controls.begin() + static_cast<std::ptrdiff_t>(bed_->controls_recorded));
        bed_->controls_recorded = 0;
    }
    void keep(TaskId id, const Attempt& attempt) {
        auto& row = rows_[id];
        row.attempts[attempt.number] = attempt;
        row.lead = std::max(row.lead, std::int64_t{attempt.number} - std::int64_t{term_});
    }
    static TaskHistory fold(const Row& row) {
        std::vector<Attempt> attempts;
        for (const auto& [number, attempt] : row.attempts)
            attempts.push_back(attempt);
        return store::fold_history(attempts, row.controls);
    }
    [[nodiscard]] RecoveredTask recovered(const Row& row) const {
        RecoveredTask task{row.task, nullptr};
        task.task.attempts_before = static_cast<std::uint32_t>(row.lead + term_);
        if (!row.attempts.empty() || !row.controls.empty())
            task.history = std::make_unique<TaskHistory>(fold(row));
        return task;
    }

    Settings settings_;
    std::uint32_t term_ = 0;
    TaskId saved_ = 0;
    std::map<TaskId, Row> rows_;
    std::map<std::string, HostRecord> hosts_;
    std::unique_ptr<Bed> bed_;
    std::vector<std::unique_ptr<Bed>> gone_;
};

}  // namespace distributo::coordinator::core
