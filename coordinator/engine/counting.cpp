#include "coordinator/engine/engine_impl.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace distributo::coordinator::engine {

using base::Errc;
using wire::TaskState;

namespace {

constexpr TaskState live_states[] = {TaskState::running,
                                     TaskState::cancelling,
                                     TaskState::pending,
                                     TaskState::retrying,
                                     TaskState::scheduled,
                                     TaskState::held};

/// What the store counts is exact, but does not tell live tasks apart; what the scheduler tells
/// apart may be older or newer by what is being recorded just now. The store's number counts: what
/// has ended is taken from what ran, what has come waits.
StateCounts put_together(const core::LiveCounts& live, const store::Tally& tally) {
    StateCounts counts;
    counts[TaskState::completed] = tally.completed;
    counts[TaskState::failed] = tally.failed;
    counts[TaskState::cancelled] = tally.cancelled;
    counts[TaskState::expired] = tally.expired;
    std::uint64_t excess = live.total() - std::min(live.total(), tally.live());
    for (const auto state : live_states) {
        const auto ended = std::min(excess, live[state]);
        counts[state] = live[state] - ended;
        excess -= ended;
    }
    counts[TaskState::pending] += tally.live() - std::min(live.total(), tally.live());
    return counts;
}

void add(store::Tally& sum, const store::Tally& one) {
    sum.total += one.total;
    sum.completed += one.completed;
    sum.failed += one.failed;
    sum.cancelled += one.cancelled;
    sum.expired += one.expired;
}

std::uint64_t sum_of(const StateCounts& counts, const store::ListQuery& query) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < StateCounts::states; ++i)
        sum += query.wants(static_cast<TaskState>(i)) ? counts[static_cast<TaskState>(i)] : 0;
    return sum;
}

}  // namespace

std::uint64_t StateCounts::total() const noexcept {
    std::uint64_t sum = 0;
    for (const auto one : of_)
        sum += one;
    return sum;
}

TaskState GroupSummary::state() const noexcept {
    const auto any = [this](auto... states) { return ((tasks[states] != 0) || ...); };
    if (any(TaskState::running, TaskState::cancelling))
        return TaskState::running;
    if (any(TaskState::pending, TaskState::scheduled, TaskState::retrying))
        return TaskState::pending;
    if (any(TaskState::held))
        return TaskState::held;
    if (any(TaskState::failed, TaskState::expired))
        return TaskState::failed;
    return any(TaskState::cancelled) ? TaskState::cancelled : TaskState::completed;
}

GroupSummary Engine::Impl::summary(store::NamedTally tally) const {
    GroupSummary summary;
    summary.tasks = put_together(scheduler->live_of_group(tally.name), tally.tally);
    summary.name = std::move(tally.name);
    summary.newest = tally.newest;
    return summary;
}

void Engine::group(const std::string& name, Done<GroupSummary> done) {
    impl_->store->group(name,
                        [impl = impl_.get(), name, done = std::move(done)](
                            base::Result<std::optional<store::NamedTally>> found) {
                            if (!found)
                                return done(found.error());
                            if (!*found)
                                return done(base::error(Errc::not_found,
                                                        "no task is in the group '" + name + "'",
                                                        "distributo group list"));
                            done(impl->summary(std::move(**found)));
                        });
}

void Engine::groups(TaskId before, std::size_t limit, Done<std::vector<GroupSummary>> done) {
    impl_->store->groups(before,
                         limit,
                         [impl = impl_.get(), done = std::move(done)](
                             base::Result<std::vector<store::NamedTally>> found) {
                             if (!found)
                                 return done(found.error());
                             std::vector<GroupSummary> groups;
                             for (auto& one : *found)
                                 groups.push_back(impl->summary(std::move(one)));
                             done(std::move(groups));
                         });
}

void Engine::count(const store::ListQuery& query, Done<std::uint64_t> done) {
    if (!query.group.empty())
        return group(query.group, [query, done = std::move(done)](base::Result<GroupSummary> of) {
            if (of)
                return done(sum_of(of->tasks, query));
            if (of.error().code == Errc::not_found)
                return done(0);
            done(of.error());
        });
    impl_->store->types([impl = impl_.get(), query, done = std::move(done)](
                            base::Result<std::vector<store::NamedTally>> types) {
        if (!types)
            return done(types.error());
        store::Tally tally;
        core::LiveCounts live;
        for (const auto& [name, one, newest] : *types) {
            if (!query.type.empty() && name != query.type)
                continue;
            add(tally, one);
            const auto of_type = impl->scheduler->live_of_type(name);
            for (const auto state : live_states)
                live[state] += of_type[state];
        }
        done(sum_of(put_together(live, tally), query));
    });
}

}  // namespace distributo::coordinator::engine
