#include "tests/simulation/extension_oracle.hpp"

#include <algorithm>
#include <utility>

namespace distributo::simulation {
namespace {

std::string outcome(std::uint64_t sequence) {
    return "outcome number " + std::to_string(sequence);
}

}  // namespace

std::uint32_t place_of(const core::Cursor& cursor) {
    return cursor.checkpoint.empty() ? 0
                                     : static_cast<std::uint32_t>(std::stoul(cursor.checkpoint));
}

ExtensionOracle::ExtensionOracle(const Scenario& scenario, Fail fail)
    : scenario_(scenario),
      fail_(std::move(fail)),
      ends_(1),
      generators_(scenario.generators.size()),
      sinks_(scenario.sinks.size()) {
    for (std::size_t i = 0; i < generators_.size(); ++i)
        generators_[i].items.resize(scenario.generators[i].tasks);
}

ExtensionOracle::TaskFacts& ExtensionOracle::facts(core::TaskId task) {
    if (task >= tasks_.size())
        tasks_.resize(task + 1);
    return tasks_[task];
}

ExtensionOracle::Item* ExtensionOracle::item_of(std::string_view payload, bool& second) {
    for (std::uint32_t i = 0; i < generators_.size(); ++i)
        for (std::uint32_t n = 0; n < generators_[i].items.size(); ++n) {
            second = payload == second_payload(i, n);
            if (second || payload == generated_payload(i, n))
                return &generators_[i].items[n];
        }
    return nullptr;
}

core::Cursor* ExtensionOracle::cursor_of(core::ExtensionNumber number) {
    const auto& name = names_[number];
    for (std::uint32_t i = 0; i < generators_.size(); ++i)
        if (name == generator_name(i))
            return &generators_[i].cursor;
    for (std::uint32_t i = 0; i < sinks_.size(); ++i)
        if (name == sink_name(i))
            return &sinks_[i].cursor;
    return nullptr;
}

// ---- the disk ----

void ExtensionOracle::stored(const core::NewTask& task) {
    auto& known = facts(task.id);
    known.generator = task.generator;
    known.payload = task.payload.view();
    if (task.parent != 0) {
        if (task.generator != facts(task.parent).generator)
            fail_("I19",
                  "task " + std::to_string(task.id) + " does not come from where its parent does");
        return;
    }
    bool second = false;
    Item* const item = item_of(known.payload, second);
    if ((item != nullptr) != (task.generator != 0))
        return fail_("I19", "task " + std::to_string(task.id) + " has another generator");
    if (item && ++(second ? item->second : item->stored) > 1)
        fail_("I15", "a generator's task " + known.payload + " is stored a second time");
}

void ExtensionOracle::ended(const core::Outcome& outcome) {
    auto& task = facts(outcome.id);
    task.sequence = ends_.size();
    ends_.push_back(outcome.id);
    bool second = false;
    Item* const item = item_of(task.payload, second);
    if (item && !second && outcome.state == wire::TaskState::completed)
        item->completed = task.sequence;
}

void ExtensionOracle::reopened(core::TaskId task) {
    ends_[std::exchange(facts(task).sequence, 0)] = 0;
}

void ExtensionOracle::kept(const store::Transaction& transaction) {
    for (const auto& extension : transaction.extensions) {
        const auto [known, added] = names_.try_emplace(extension.number, extension.name);
        if (!added && known->second != extension.name)
            fail_("I4", "an extension's number was given to " + extension.name + ", too");
    }
    for (const auto& cursor : transaction.cursors) {
        auto* const known = cursor_of(cursor.extension);
        if (!known)
            return fail_("I18", "a cursor belongs to nobody");
        if (cursor.sequence < known->sequence || cursor.sequence >= ends_.size())
            return fail_("I18", "a cursor goes to " + outcome(cursor.sequence));
        *known = cursor;
    }
    for (std::uint32_t i = 0; i < generators_.size(); ++i)
        check_generator(i);
    for (auto& sink : sinks_)
        if (const auto missing = first_missing(sink, 0, sink.cursor.sequence); missing != 0)
            fail_("I18", outcome(missing) + " is before a sink's cursor, the sink has it not");
}

/// What it has made is what its cursor says.
void ExtensionOracle::check_generator(std::uint32_t number) {
    const auto& [cursor, items] = generators_[number];
    for (std::uint32_t n = 0; n < items.size(); ++n) {
        const auto& item = items[n];
        if ((n < place_of(cursor)) != (item.stored != 0))
            return fail_("I16",
                         generator_name(number) + " goes on from " + cursor.checkpoint +
                             ", its task " + std::to_string(n) +
                             (item.stored != 0 ? " is stored already" : " is not stored"));
        const bool due = scenario_.generators[number].takes_results && item.completed != 0 &&
                         item.completed <= cursor.sequence;
        if (due != (item.second != 0))
            return fail_("I16",
                         generator_name(number) + " is done with " + outcome(cursor.sequence) +
                             ", what it makes of that of its task " + std::to_string(n) +
                             (due ? " is not stored" : " is stored already"));
    }
}

// ---- what leaves the coordinator ----

void ExtensionOracle::extension_answered(core::ExtensionNumber number) {
    if (!names_.contains(number))
        fail_("I5", "an extension was acknowledged before it was durable");
}

void ExtensionOracle::cursor_answered(const core::Cursor& cursor) {
    const auto* const known = cursor_of(cursor.extension);
    if (!known || known->sequence < cursor.sequence || place_of(*known) < place_of(cursor))
        fail_("I5", "a cursor was acknowledged before it was durable");
}

// ---- what sinks do ----

void ExtensionOracle::sink_opened(std::uint32_t sink, std::uint64_t after) {
    sinks_[sink].last = after;
}

void ExtensionOracle::sink_stored(std::uint32_t number, std::uint64_t sequence) {
    auto& sink = sinks_[number];
    if (sequence >= ends_.size())
        return fail_("I5", outcome(sequence) + " reached a sink before it was durable");
    if (sequence <= sink.last)
        return fail_("I17", outcome(sequence) + " reached a sink late");
    if (const auto missing = first_missing(sink, sink.last, sequence - 1); missing != 0)
        return fail_("I17", outcome(missing) + " was left out for a sink");
    sink.last = sequence;
    if (!sink.stored.insert(sequence).second && scenario_.sinks[number].numbers)
        fail_("I17", outcome(sequence) + " reached a sink twice that had stored its number");
}

std::uint64_t ExtensionOracle::first_missing(const SinkFacts& sink,
                                             std::uint64_t after,
                                             std::uint64_t last) const {
    for (auto sequence = after + 1; sequence <= last; ++sequence)
        if (ends_[sequence] != 0 && !sink.stored.contains(sequence))
            return sequence;
    return 0;
}

// ---- checks ----

bool ExtensionOracle::all_done() const {
    for (std::size_t i = 0; i < generators_.size(); ++i) {
        const auto& [cursor, items] = generators_[i];
        if (!cursor.ended)
            return false;
        if (scenario_.generators[i].takes_results &&
            std::ranges::any_of(items,
                                [&](const Item& item) { return item.completed > cursor.sequence; }))
            return false;
    }
    return std::ranges::all_of(sinks_, [this](const SinkFacts& sink) {
        return first_missing(sink, 0, ends_.size() - 1) == 0;
    });
}

void ExtensionOracle::check_end() const {
    if (all_done())
        return;
    for (std::size_t i = 0; i < generators_.size(); ++i)
        if (!generators_[i].cursor.ended)
            return fail_("I15",
                         generator_name(static_cast<std::uint32_t>(i)) + " never came beyond " +
                             generators_[i].cursor.checkpoint);
    for (const auto& sink : sinks_)
        if (const auto missing = first_missing(sink, 0, ends_.size() - 1); missing != 0)
            return fail_("I17", outcome(missing) + " never reached a sink");
    fail_("I15", "a generator never made anything of an outcome");
}

}  // namespace distributo::simulation
