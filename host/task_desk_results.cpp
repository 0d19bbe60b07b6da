#include "base/log.hpp"
#include "host/task_desk.hpp"
#include "wire/limits.hpp"

namespace distributo::host {
namespace {

namespace log = base::log;

/// Results may wait this long for others, so that few of them do not sync the disk all the time.
constexpr base::Duration gather_time = std::chrono::milliseconds(1);

}  // namespace

// ---- to the spool and back -------------------------------------------------------------------

/// Hands to the spool what has ended; while it writes, the next ones gather.
void TaskDesk::keep_results() {
    for (const auto& [file, count] : outbox_.take_released())
        spool_.release(file, count);
    if (outbox_.unsealed() == 0)
        return;
    if (!spool_.ready()) {
        if (!spool_.busy())
            outbox_.do_without_spool();
        return;
    }
    const auto now = clock_.now();
    if (now >= gather_until_ || outbox_.unsealed() >= wire::limits::batch_entries) {
        gather_until_ = now + gather_time;
        return spool_results();
    }
    if (std::exchange(gathering_, true))
        return;
    gather_timer_.expires_at(gather_until_);
    gather_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive)
            return;
        gathering_ = false;
        wake();
    });
}

void TaskDesk::spool_results() {
    std::vector<SealedResults> batch;
    while (outbox_.unsealed() != 0) {
        batch.push_back(outbox_.seal());
        batch.back().record.coordinator_id = coordinator_id_;
    }
    spool_.write(std::move(batch),
                 [this](auto written, auto file) { on_spooled(std::move(written), file); });
}

/// What was written leaves as it is, when it is its turn.
void TaskDesk::on_spooled(std::vector<SealedResults> batch, std::uint64_t file) {
    for (auto& sealed : batch) {
        outbox_.kept(sealed, file);
        if (!may_send() || !outbox_.leaves_now(sealed))
            continue;
        send_telemetry();  // a task's output arrives before its end
        link_->send(std::move(sealed.record.message));
    }
    wake();
}

void TaskDesk::restore_results() {
    if (coordinator_id_.empty())
        return;
    for (auto& [outcome, file] : spool_.take(coordinator_id_))
        outbox_.restore(std::move(outcome), file);
    if (!outbox_.empty())
        log::info("spool.found", {{"results", outbox_.size()}, {"coordinator", coordinator_id_}});
}

// ---- whose the tasks are ---------------------------------------------------------------------

/// Another coordinator than the one that hello was meant for. What is under way for the earlier one
/// ends, because nobody here wants it; its results stay in the spool, in case it comes back.
/// False: there are results for this one, and hello has to list them.
bool TaskDesk::join(const std::string& coordinator_id) {
    if (!coordinator_id_.empty())
        log::warn("coordinator.changed",
                  {{"from", coordinator_id_},
                   {"to", coordinator_id},
                   {"tasks_ended", machine_.claims().size()},
                   {outbox_.keeps_first() ? "results_kept" : "results_lost", outbox_.size()}});
    if (outbox_.unsealed() != 0)
        spool_results();
    machine_.disown_all(turn_time_);
    outbox_.clear();
    coordinator_id_ = coordinator_id;
    restore_results();
    return outbox_.empty();
}

}  // namespace distributo::host
