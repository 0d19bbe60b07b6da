#pragma once

#include "coordinator/core/scheduler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace distributo::coordinator::core {

using namespace std::chrono_literals;
using wire::AttemptStatus;
using wire::FailReason;
using wire::Token;

struct Assigned {
    HostIndex host = no_host;
    Token token;
    std::string id;
    std::string type;
    std::string payload;
    std::string install;
    std::uint32_t attempt = 0;
    std::int64_t timeout_ms = 0;
    std::int64_t deadline_ms = 0;
    bool alone = false;
    std::string version;
    wire::Lease lease;

    [[nodiscard]] wire::Claim claim() const { return {token, lease}; }
};

inline HostObstacle obstacle_of(const Explanation& explanation, const std::string& host) {
    for (const auto& one : explanation.hosts)
        if (one.name == host)
            return one;
    ADD_FAILURE() << host << " is not mentioned";
    return {};
}

inline constexpr LeaseKey bed_key{1, 2};

/// A scheduler on a clock that only moves when told, with the outside played by the test:
/// actions are collected, outcomes become durable when the test says so, everything else does at
/// once unless the test says otherwise.
class Bed {
public:
    explicit Bed(const Settings& settings = {},
                 std::uint32_t term = 7,
                 const LeaseKey& key = bed_key)
        : scheduler(settings, term, 42, key) {}

    // ---- tasks ----
    TaskId add(std::string_view type, TaskOptions options = {}, std::string_view payload = "1") {
        NewTask task;
        task.id = ++last_id;
        task.type = names.intern(type);
        task.payload = base::Bytes::copy(payload);
        task.created = wall;
        task.options = std::make_shared<const TaskOptions>(std::move(options));
        submitted[last_id] = task;
        scheduler.add(std::move(task), now, wall);
        collect();
        return last_id;
    }
    TaskId add_plain(std::string_view type, ExtensionNumber generator = 0) {
        NewTask task;
        task.id = ++last_id;
        task.type = names.intern(type);
        task.generator = generator;
        submitted[last_id] = task;
        scheduler.add(std::move(task), now, wall);
        collect();
        return last_id;
    }
    std::vector<TaskId> add_many(std::string_view type,
                                 int count,
                                 const TaskOptions& options = {}) {
        std::vector<TaskId> ids;
        for (int i = 0; i < count; ++i)
            ids.push_back(add(type, options));
        return ids;
    }
    [[nodiscard]] TaskView view(TaskId id) const {
        TaskView found;
        EXPECT_TRUE(scheduler.find(id, now, found)) << "task " << id << " is not live";
        return found;
    }
    [[nodiscard]] bool live(TaskId id) const {
        TaskView found;
        return scheduler.find(id, now, found);
    }
    [[nodiscard]] TaskState state(TaskId id) const { return view(id).state; }

    // ---- hosts ----
    static wire::Hello hello(const std::string& id, std::uint32_t slots = 1) {
        wire::Hello made;
        made.host_id = id;
        made.boot_id = id + "-boot";
        made.name = id;
        made.slots = slots;
        return made;
    }
    HostIndex join(const wire::Hello& said) {
        verdicts.clear();
        const auto index = scheduler.host_joined({said, "10.0.0.1:1"}, now, wall, verdicts);
        collect();
        return index;
    }
    static wire::Capability capability(const std::string& type, std::uint32_t credit) {
        wire::Capability made;
        made.type = type;
        made.version = "1.0.0";
        made.digest = type + "-digest";
        made.credit = credit;
        return made;
    }
    void offer(HostIndex host, const std::vector<std::pair<std::string, std::uint32_t>>& types) {
        wire::Capabilities made;
        made.sequence = ++sequence;
        for (const auto& [type, credit] : types)
            made.types.push_back(capability(type, credit));
        scheduler.host_capabilities(host, made, now);
        collect();
    }
    /// Offers versions of "echo", each with its credit and a library of its own.
    void offer_versions(HostIndex host,
                        const std::vector<std::pair<std::string, std::uint32_t>>& versions) {
        wire::Capabilities made;
        made.sequence = ++sequence;
        for (const auto& [version, credit] : versions) {
            made.types.push_back(capability("echo", credit));
            made.types.back().version = version;
            made.types.back().digest = version + "-digest";
            made.types.back().payload_schema = "\"" + version + "\"";
        }
        scheduler.host_capabilities(host, made, now);
        collect();
    }
    /// Offers versions of "echo", each with its isolation and layers.
    void offer_confined(
        HostIndex host,
        const std::vector<std::tuple<std::string, std::string, wire::Layers>>& all) {
        wire::Capabilities made;
        made.sequence = ++sequence;
        for (const auto& [version, isolation, layers] : all) {
            made.types.push_back(capability("echo", 8));
            made.types.back().version = version;
            made.types.back().isolation = isolation;
            made.types.back().sandbox = layers;
        }
        scheduler.host_capabilities(host, made, now);
        collect();
    }
    /// A host that runs "echo", `credit` at a time.
    HostIndex host(const std::string& id, std::uint32_t credit = 1, wire::Labels labels = {}) {
        auto said = hello(id, credit);
        said.labels = std::move(labels);
        const auto index = join(said);
        offer(index, {{"echo", credit}});
        return index;
    }

