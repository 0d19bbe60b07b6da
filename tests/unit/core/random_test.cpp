#include "coordinator/core/version.hpp"
#include "disk.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace distributo::coordinator::core {
namespace {

/// A fleet that does everything a fleet can do, in random order: it works, fails, crashes, falls
/// silent, breaks its connections, loses messages, repeats results and makes up tokens; and the
/// coordinator dies now and then, with or without its last records. After each step the scheduler
/// must agree with what the fleet was told.
class Chaos {
public:
    explicit Chaos(unsigned seed) : random_(seed), disk_(settings()), bed_(&disk_.reboot()) {}

    void run(int steps) {
        for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
            step();
            check();
        }
    }

    /// No more faults: everything that was submitted must come to an end.
    void settle() {
        settling_ = true;
        bed_->shut = false;
        bed_->collect();
        for (auto& host : hosts_) {
            if (!host.connected)
                connect(host, true);
            bed_->scheduler.host_backed_up(host.index, false, bed_->now);
            host.draining = false;
            connect(host, false);
        }
        for (int i = 0; i < 5000 && bed_->counts().live() > 0; ++i) {
            bed_->pass(1s);
            for (auto& host : hosts_)
                bed_->scheduler.host_heard(host.index, bed_->now);
            for (const auto id : added_)
                if (bed_->live(id) && bed_->state(id) == TaskState::held)
                    (void)bed_->scheduler.release(id, bed_->now);
            take(bed_->dispatch());
            for (auto& host : hosts_)
                while (!host.running.empty())
                    report(host, 0, AttemptStatus::ok);
            bed_->commit();
            check();
        }
        for (const auto id : added_) {
            EXPECT_FALSE(bed_->live(id))
                << "task " << id << " never came to an end: it is " << to_string(bed_->state(id))
                << ", " << bed_->scheduler.explain(id, bed_->now).summary;
        }
        const auto& counts = bed_->counts();
        EXPECT_EQ(counts.completed + counts.failed + counts.cancelled + counts.expired,
                  added_.size() - ended_before_.size());
        EXPECT_EQ(counts.payload_bytes, 0U);
    }

private:
    struct FakeHost {
        std::string id;
        HostIndex index = no_host;
        bool connected = false;
        bool draining = false;
        int boots = 0;
        std::map<std::string, std::vector<Version>> versions;  // on offer, by type
        std::vector<Assigned> running;
        std::vector<std::pair<Assigned, AttemptStatus>> finished;  // not known to be acknowledged
    };

    static Settings settings() {
        Settings made;
        made.max_lost = 6;
        made.max_interruptions = 5;
        made.host_quarantine_base = 1s;
        made.host_quarantine_limit = 5s;
        return made;
    }

