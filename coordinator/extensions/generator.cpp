#include "coordinator/extensions/generator.hpp"

#include "base/log.hpp"
#include "coordinator/extensions/views.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::extensions {

namespace {

/// Outcomes that are read at once.
constexpr std::size_t most_results = 256;
/// A generator that follows its results must be able to, also when enough of its tasks wait.
constexpr std::uint64_t least_room_for_results = 1024;
/// Outcomes of others that are passed before the cursor is stored for their sake.
constexpr std::uint64_t longest_skip = 10'000;

}  // namespace

Generator::Generator(const Surroundings& around,
                     Definition definition,
                     core::ExtensionRecord record,
                     core::Cursor cursor)
    : Instance(around, std::move(definition), std::move(record), std::move(cursor)),
      next_(cursor_) {}

std::uint64_t Generator::needed_after() const {
    // Before its plugin was opened once, what it did in an earlier boot says whether it wants any.
    const bool wants = takes_results_ || cursor_.sequence != 0;
    return wants ? cursor_.sequence : ~std::uint64_t{0};
}

void Generator::opened(std::uint64_t) {
    const auto* const library =
        around_.libraries.find(ExtensionKind::generator, definition_.plugin);
    const bool takes = library && library->module.generator->takes_results;
    if (std::exchange(takes_results_, takes) != takes)
        around_.needs_changed();
    idle_time_ = {};
    idle_until_ = {};
}

/// What was answered still becomes durable; everything else is asked for again.
void Generator::closed() {
    ++epoch_;
    page_.reset();
    delivered_ = delivering_ = 0;
    reading_ = false;
}

void Generator::moved() {
    held_.reset();
    held_tasks_ = 0;
    next_ = cursor_;
}

bool Generator::settled() {
    if (held_ && !feeding_)
        feed();
    return !held_;
}

bool Generator::over() const {
    const bool enough = definition_.max_tasks != 0 && cursor_.tasks >= definition_.max_tasks;
    return (cursor_.ended || enough) && !takes_results_;
}

State Generator::state_when_open() const {
    if (throttled_)
        return State::throttled;
    if (cursor_.ended)
        return State::ended;
    return idle_time_ > base::Duration::zero() ? State::idle : State::running;
}

void Generator::fill(Status& status) const {
    status.load = around_.engine.load_of(record_.number);
    status.faulty = faulty_;
}

// ---- what it is asked ------------------------------------------------------------------------

void Generator::go() {
    throttled_ = false;
    if (takes_results_ && deliver_results())
        return;
    ask_for_more();
}

std::uint64_t Generator::room_left() const {
    const auto waiting = around_.engine.load_of(record_.number).waiting + held_tasks_;
    auto room = definition_.high_water - std::min<std::uint64_t>(waiting, definition_.high_water);
    if (definition_.max_tasks != 0)
        room = std::min(room, definition_.max_tasks - std::min(definition_.max_tasks, next_.tasks));
    return std::min<std::uint64_t>(room, engine::max_feed);
}

std::uint64_t Generator::allowed_by_rate() {
    if (definition_.max_rate <= 0)
        return ~std::uint64_t{0};
    const auto now = around_.clock.now();
    const double most = std::max(1.0, definition_.max_rate);  // at once
    const std::chrono::duration<double> passed = now - tokens_at_;
    tokens_ = tokens_at_ == base::TimePoint()
                  ? most
                  : std::min(most, tokens_ + passed.count() * definition_.max_rate);
    tokens_at_ = now;
    return static_cast<std::uint64_t>(tokens_);
}

void Generator::ask_for_more() {
    const bool enough = definition_.max_tasks != 0 && next_.tasks >= definition_.max_tasks;
    if (next_.ended || enough)
        return;
    const auto now = around_.clock.now();
    if (idle_until_ > now)
        return tend_after(idle_until_ - now);
    const auto waiting = around_.engine.load_of(record_.number).waiting + held_tasks_;
    if (waiting >= definition_.low_water) {
        throttled_ = true;
        return around_.engine.when_waiting_below(
            record_.number, definition_.low_water, [this, alive = alive_] {
                if (*alive)
                    tend();
            });
    }
    const auto allowed = allowed_by_rate();
    if (allowed == 0) {
        throttled_ = true;
        const std::chrono::duration<double> wait((1 - tokens_) / definition_.max_rate);
        return tend_after(std::chrono::duration_cast<base::Duration>(wait) +
                          std::chrono::milliseconds(1));
    }
    begin().next(static_cast<std::uint32_t>(std::min(room_left(), allowed)));
}

