#include "runtime/executor_impl.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace distributo::runtime {
namespace {

using std::chrono::steady_clock;

/// Longer than any limit, and far from overflow when it is added to a time.
constexpr base::Duration no_limit = base::Duration(std::int64_t{1} << 61U);

/// As long as the limits of all of them together; none when one of them has none.
base::Duration common_limit(const std::vector<Work>& batch) {
    base::Duration all{};
    for (const auto& work : batch) {
        if (work.timeout <= base::Duration::zero())
            return no_limit;
        all = std::min(all + work.timeout, no_limit);
    }
    return all;
}

}  // namespace

// ---- what goes into units --------------------------------------------------------------------

bool Executor::uses_unit(const Work& work) const {
    return work.kind == WorkKind::execute && plugin_->info().types[work.type].async;
}

bool Executor::is_batched(const Work& work) const {
    return work.kind == WorkKind::execute && plugin_->info().types[work.type].max_batch > 1;
}

/// May `next` be taken by the same thread in the same go?
bool Executor::may_join(const Worker& worker, const Work& first, const Work& next) const {
    if (worker.together)
        return is_batched(next) && next.type == first.type;
    if (worker.per_call)
        return uses_unit(next) && next.type == first.type && is_short(next);
    return !uses_unit(next) && !is_batched(next) && is_short(next);
}

std::size_t Executor::units_left() const {
    return free_units_.size() + std::min<std::size_t>(most_units - units_.size(), room_for_units());
}

/// Slots beyond those of threads.
std::size_t Executor::room_for_units() const {
    const std::size_t threads = thread_slots(options_) - workers_.size();
    return slots_.left() > threads ? slots_.left() - threads : 0;
}

void Executor::take_units(Worker& worker, std::size_t gate) {
    worker.units.clear();
    for (std::size_t i = 0; i < worker.batch.size(); ++i) {
        if (free_units_.empty()) {
            units_.push_back(std::make_unique<Unit>(*this, slots_.take()));
            free_units_.push_back(units_.back().get());
        }
        Unit* const unit = free_units_.back();
        free_units_.pop_back();
        unit->gate = gate;
        unit->worker = &worker;
        worker.units.push_back(unit);
    }
}

/// Those whose calls have ended, or were taken back before they began.
void Executor::give_back_units(Worker& worker) {
    for (Unit* const unit : worker.units)
        if (unit)
            free_units_.push_back(unit);
    worker.units.clear();
    const auto ended = std::exchange(worker.ended_here, 0);
    gates_[worker.gate].running -= worker.per_call ? ended : 0;
}

// ---- running ---------------------------------------------------------------------------------

void Executor::run_in_unit(Worker& worker, std::uint32_t at, base::TimePoint& now) {
    Unit& unit = *worker.units[at];
    unit.work = std::move(worker.batch[at]);
    unit.started = now;
    const CallId id = unit.work.id;
    const std::uint32_t type = unit.work.type;
    unit.slot.begin(id, now);
    worker.inside.store(&unit.slot, std::memory_order_release);
    const auto status = plugin_->enter(unit.context, unit.work, unit.request, now);
    worker.inside.store(&worker.slot, std::memory_order_release);
    returned(worker, id, type, now);
    end_unit(worker, at, status);
}

void Executor::run_together(Worker& worker, base::TimePoint now) {
    const std::size_t count = worker.batch.size();
    const base::Duration limit = common_limit(worker.batch);
    std::vector<BatchCall> calls(count);
    const CallId first = worker.batch.front().id;
    const std::uint32_t type = worker.batch.front().type;
    for (std::size_t i = 0; i < count; ++i) {
        Unit& unit = *worker.units[i];
        unit.work = std::move(worker.batch[i]);
        unit.started = now;
        unit.slot.begin(unit.work.id, now, limit - unit.work.timeout);
        calls[i] = {.context = &unit.context, .work = &unit.work, .request = &unit.request};
    }
    worker.inside.store(&worker.units.front()->slot, std::memory_order_release);
    plugin_->enter_batch(calls, limit == no_limit ? base::TimePoint::max() : now + limit);
    worker.inside.store(&worker.slot, std::memory_order_release);
    returned(worker, first, type, now);
    for (std::size_t i = 0; i < count; ++i)
        end_unit(worker, i, calls[i].status);
}

/// The plugin has returned this status for the call in the unit.
void Executor::end_unit(Worker& worker, std::size_t at, dto_status status) {
    // Once it is pending it may end, and be taken for another call, at any moment.
    Unit* const unit = std::exchange(worker.units[at], nullptr);
    CallResult result;
    if (!unit->context.end(status, result))
        return;
    const auto now = steady_clock::now();
    result.elapsed_us = (now - unit->started).count() / 1000;
    unit->slot.end();
    unit->work = {};
    worker.units[at] = unit;
    ++worker.ended_here;
    hand_back(worker, std::move(result), now);
}

/// Mostly on a thread of the plugin, inside complete().
void Executor::pending_ended(Unit& unit, CallResult&& result) {
    result.elapsed_us = (steady_clock::now() - unit.started).count() / 1000;
    unit.slot.end();
    unit.work = {};
    output_->result(std::move(result));
    // Before the executor may go: it waits for its units.
    output_->flush();
    const std::lock_guard lock(mutex_);
    free_units_.push_back(&unit);
    --gates_[unit.gate].running;
    if (stopping_)
        wake_.notify_all();
    else if (idle_ > 0 && claimable())
        wake_.notify_one();
}

}  // namespace distributo::runtime