    std::size_t below(std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }
    bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }

    void connect(FakeHost& host, bool reboot) {
        if (reboot) {
            ++host.boots;
            host.running.clear();
        }
        auto hello = Bed::hello(host.id, 1 + static_cast<std::uint32_t>(below(4)));
        hello.boot_id = host.id + std::to_string(host.boots);
        if (host.id.back() % 2 == 0)
            hello.labels = {{"even", "yes"}};
        for (const auto& one : host.running)
            hello.running.push_back(one.claim());
        for (const auto& one : host.finished)
            hello.finished.push_back(one.first.claim());
        host.index = bed_->join(hello);
        host.connected = true;
        host.draining = false;
        ASSERT_EQ(bed_->verdicts.size(), host.running.size());
        for (const auto& verdict : bed_->verdicts)
            if (verdict.verdict == wire::Verdict::cancel)
                std::erase_if(host.running,
                              [&](const auto& one) { return one.token == verdict.token; });
        offer(host);
        const auto resend = host.finished;
        for (const auto& [one, status] : resend)
            bed_->report_as(host.index, one.token, status);
        acknowledge();
    }

    void offer(FakeHost& host) {
        wire::Capabilities made;
        made.sequence = ++bed_->sequence;
        host.versions.clear();
        for (const char* version : {"1.1.0", "2.0.0", "1.0.0"})
            for (const auto& [type, credits] : {std::pair("echo", 5U), std::pair("shell", 200U)}) {
                if (!settling_ && chance(50))
                    continue;
                made.types.push_back(
                    Bed::capability(type, 1 + static_cast<std::uint32_t>(below(credits))));
                made.types.back().version = version;
                made.types.back().digest = std::to_string(below(2));
                host.versions[type].emplace_back(version);
            }
        bed_->scheduler.host_capabilities(host.index, std::move(made), bed_->now);
        bed_->collect();
    }

    void take(const std::vector<Assigned>& handed) {
        for (const auto& one : handed) {
            EXPECT_TRUE(tokens_.insert({one.token.term, one.token.counter}).second)
                << "a token was used twice";
            EXPECT_TRUE(given_.insert({one.lease.task, one.attempt}).second)
                << "number " << one.attempt << " of task " << one.lease.task << " was used twice";
            for (auto& host : hosts_) {
                if (host.index != one.host)
                    continue;
                EXPECT_TRUE(host.connected) << "a task for a host that is not there";
                EXPECT_FALSE(host.draining);
                const auto& versions = host.versions[one.type];
                EXPECT_TRUE(std::any_of(versions.begin(), versions.end(), [&](const auto& version) {
                    return VersionFilter(one.version).accepts(version);
                })) << "a task for a host that has no version for it";
                if (settling_ || !chance(3))  // else it is lost on the way
                    host.running.push_back(one);
            }
        }
    }

    void report(FakeHost& host, std::size_t at, AttemptStatus status) {
        const auto one = host.running[at];
        host.running.erase(host.running.begin() + static_cast<std::ptrdiff_t>(at));
        host.finished.emplace_back(one, status);
        bed_->report_as(host.index, one.token, status);
        acknowledge();
    }

    void acknowledge() {
        for (; acks_seen_ < bed_->acks.size(); ++acks_seen_)
            for (auto& host : hosts_)
                if (host.index == bed_->acks[acks_seen_].host)
                    std::erase_if(host.finished, [&](const auto& one) {
                        return one.first.token == bed_->acks[acks_seen_].item.token;
                    });
    }

    void add() {
        TaskOptions options;
        if (chance(20))
            options.priority = static_cast<std::int32_t>(below(5)) - 2;
        if (chance(15))
            options.requires_labels = {{"even", "yes"}};
        if (chance(10))
            options.not_before = bed_->wall + std::chrono::seconds(below(20));
        if (chance(10))
            options.deadline = bed_->wall + std::chrono::seconds(below(60));
        if (chance(20))
            options.version_range = std::array{"^1", "2.0.0", "*", ">=1.1"}[below(4)];
        if (chance(20))
            options.install = base::Bytes::copy(std::to_string(below(3)));
        added_.push_back(chance(30) ? bed_->add_plain("echo")
                                    : bed_->add(chance(50) ? "echo" : "shell", options));
        open_.push_back(added_.back());
    }

    void die() {
        disk_.reboot();
        for (const auto id : bed_->recorded)
            ended_before_.insert(id);
        bed_ = &disk_.bed();
        ending_ = ended_before_;  // what was not recorded did not happen
        outcomes_seen_ = 0;
        acks_seen_ = 0;
        for (auto& host : hosts_) {
            host.connected = false;
            host.index = no_host;  // numbers of hosts belong to a boot
        }
    }

    void step() {
        if (chance(1))
            return die();
        if (chance(2)) {
            bed_->shut = !bed_->shut;
            bed_->collect();
            return acknowledge();
        }
        if (hosts_.size() < 6 && chance(5)) {
            const auto id = "host" + std::to_string(hosts_.size());
            hosts_.emplace_back().id = id;
            return connect(hosts_.back(), true);
        }
        const auto what = below(100);
        if (what < 25)
            return add();
        if (what < 40)
            return take(bed_->dispatch());
        if (what < 45) {
            bed_->pass(std::chrono::milliseconds(below(3000)));
            return;
        }
        if (what < 50) {
            (void)bed_->record();
            bed_->collect();
            bed_->commit();
            return acknowledge();
        }
        if (what < 54 && !added_.empty()) {
            (void)bed_->scheduler.cancel(added_[below(added_.size())], bed_->now);
            bed_->collect();
            return;
        }
        if (what < 56 && !added_.empty()) {
            const auto id = added_[below(added_.size())];
            if (chance(70))
                (void)bed_->scheduler.release(id, bed_->now);
            else
                (void)bed_->scheduler.hold(id, "why not", bed_->now);
            bed_->collect();
            return;
        }
        if (!hosts_.empty())
            host_step(hosts_[below(hosts_.size())], below(100));
    }

    void host_step(FakeHost& host, std::size_t what) {
        if (!host.connected && what < 40)
            return connect(host, chance(30));
        if (!host.connected) {
            if (what < 60 && !host.running.empty()) {
                host.finished.emplace_back(host.running.back(), AttemptStatus::ok);
                host.running.pop_back();
            }
            return;
        }
        auto& s = bed_->scheduler;
        if (what < 60 && !host.running.empty()) {
            static constexpr AttemptStatus bad[] = {AttemptStatus::retry,
                                                    AttemptStatus::retry_elsewhere,
                                                    AttemptStatus::permanent,
                                                    AttemptStatus::cancelled,
                                                    AttemptStatus::timeout,
                                                    AttemptStatus::crashed,
                                                    AttemptStatus::install_failed,
                                                    AttemptStatus::interrupted};
            return report(host,
                          below(host.running.size()),
                          chance(60) ? AttemptStatus::ok : bad[below(std::size(bad))]);
        }
        if (what < 65 && !host.finished.empty())
            return bed_->report_as(host.index, host.finished.front().first.token);
        if (what < 70)
            return bed_->report_as(host.index,
                                   {static_cast<std::uint32_t>(6 + below(3)),
                                    static_cast<std::uint32_t>(below(50)),
                                    1'000'000 + below(50)});
        if (what < 75)
            return s.host_credit(host.index,
                                 {chance(50) ? "echo" : "shell",
                                  static_cast<std::uint32_t>(below(5)),
                                  chance(50) ? "1.1.0" : ""},
                                 bed_->now);
        if (what < 78)
            return s.host_backed_up(host.index, chance(50), bed_->now);
        if (what < 82)
            return offer(host);
        if (what < 84) {
            host.draining = true;
            return s.host_draining(host.index, bed_->now);
        }
        if (what < 88)
            return connect(host, chance(50));
        if (what < 90) {
            s.host_left(host.index, bed_->now);
            host.connected = false;
            host.running.clear();
        } else if (what < 94) {
            s.host_disconnected(host.index, bed_->now);
            host.connected = false;
        } else if (what < 95) {
            bed_->pass(31s);
        } else {
            s.host_heard(host.index, bed_->now);
        }
        bed_->collect();
    }

    void check() {
        const auto& counts = bed_->counts();
        std::map<TaskState, std::uint64_t> seen;
        for (; outcomes_seen_ < bed_->outcomes.size(); ++outcomes_seen_) {
            const auto& outcome = bed_->outcomes[outcomes_seen_];
            EXPECT_TRUE(ending_.insert(outcome.id).second)
                << "task " << outcome.id << " ended twice";
            EXPECT_TRUE(wire::is_terminal(outcome.state));
            EXPECT_NE(outcome.state == TaskState::failed, outcome.reason == FailReason::none);
        }
        std::uint64_t bytes = 0;
        std::uint64_t unclaimed = 0;  // to be cancelled, but nobody has come back with them
        std::erase_if(open_, [&](TaskId id) {
            const bool recorded = bed_->recorded.contains(id);
            EXPECT_EQ(bed_->live(id), !recorded) << "task " << id;
            return recorded;
        });
        for (const auto id : open_) {
            if (ending_.contains(id))
                continue;
            const auto view = bed_->view(id);
            ++seen[view.state];
            bytes += view.payload->size();
            unclaimed += view.state == TaskState::cancelling && view.host.empty() ? 1 : 0;
        }
        EXPECT_EQ(counts.scheduled, seen[TaskState::scheduled]);
        EXPECT_EQ(counts.pending, seen[TaskState::pending]);
        EXPECT_EQ(counts.running, seen[TaskState::running]);
        EXPECT_EQ(counts.retrying, seen[TaskState::retrying]);
        EXPECT_EQ(counts.held, seen[TaskState::held]);
        EXPECT_EQ(counts.cancelling, seen[TaskState::cancelling]);
        EXPECT_EQ(counts.payload_bytes, bytes);
        EXPECT_EQ(counts.live() + ending_.size(), added_.size());
        std::uint64_t pending = 0;
        std::uint64_t running = 0;
        std::uint64_t in_flight = 0;
        for (const auto& type : bed_->scheduler.types()) {
            pending += type.pending;
            running += type.running;
        }
        for (const auto& host : bed_->scheduler.hosts(bed_->now))
            in_flight += host.in_flight;
        EXPECT_EQ(pending, counts.pending);
        EXPECT_EQ(running, counts.running + counts.cancelling - unclaimed);
        EXPECT_EQ(in_flight, running);
        check_holders();
    }

    /// Nobody but the host that a task is shown on can hold its token, and only one token.
    void check_holders() {
        std::map<TaskId, Token> holders;
        for (const auto& host : hosts_) {
            for (const auto& one : host.running) {
                TaskId id = 0;
                if (!bed_->scheduler.holds(host.index, one.token, id))
                    continue;
                EXPECT_TRUE(holders.emplace(id, one.token).second)
                    << "two tokens of task " << id << " count";
                EXPECT_EQ(bed_->view(id).host, host.id);
            }
        }
    }

    std::mt19937 random_;
    Disk disk_;
    Bed* bed_;
    std::vector<FakeHost> hosts_;
    std::vector<TaskId> added_;
    std::vector<TaskId> open_;  // whose end is not recorded
    std::set<TaskId> ending_;   // with an end, recorded or not
    std::size_t outcomes_seen_ = 0;
    std::set<TaskId> ended_before_;  // in earlier boots
    std::set<std::pair<std::uint32_t, std::uint64_t>> tokens_;
    std::set<std::pair<TaskId, std::uint32_t>> given_;  // attempt numbers, over all boots
    std::size_t acks_seen_ = 0;
    bool settling_ = false;
};

class RandomTest : public ::testing::TestWithParam<unsigned> {};

TEST_P(RandomTest, WhateverHappensEveryTaskIsInOnePlaceAndEndsOnce) {
    Chaos chaos(GetParam());
    chaos.run(3000);
    chaos.settle();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTest, ::testing::Range(1U, 13U));

}  // namespace
}  // namespace distributo::coordinator::core
