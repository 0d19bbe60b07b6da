#include "coordinator/extensions/sink.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::extensions {

namespace {

/// Outcomes of one page.
constexpr std::size_t largest_page = 512;
/// What a sink has written and not stored for good is flushed after that time at the latest.
constexpr base::Duration longest_in_buffer = std::chrono::seconds(1);
/// No outcome has such a number: a question for what comes after it says only which is the newest.
constexpr std::uint64_t beyond_all = ~std::uint64_t{0} >> 1U;

}  // namespace

Sink::Sink(const Surroundings& around,
           Definition definition,
           core::ExtensionRecord record,
           core::Cursor cursor)
    : Instance(around, std::move(definition), std::move(record), std::move(cursor)),
      next_(cursor_) {}

void Sink::opened(std::uint64_t last_stored) {
    if (last_stored != 0)
        next_.sequence = last_stored;
    read_to_ = written_to_ = next_.sequence;
    positioned_ = next_.sequence != 0 || !definition_.from_newest;
}

void Sink::closed() {
    ++epoch_;
    page_.reset();
    views_.reset();
    written_ = 0;
    in_buffer_ = 0;
    flushing_ = reading_ = false;
    committed_at_ = {};
    commit();
}

void Sink::moved() {
    next_ = cursor_;
}

State Sink::state_when_open() const {
    return busy() || page_ || in_buffer_ != 0 ? State::running : State::idle;
}

void Sink::fill(Status& status) const {
    const auto newest = std::max(newest_, around_.newest);
    status.lag = newest - std::min(newest, cursor_.sequence);
    status.missed = missed_;
}

// ---- what comes next -------------------------------------------------------------------------

void Sink::go() {
    if (!positioned_)
        return begin_at_newest();
    const auto now = around_.clock.now();
    const bool overdue = in_buffer_ != 0 && buffered_since_ + longest_in_buffer <= now;
    if (overdue || (in_buffer_ != 0 && !page_ && reading_)) {
        flushing_ = true;
        return begin().flush();
    }
    if (page_)
        return write_page();
    commit();
    read();
    if (in_buffer_ != 0)
        tend_soon();
}

void Sink::begin_at_newest() {
    if (std::exchange(reading_, true))
        return;
    store::ResultsQuery query;
    query.after = beyond_all;
    query.limit = 1;
    around_.engine.results(
        query,
        base::Duration::zero(),
        [this, epoch = epoch_, alive = alive_](base::Result<store::ResultsPage> page) {
            if (!*alive || epoch != epoch_)
                return;
            reading_ = false;
            if (!page)
                return tend_after(around_.options.pace.retry_first);
            positioned_ = true;
            read_to_ = written_to_ = page->newest;
            stored_to(page->newest);
            tend();
        });
}

void Sink::read() {
    if (std::exchange(reading_, true))
        return;
    store::ResultsQuery query;
    query.after = read_to_;
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
            arrived(std::move(*page));
        });
}

void Sink::arrived(store::ResultsPage page) {
    newest_ = page.newest;
    if (read_to_ > page.newest)
        return give_up("it has outcome " + std::to_string(read_to_) +
                       ", but this coordinator has recorded " + std::to_string(page.newest) +
                       " only: what it stores belongs to another coordinator");
    if (read_to_ + 1 < page.oldest)
        missed_ += page.oldest - read_to_ - 1;
    read_to_ = page.next_after;
    page_limit_ = next_page(page.tasks.size(), bytes_of(page.tasks), largest_page);
    page_ = std::move(page);
    views_.emplace();
    written_ = 0;
    for (const auto& task : page_->tasks) {
        const auto generator =
            task.task.generator == 0 ? std::string() : around_.generator_name(task.task.generator);
        if (wants(definition_.filter, task, generator))
            views_->add(task, around_.generator_name);
    }
    tend_soon();
}

void Sink::write_page() {
    const auto& all = views_->all();
    if (written_ < all.size()) {
        const auto part = one_call(std::span(all).subspan(written_));
        writing_ = part.size();
        return begin().write(part);
    }
    written_to_ = page_->next_after;
    page_.reset();
    views_.reset();
    if (in_buffer_ == 0)
        stored_to(written_to_);
    go();
}

// ---- what is stored --------------------------------------------------------------------------

void Sink::on_written(runtime::ExtensionWritten result) {
    using Ended = runtime::ExtensionAnswer::Status;
    const bool fine = result.answer.status == Ended::ok;
    if (std::exchange(flushing_, false)) {
        if (!end(result.answer, true))  // what it had in its buffer comes again
            return;
        flushed();
        return tend();
    }
    const auto& all = views_->all();
    const auto given = writing_;
    const auto stored = std::min<std::size_t>(result.stored, given);
    if (stored != 0) {
        next_.outcomes += in_buffer_ + stored;
        rate_.count(in_buffer_ + stored, around_.clock.now());
        in_buffer_ = 0;
        stored_to(all[written_ + stored - 1].sequence);
    }
    if (!fine) {
        written_ += stored;
        // A part of an earlier write may be lost: everything behind what is stored comes again.
        static_cast<void>(end(result.answer, in_buffer_ != 0));
        return;
    }
    if (given != stored) {
        if (in_buffer_ == 0)
            buffered_since_ = around_.clock.now();
        in_buffer_ += given - stored;
    }
    written_ += given;
    if (end(result.answer, false))
        tend();
}

void Sink::flushed() {
    next_.outcomes += in_buffer_;
    rate_.count(in_buffer_, around_.clock.now());
    in_buffer_ = 0;
    const bool within_page = views_ && written_ != 0;
    stored_to(within_page ? views_->all()[written_ - 1].sequence : written_to_);
}

void Sink::stored_to(std::uint64_t sequence) {
    next_.sequence = std::max(next_.sequence, sequence);
    commit();
}

void Sink::commit() {
    if (committing_ || next_.sequence == cursor_.sequence)
        return;
    const auto now = around_.clock.now();
    const auto due = committed_at_ + around_.options.pace.cursor;
    if (due > now)
        return tend_after(due - now);
    committing_ = true;
    committed_at_ = now;
    around_.engine.keep_cursor(next_,
                               [this, cursor = next_, alive = alive_](base::Result<void> kept) {
                                   if (*alive)
                                       committed(kept, cursor);
                               });
}

void Sink::committed(const base::Result<void>& kept, const core::Cursor& cursor) {
    committing_ = false;
    if (!kept)
        return;
    cursor_ = cursor;
    around_.needs_changed();
    commit();
}

}  // namespace distributo::coordinator::extensions