void Generator::run_now() {
    idle_time_ = {};
    idle_until_ = {};
    Instance::run_now();
}

// ---- what it answers -------------------------------------------------------------------------

void Generator::on_batch(runtime::ExtensionBatch batch) {
    using Ended = runtime::ExtensionAnswer::Status;
    const auto& pace = around_.options.pace;
    const auto answer = batch.answer;
    const bool was_delivery = delivering_ != 0;
    if (batch.count != 0 || batch.checkpoint || batch.acknowledged != 0 ||
        answer.status == Ended::end)
        take(std::move(batch));
    delivering_ = 0;
    if (!end(answer, true))
        return;
    if (answer.status == Ended::idle && !was_delivery) {
        idle_time_ = idle_time_ == base::Duration::zero()
                         ? pace.idle_first
                         : std::min(pace.idle_last, idle_time_ * 2);
        idle_until_ = around_.clock.now() + idle_time_;
    } else if (answer.status == Ended::ok) {
        idle_time_ = {};
        idle_until_ = {};
    }
    tend();
}

void Generator::take(runtime::ExtensionBatch batch) {
    if (batch.checkpoint)
        next_.checkpoint = std::move(*batch.checkpoint);
    next_.tasks += batch.count;
    tokens_ -= batch.count;
    if (batch.answer.status == runtime::ExtensionAnswer::Status::end)
        next_.ended = true;
    if (batch.acknowledged != 0 && page_) {
        delivered_ += batch.acknowledged;
        next_.outcomes += batch.acknowledged;
        const bool all = delivered_ >= page_->tasks.size();
        next_.sequence = all ? page_->next_after : page_->tasks[delivered_ - 1].sequence;
        if (all) {
            page_.reset();
            delivered_ = 0;
        }
    }
    held_ = engine::Feed{std::move(batch.emitted), definition_.group, next_};
    held_tasks_ = batch.count;
    feed();
}

// ---- what becomes durable --------------------------------------------------------------------

void Generator::feed() {
    feeding_ = true;
    around_.engine.feed(*held_, [this, alive = alive_](base::Result<engine::Fed> result) {
        if (*alive)
            fed(std::move(result));
    });
}

void Generator::fed(base::Result<engine::Fed> result) {
    feeding_ = false;
    if (!result) {
        // The same again: dropping it would lose what it has passed already.
        if (result.error().code != base::Errc::unavailable)
            tend_after(around_.options.pace.refused);
        return;
    }
    cursor_ = held_->cursor;
    rate_.count(held_tasks_, around_.clock.now());
    next_.duplicates += result->duplicates;
    faulty_ += result->faulty;
    if (!result->fault.empty())
        base::log::warn(
            "extension.faulty_task",
            {{"kind", "generator"}, {"name", definition_.name}, {"why", result->fault}});
    held_.reset();
    held_tasks_ = 0;
    if (takes_results_)
        around_.needs_changed();
    tend();
}

// ---- outcomes of its tasks -------------------------------------------------------------------

/// True: a call is open, or will be when the store has answered.
bool Generator::deliver_results() {
    if (!page_) {
        read_results();
        return false;
    }
    OutcomeViews views;
    for (std::size_t i = delivered_; i < page_->tasks.size(); ++i)
        views.add(page_->tasks[i], around_.generator_name);
    const auto part = one_call(views.all());
    delivering_ = part.size();
    begin().deliver(part,
                    static_cast<std::uint32_t>(std::max(room_left(), least_room_for_results)));
    return true;
}

void Generator::read_results() {
    if (std::exchange(reading_, true))
        return;
    store::ResultsQuery query;
    query.after = next_.sequence;
    query.generator = record_.number;
    query.limit = page_limit_;
    around_.engine.results(
        query,
        longest_results_wait,
        [this, epoch = epoch_, alive = alive_](base::Result<store::ResultsPage> page) {
            if (!*alive || epoch != epoch_)
                return;
            reading_ = false;
            if (!page)
                return tend_after(around_.options.pace.retry_first);
            if (!page->tasks.empty()) {
                page_limit_ = next_page(page->tasks.size(), bytes_of(page->tasks), most_results);
                page_ = std::move(*page);
            } else {
                next_.sequence = page->next_after;
                if (next_.sequence > cursor_.sequence + longest_skip && !held_)
                    held_ = engine::Feed{{}, {}, next_};
            }
            tend_soon();
        });
}

}  // namespace distributo::coordinator::extensions
