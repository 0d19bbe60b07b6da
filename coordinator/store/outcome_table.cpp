#include "coordinator/store/outcome_table.hpp"

namespace distributo::coordinator::store {
namespace {

// A host may change its name at every start; forgetting the table only costs sharing.
constexpr std::size_t max_names = 10'000;

}  // namespace

std::uint64_t OutcomeTable::append(const core::Outcome& outcome) {
    const auto& attempt = outcome.attempt;
    rows_.push_back({.id = outcome.id,
                     .result = outcome.result,
                     .host = shared(attempt.host, last_host_),
                     .host_id = shared(attempt.host_id, last_host_id_),
                     .version = shared(attempt.version, last_version_),
                     .message = base::Bytes::copy(attempt.message),
                     .started = attempt.started,
                     .finished = attempt.finished,
                     .times = attempt.times,
                     .attempt = attempt.number,
                     .state = outcome.state,
                     .reason = outcome.reason,
                     .status = attempt.status,
                     .charge = attempt.charge,
                     .excludes_host = attempt.excludes_host});
    ++count_;
    return newest();
}

const OutcomeTable::Row* OutcomeTable::row(std::uint64_t sequence) const {
    if (sequence < first_ || sequence - first_ >= rows_.size())
        return nullptr;
    return &rows_[sequence - first_];
}

core::TaskId OutcomeTable::task(std::uint64_t sequence) const {
    const Row* found = row(sequence);
    return found ? found->id : 0;
}

wire::TaskState OutcomeTable::state(std::uint64_t sequence) const {
    return row(sequence)->state;
}

std::string_view OutcomeTable::host(std::uint64_t sequence) const {
    return row(sequence)->host.view();
}

base::WallTime OutcomeTable::finished(std::uint64_t sequence) const {
    return row(sequence)->finished;
}

core::Outcome OutcomeTable::get(std::uint64_t sequence) const {
    const Row& found = *row(sequence);
    core::Outcome outcome;
    outcome.id = found.id;
    outcome.state = found.state;
    outcome.reason = found.reason;
    outcome.result = found.result;
    outcome.attempt.number = found.attempt;
    outcome.attempt.host = found.host.view();
    outcome.attempt.host_id = found.host_id.view();
    outcome.attempt.version = found.version.view();
    outcome.attempt.status = found.status;
    outcome.attempt.message = found.message.view();
    outcome.attempt.started = found.started;
    outcome.attempt.finished = found.finished;
    outcome.attempt.times = found.times;
    outcome.attempt.charge = found.charge;
    outcome.attempt.excludes_host = found.excludes_host;
    return outcome;
}

void OutcomeTable::withdraw(std::uint64_t sequence) {
    if (task(sequence) == 0)
        return;
    rows_[sequence - first_] = {};
    --count_;
    while (!rows_.empty() && rows_.front().id == 0) {
        rows_.pop_front();
        ++first_;
    }
}

base::Bytes OutcomeTable::shared(const std::string& text, base::Bytes& last) {
    if (text.empty())
        return {};
    if (text == last.view())
        return last;
    if (names_.size() > max_names)
        names_.clear();
    auto [place, added] = names_.try_emplace(text);
    if (added)
        place->second = base::Bytes::copy(text);
    last = place->second;
    return last;
}

}  // namespace distributo::coordinator::store
