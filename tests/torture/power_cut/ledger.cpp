#include "tests/torture/power_cut/ledger.hpp"

#include <algorithm>
#include <utility>

namespace distributo::tests {
namespace {

constexpr std::size_t most_differences = 10;

/// The names whose texts differ, with both.
std::string differences(const Snapshot& expected, const Snapshot& found) {
    std::string all;
    std::size_t count = 0;
    const auto compare = [&](const std::string& name, const std::string& a, const std::string& b) {
        if (a != b && ++count <= most_differences)
            all += name + "\n    expected: " + a + "\n    found:    " + b + '\n';
    };
    for (const auto& [name, text] : expected) {
        const auto there = found.find(name);
        compare(name, text, there == found.end() ? "(nothing)" : there->second);
    }
    for (const auto& [name, text] : found)
        if (!expected.contains(name))
            compare(name, "(nothing)", text);
    return all;
}

std::uint64_t count_lost(const Snapshot& expected, const Snapshot& found) {
    std::uint64_t lost = 0;
    for (const auto& [name, text] : expected) {
        const auto there = found.find(name);
        if (!name.starts_with("task ") || there == found.end() || text == "unknown")
            continue;
        if (there->second == "unknown")
            ++lost;
        if (text.find(" ended ") != std::string::npos &&
            there->second.find(" ended ") == std::string::npos)
            ++lost;
    }
    return lost;
}

}  // namespace

Ledger::Ledger() : memory_([](auto post) { return store::make_memory_store(std::move(post)); }) {}

std::string Ledger::opened(const store::Recovered& recovered) {
    broken_ = false;
    if (recovered.term <= term_)
        return "term " + std::to_string(recovered.term) + " after term " + std::to_string(term_);
    term_ = recovered.term;
    if (const auto next = memory_.open()->next_id; recovered.next_id < next)
        return "the next id is " + std::to_string(recovered.next_id) + " instead of " +
               std::to_string(next);
    if (first_ && (recovered.coordinator_id != first_->coordinator_id ||
                   recovered.lease_key != first_->lease_key))
        return "another identity";
    if (!first_) {
        first_.emplace();
        first_->coordinator_id = recovered.coordinator_id;
        first_->lease_key = recovered.lease_key;
    }
    return {};
}

void Ledger::sent(const Call& call) {
    if (const auto* transaction = std::get_if<store::Transaction>(&call))
        for (const auto& task : transaction->submits)
            next_id_ = std::max(next_id_, task.id + 1);
    waiting_.push_back(call);
}

std::string Ledger::answered(const Answer& answer) {
    if (!answer.acknowledged) {
        broken_ = true;
        return {};
    }
    if (broken_)
        return "acknowledged after it was broken";
    if (answer.refused)
        refuse_submits();
    const auto expected = apply().text;
    if (!answer.refused && answer.text != expected)
        return "answered '" + answer.text + "' instead of '" + expected + '\'';
    return {};
}

void Ledger::refuse_submits() {
    auto& transaction = std::get<store::Transaction>(waiting_.front());
    transaction.submissions.clear();
    std::erase_if(transaction.submits, [](const auto& task) { return task.parent == 0; });
    std::erase_if(transaction.cursors, [](const auto& cursor) { return cursor.feeds; });
}

Answer Ledger::apply() {
    memory_.send(std::move(waiting_.front()));
    waiting_.pop_front();
    return memory_.answers().at(0);
}

Snapshot Ledger::expected() {
    auto snapshot = memory_.snapshot(next_id_);
    snapshot.merge(describe(*memory_.open()));
    return snapshot;
}

std::string Ledger::settle(const Snapshot& found) {
    std::string first_difference;
    for (;;) {
        const auto now = expected();
        const auto difference = differences(now, found);
        if (difference.empty())
            break;
        if (first_difference.empty()) {
            first_difference = difference;
            lost_ = count_lost(now, found);
        }
        if (waiting_.empty())
            return first_difference;
        (void)apply();
    }
    waiting_.clear();
    return {};
}

}  // namespace distributo::tests