    // ---- events ----
    /// Dispatches; returns what was handed out now. All of it is remembered by task id.
    std::vector<Assigned> dispatch() {
        collect();
        scheduler.dispatch(now);
        return collect();
    }
    /// Dispatches, and expects that exactly one task is handed out.
    Assigned dispatch_one() {
        const auto handed = dispatch();
        EXPECT_EQ(handed.size(), 1U);
        return handed.empty() ? Assigned{} : handed.front();
    }
    void report(const Assigned& to,
                AttemptStatus status = AttemptStatus::ok,
                std::string_view message = "it broke",
                std::int64_t retry_after_ms = 0,
                std::string_view version = {}) {
        report_as(to.host, to.token, status, message, retry_after_ms, version);
    }
    void report_as(HostIndex host,
                   const Token& token,
                   AttemptStatus status = AttemptStatus::ok,
                   std::string_view message = "it broke",
                   std::int64_t retry_after_ms = 0,
                   std::string_view version = {}) {
        wire::ResultItem item;
        item.token = token;
        item.status = status;
        if (status == AttemptStatus::ok)
            item.result = "\"done\"";
        else
            item.message = message;
        item.retry_after_ms = retry_after_ms;
        item.times.execute_us = 5;
        item.version = version;
        scheduler.host_result(host, item, now, wall);
        collect();
    }
    void pass(base::Duration duration) {
        now += duration;
        wall += std::chrono::duration_cast<std::chrono::milliseconds>(duration);
        scheduler.tick(now, wall);
        collect();
    }
    /// Moves the clock without running what is due.
    void wait(base::Duration duration) {
        now += duration;
        wall += std::chrono::duration_cast<std::chrono::milliseconds>(duration);
    }
    /// Makes all outcomes durable.
    void commit() {
        std::vector<TaskId> ids;
        for (const auto& outcome : outcomes)
            if (!recorded.contains(outcome.id))
                ids.push_back(outcome.id);
        recorded.insert(ids.begin(), ids.end());
        scheduler.committed(ids, now);
        collect();
    }
    /// The only outcome so far.
    [[nodiscard]] Outcome outcome() const {
        EXPECT_EQ(outcomes.size(), 1U);
        return outcomes.empty() ? Outcome{} : outcomes.back();
    }
    [[nodiscard]] const Counts& counts() const { return scheduler.counts(); }
    /// The last acknowledgement; nothing when there is none.
    [[nodiscard]] std::optional<Actions::Ack> last_ack() const {
        return acks.empty() ? std::nullopt : std::optional(acks.back());
    }

    std::vector<Assigned> collect() {
        std::vector<Assigned> handed;
        do
            take(handed);
        while (!shut && record());
        return handed;
    }
    /// Makes attempts, controls and host records durable; false when there were none.
    bool record() {
        std::vector<TaskId> of_attempts;
        std::vector<TaskId> of_controls;
        for (; attempts_recorded < failed_attempts.size(); ++attempts_recorded)
            of_attempts.push_back(failed_attempts[attempts_recorded].id);
        for (; controls_recorded < controls.size(); ++controls_recorded)
            of_controls.push_back(controls[controls_recorded].id);
        const auto before = hosts_recorded;
        for (; hosts_recorded < host_changes.size(); ++hosts_recorded) {
            const auto& change = host_changes[hosts_recorded];
            scheduler.host_committed(change.host, change.serial, now);
        }
        scheduler.attempts_committed(of_attempts, now);
        scheduler.controls_committed(of_controls, now);
        return !of_attempts.empty() || !of_controls.empty() || hosts_recorded != before;
    }
    void take(std::vector<Assigned>& handed) {
        auto& actions = scheduler.actions();
        for (const auto& [host_index, item] : actions.assigns)
            handed.push_back({host_index,
                              item.token,
                              std::string(item.id),
                              std::string(item.type),
                              std::string(item.payload),
                              std::string(item.install),
                              item.attempt,
                              item.timeout_ms,
                              item.deadline_ms,
                              item.alone,
                              std::string(item.version),
                              item.lease});
        const auto move_all = [](auto& from, auto& to) {
            to.insert(to.end(), from.begin(), from.end());
        };
        move_all(actions.cancels, cancels);
        move_all(actions.acks, acks);
        move_all(actions.outcomes, outcomes);
        move_all(actions.failed_attempts, failed_attempts);
        move_all(actions.controls, controls);
        move_all(actions.hosts, host_changes);
        move_all(actions.changed, changed);
        actions.clear();
    }

    TypeNames names;
    Scheduler scheduler;
    base::TimePoint now{1000s};
    base::WallTime wall{1'700'000'000'000ms};
    TaskId last_id = 0;
    std::map<TaskId, NewTask> submitted;
    std::uint64_t sequence = 0;
    std::vector<wire::TokenVerdict> verdicts;
    std::vector<Actions::Cancel> cancels;
    std::vector<Actions::Ack> acks;
    std::vector<Outcome> outcomes;
    std::vector<FailedAttempt> failed_attempts;
    std::vector<Control> controls;
    std::vector<Actions::HostChange> host_changes;
    bool shut = false;  ///< nothing but outcomes becomes durable before record()
    std::size_t attempts_recorded = 0;
    std::size_t controls_recorded = 0;
    std::size_t hosts_recorded = 0;
    std::vector<TaskId> changed;
    std::set<TaskId> recorded;
};

inline std::map<HostIndex, int> per_host(const std::vector<Assigned>& handed) {
    std::map<HostIndex, int> counted;
    for (const auto& one : handed)
        ++counted[one.host];
    return counted;
}

}  // namespace distributo::coordinator::core
