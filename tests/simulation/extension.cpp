#include "tests/simulation/extension.hpp"

#include <algorithm>
#include <utility>

namespace distributo::simulation {

using namespace std::chrono_literals;

namespace {

/// A generator looks for outcomes, and a sink asks again, that often.
constexpr base::Duration plugin_pause = 400ms;

}  // namespace

void Extension::coordinator_started(engine::Engine& engine) {
    cursor_ = {};
    for (const auto& extension : engine.known_extensions())
        if (extension.name == name_)
            cursor_.extension = extension.number;
    for (const auto& cursor : engine.known_cursors())
        if (cursor.extension == cursor_.extension)
            cursor_ = cursor;
    if (cursor_.extension != 0)
        return begin(engine);
    later(random_.between(1ms, 3s), [this](engine::Engine& now) { make(now); });
}

void Extension::make(engine::Engine& engine) {
    core::ExtensionRecord record;
    record.kind = kind_;
    record.name = name_;
    engine.keep_extension(record, [this, &engine](base::Result<core::ExtensionNumber> number) {
        if (!number)
            return;
        oracle_.extension_answered(*number);
        cursor_.extension = *number;
        begin(engine);
    });
}

void Extension::later(base::Duration delay, Step step) {
    time_.in(delay, [this, boot = coordinator_.boots(), step = std::move(step)] {
        if (coordinator_.boots() == boot)
            coordinator_.request(step);
    });
}

// ---- generators ----

void Generator::begin(engine::Engine& engine) {
    feeding_ = false;
    place_ = place_of(cursor_);
    next(engine);
    if (plan_.takes_results)
        look_at_results(engine);
}

std::string Generator::task(const std::string& payload) const {
    std::string text =
        R"({"type":")" + std::string(type_names[plan_.type]) + R"(","payload":)" + payload;
    if (plan_.overlaps)
        text += R"(,"dedupe_key":"task )" + payload + '"';
    return text + '}';
}

std::uint32_t Generator::number_of(std::string_view payload) const {
    std::uint32_t n = 0;
    while (n < plan_.tasks && payload != generated_payload(number_, n))
        ++n;
    return n;
}

void Generator::next(engine::Engine& engine) {
    if (feeding_ || cursor_.ended)
        return;
    if (engine.load_of(cursor_.extension).waiting >= plan_.low_water)
        return engine.when_waiting_below(
            cursor_.extension, plan_.low_water, [this, &engine] { next(engine); });
    const auto end = std::min(place_ + plan_.most, plan_.tasks);
    engine::Feed made;
    // Who is not sure whether the last one was stored makes it again.
    for (auto n = place_ - (plan_.overlaps && place_ > 0 ? 1 : 0); n < end; ++n)
        made.tasks += (made.tasks.empty() ? '[' : ',') + task(generated_payload(number_, n));
    made.tasks += ']';
    made.cursor = cursor_;
    made.cursor.checkpoint = std::to_string(end);
    made.cursor.ended = end == plan_.tasks;
    feed(engine, made);
}

void Generator::look_at_results(engine::Engine& engine) {
    store::ResultsQuery query;
    query.after = cursor_.sequence;
    query.limit = 3;
    engine.results(query, {}, [=, this, &engine](const base::Result<store::ResultsPage>& page) {
        // While it was on its way, others may have been acknowledged.
        const bool is_news = page && query.after == cursor_.sequence;
        if (is_news && !feeding_ && page->next_after > cursor_.sequence)
            acknowledge(engine, *page);
    });
    later(plugin_pause, [this](engine::Engine& again) { look_at_results(again); });
}

void Generator::acknowledge(engine::Engine& engine, const store::ResultsPage& page) {
    engine::Feed made;
    made.cursor = cursor_;
    made.cursor.sequence = page.next_after;
    for (const auto& record : page.tasks) {
        const auto n = number_of(record.task.payload.view());
        if (record.task.generator == cursor_.extension && n < plan_.tasks &&
            record.outcome->state == wire::TaskState::completed)
            made.tasks += (made.tasks.empty() ? '[' : ',') + task(second_payload(number_, n));
    }
    if (!made.tasks.empty())
        made.tasks += ']';
    feed(engine, made);
}

void Generator::feed(engine::Engine& engine, const engine::Feed& what) {
    feeding_ = true;
    trace_.note("feed", number_, what.cursor.sequence);
    engine.feed(what, [this, what](const base::Result<engine::Fed>& fed) {
        if (!fed && fed.error().code == base::Errc::unavailable)
            return;  // the coordinator dies
        if (!fed)
            return later(random_.between(50ms, 300ms),
                         [this, what](engine::Engine& again) { feed(again, what); });
        trace_.note("fed", number_, fed->created, fed->duplicates);
        oracle_.cursor_answered(what.cursor);
        feeding_ = false;
        cursor_ = what.cursor;
        place_ = place_of(cursor_);
        later(random_.between(1ms, 50ms), [this](engine::Engine& again) { next(again); });
    });
}

// ---- sinks ----

void Sink::begin(engine::Engine& engine) {
    buffer_.clear();
    position_ = safe_ = std::max(cursor_.sequence, plan_.numbers ? last_stored_ : 0);
    oracle_.sink_opened(number_, position_);
    read(engine);
}

void Sink::read(engine::Engine& engine) {
    store::ResultsQuery query;
    query.after = position_;
    query.limit = plan_.most;
    engine.results(
        query, plugin_pause, [this, &engine](const base::Result<store::ResultsPage>& page) {
            if (!page)
                return;
            if (!page->tasks.empty())
                return write(*page);
            flush();
            written(engine, page->next_after);
        });
}

void Sink::write(const store::ResultsPage& page) {
    std::vector<std::uint64_t> sequences;
    for (const auto& record : page.tasks)
        sequences.push_back(record.sequence);
    const bool fails = random_.chance(plan_.failing);
    const auto count = fails ? random_.below(sequences.size()) : sequences.size();
    const auto position = !fails ? page.next_after : count == 0 ? position_ : sequences[count - 1];
    sequences.resize(count);
    // The coordinator may die after they are stored, before it hears of it.
    later(random_.between(1ms, 20ms), [this, sequences, position](engine::Engine&) {
        if (plan_.buffers)
            buffer_.insert(buffer_.end(), sequences.begin(), sequences.end());
        else
            std::ranges::for_each(sequences, [this](auto sequence) { store_one(sequence); });
        later(random_.between(1ms, 20ms), [this, position](engine::Engine& engine) {
            if (random_.chance(500))
                flush();
            written(engine, position);
        });
    });
}

void Sink::written(engine::Engine& engine, std::uint64_t position) {
    position_ = position;
    if (buffer_.empty())
        safe_ = position;
    keep_cursor(engine);
    later(random_.between(1ms, 50ms), [this](engine::Engine& again) { read(again); });
}

void Sink::store_one(std::uint64_t sequence) {
    trace_.note("sink stores", number_, sequence);
    oracle_.sink_stored(number_, sequence);
    last_stored_ = sequence;
}

void Sink::flush() {
    for (const auto sequence : std::exchange(buffer_, {}))
        store_one(sequence);
}

void Sink::keep_cursor(engine::Engine& engine) {
    if (safe_ == cursor_.sequence)
        return;
    cursor_.sequence = safe_;
    engine.keep_cursor(cursor_, [this, kept = cursor_](base::Result<void> answer) {
        if (answer)
            oracle_.cursor_answered(kept);
    });
}

}  // namespace distributo::simulation
