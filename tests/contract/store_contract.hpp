#pragma once

#include "coordinator/store/store.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What every store must do. A store's own test includes this header once and instantiates
/// StoreContract with the way to make one:
///
///     INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreMaker{…}));
namespace distributo::tests {

namespace core = coordinator::core;
namespace store = coordinator::store;

/// The caller's executor of the contract: runs what was posted when the test waits.
class PostQueue {
public:
    void post(std::function<void()> function) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(function));
        arrived_.notify_one();
    }
    /// Blocks until something was posted, then runs it.
    void run_one() {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [&] { return !waiting_.empty(); });
        const auto function = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        function();
    }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::function<void()>> waiting_;
};

struct StoreMaker {
    using Post = std::function<void(std::function<void()>)>;
    std::string name;
    std::function<std::unique_ptr<store::Store>(Post post)> make;
};

inline void PrintTo(const StoreMaker& maker, std::ostream* out) {
    *out << maker.name;
}

class StoreContract : public testing::TestWithParam<StoreMaker> {
protected:
    StoreContract()
        : store_(GetParam().make([this](std::function<void()> f) { queue_.post(std::move(f)); })) {
        const auto opened = store_->open();
        EXPECT_TRUE(opened);
        next_id_ = opened->next_id;
    }

    /// Calls `begin(done)` and runs the queue until `done` was called.
    template <typename T, typename Begin>
    base::Result<T> await(Begin begin) {
        std::optional<base::Result<T>> answer;
        begin(store::Store::Done<T>([&](base::Result<T> value) { answer = std::move(value); }));
        EXPECT_FALSE(answer) << "a callback ran inside the call";
        while (!answer)
            queue_.run_one();
        return *answer;
    }

    core::NewTask task(std::string_view type, std::string_view payload = "{}") {
        core::NewTask made;
        made.id = next_id_++;
        made.type = type;
        made.payload = base::Bytes::copy(payload);
        made.created = base::WallTime(std::chrono::milliseconds(1'700'000'000'123));
        return made;
    }
    core::NewTask named(std::string_view type, std::string given_id, std::string_view payload) {
        auto made = task(type, payload);
        core::TaskOptions options;
        options.given_id = std::move(given_id);
        made.options = std::make_shared<core::TaskOptions>(std::move(options));
        return made;
    }
    core::NewTask grouped(std::string_view type, std::string group) {
        auto made = task(type);
        core::TaskOptions options;
        options.group = std::move(group);
        made.options = std::make_shared<core::TaskOptions>(std::move(options));
        return made;
    }
    static core::Attempt attempt(std::uint32_t number, wire::AttemptStatus status) {
        core::Attempt made;
        made.number = number;
        made.host = "worker-7";
        made.status = status;
        made.message = status == wire::AttemptStatus::ok ? "" : "exit status 6";
        made.started = base::WallTime(std::chrono::milliseconds(1'700'000'001'000));
        made.finished = base::WallTime(std::chrono::milliseconds(1'700'000'002'000));
        made.times.execute_us = 5'000'000'000;
        return made;
    }
    static core::Outcome completed(core::TaskId id, std::string_view result = "1") {
        core::Outcome made;
        made.id = id;
        made.result = base::Bytes::copy(result);
        made.attempt = attempt(1, wire::AttemptStatus::ok);
        return made;
    }
    static core::Outcome failed(core::TaskId id, std::uint32_t number) {
        core::Outcome made;
        made.id = id;
        made.state = core::TaskState::failed;
        made.reason = wire::FailReason::attempts_exhausted;
        made.attempt = attempt(number, wire::AttemptStatus::retry);
        return made;
    }

    store::Committed commit(store::Transaction transaction) {
        auto answer = await<store::Committed>(
            [&](auto done) { store_->commit(std::move(transaction), std::move(done)); });
        EXPECT_TRUE(answer);
        return *answer;
    }
    core::TaskId add(core::NewTask made) {
        const auto id = made.id;
        store::Transaction transaction;
        transaction.submits.push_back(std::move(made));
        commit(std::move(transaction));
        return id;
    }
    void end(core::Outcome outcome) {
        store::Transaction transaction;
        transaction.outcomes.push_back(std::move(outcome));
        commit(std::move(transaction));
    }
    std::optional<store::TaskRecord> find(core::TaskId id) {
        return *await<std::optional<store::TaskRecord>>(
            [&](auto done) { store_->find(id, std::move(done)); });
    }
    core::TaskId resolve(const std::string& given_id) {
        return *await<core::TaskId>([&](auto done) { store_->resolve(given_id, std::move(done)); });
    }
    store::ListPage list(const store::ListQuery& query) {
        return *await<store::ListPage>([&](auto done) { store_->list(query, std::move(done)); });
    }
    store::ResultsPage results(const store::ResultsQuery& query) {
        return *await<store::ResultsPage>(
            [&](auto done) { store_->results(query, std::move(done)); });
    }
    base::Result<store::TaskRecord> reopen(core::TaskId id) {
        return await<store::TaskRecord>(
            [&](auto done) { store_->reopen(id, reopened_at, std::move(done)); });
    }
    template <typename Page>
    static std::vector<core::TaskId> ids(const Page& page) {
        std::vector<core::TaskId> found;
        for (const auto& record : page.tasks)
            found.push_back(record.task.id);
        return found;
    }
    using Ids = std::vector<core::TaskId>;
    static constexpr base::WallTime reopened_at{std::chrono::milliseconds(1'700'000'003'000)};

    PostQueue queue_;
    std::unique_ptr<store::Store> store_;
    core::TaskId next_id_ = 1;
};

TEST_P(StoreContract, OpeningTellsAnIdentityAndATerm) {
    PostQueue queue;
    const auto other = GetParam().make([&](std::function<void()> f) { queue.post(std::move(f)); });

    const auto opened = other->open();

    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->coordinator_id.size(), 32U);
    EXPECT_EQ(opened->coordinator_id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_GE(opened->term, 1U);
    EXPECT_GE(opened->next_id, 1U);
    EXPECT_TRUE(opened->live.empty());
}

TEST_P(StoreContract, ASubmittedTaskIsFoundAsItWas) {
    auto made = named("resize", "picture-1", R"({"width":640})");
    const auto id = add(made);

    const auto found = find(id);

    ASSERT_TRUE(found);
    EXPECT_EQ(found->task.id, id);
    EXPECT_EQ(found->task.type, "resize");
    EXPECT_EQ(found->task.payload.view(), R"({"width":640})");
    EXPECT_EQ(found->task.created, made.created);
    ASSERT_TRUE(found->task.options);
    EXPECT_EQ(found->task.options->given_id, "picture-1");
    EXPECT_FALSE(found->outcome);
    EXPECT_EQ(found->sequence, 0U);
    EXPECT_TRUE(found->attempts.empty());
}

TEST_P(StoreContract, OptionsComeBackComplete) {
    auto made = task("build");
    core::TaskOptions options;
    options.given_id = "b";
    options.project = "p";
    options.group = "g";
    options.labels = {{"colour", "red"}};
    options.requires_labels = {{"gpu", "yes"}};
    options.install = base::Bytes::copy(R"({"v":1})");
    options.args = {"-j", "2"};
    options.env = {{"HOME", "/"}};
    options.not_before = base::WallTime(std::chrono::milliseconds(1));
    options.deadline = base::WallTime(std::chrono::milliseconds(2));
    options.timeout_ms = 3;
    options.priority = -4;
    options.max_attempts = 5;
    made.options = std::make_shared<core::TaskOptions>(options);
    const auto id = add(made);

    const auto found = find(id);

    ASSERT_TRUE(found && found->task.options);
    const auto& back = *found->task.options;
    EXPECT_EQ(back.given_id, "b");
    EXPECT_EQ(back.project, "p");
    EXPECT_EQ(back.group, "g");
    EXPECT_EQ(back.labels, options.labels);
    EXPECT_EQ(back.requires_labels, options.requires_labels);
    EXPECT_EQ(back.install.view(), R"({"v":1})");
    EXPECT_EQ(back.args, options.args);
    EXPECT_EQ(back.env, options.env);
    EXPECT_EQ(back.not_before, options.not_before);
    EXPECT_EQ(back.deadline, options.deadline);
    EXPECT_EQ(back.timeout_ms, 3);
    EXPECT_EQ(back.priority, -4);
    EXPECT_EQ(back.max_attempts, 5U);
}

TEST_P(StoreContract, AnUnknownTaskIsNotFound) {
    const auto id = add(task("a"));

    EXPECT_FALSE(find(id + 1));
    EXPECT_FALSE(find(0));
    EXPECT_EQ(resolve("nobody"), 0U);
}

TEST_P(StoreContract, GapsBetweenIdsDoNotMatter) {
    const auto first = add(task("a"));
    next_id_ += 1000;
    const auto second = add(task("b"));
    const auto third = add(task("c"));

    EXPECT_EQ(find(first)->task.type, "a");
    EXPECT_EQ(find(second)->task.type, "b");
    EXPECT_EQ(find(third)->task.type, "c");
    EXPECT_FALSE(find(second - 1));
}

TEST_P(StoreContract, TheSameGivenIdAndContentIsARepeat) {
    const auto first = add(named("a", "x", "1"));

    store::Transaction again;
    again.submits = {task("a"), named("a", "x", "1"), named("a", "x", "2"), named("b", "x", "1")};
    const auto stored = again.submits[0].id;
    const auto refused = again.submits[1].id;
    const auto committed = commit(std::move(again));

    ASSERT_EQ(committed.duplicates.size(), 3U);
    EXPECT_EQ(committed.duplicates[0].index, 1U);
    EXPECT_EQ(committed.duplicates[0].existing, first);
    EXPECT_TRUE(committed.duplicates[0].identical);
    EXPECT_EQ(committed.duplicates[1].index, 2U);
    EXPECT_FALSE(committed.duplicates[1].identical) << "another payload";
    EXPECT_FALSE(committed.duplicates[2].identical) << "another type";
    EXPECT_TRUE(find(stored));
    EXPECT_FALSE(find(refused));
    EXPECT_EQ(resolve("x"), first);
}

TEST_P(StoreContract, ARepeatWithinOneTransactionIsFound) {
    store::Transaction both;
    both.submits = {named("a", "x", "1"), named("a", "x", "1")};
    const auto first = both.submits[0].id;

    const auto committed = commit(std::move(both));

    ASSERT_EQ(committed.duplicates.size(), 1U);
    EXPECT_EQ(committed.duplicates[0].index, 1U);
    EXPECT_EQ(committed.duplicates[0].existing, first);
}

TEST_P(StoreContract, ADelayThatWasCountedAnewIsStillARepeat) {
    const auto delayed = [&](std::int64_t not_before_ms, std::int32_t priority) {
        auto made = task("a");
        core::TaskOptions options;
        options.given_id = "x";
        options.not_before = base::WallTime(std::chrono::milliseconds(not_before_ms));
        options.priority = priority;
        made.options = std::make_shared<core::TaskOptions>(options);
        return made;
    };
    add(delayed(1000, 0));

    store::Transaction again;
    again.submits = {delayed(2000, 0), delayed(1000, 1)};
    const auto committed = commit(std::move(again));

    ASSERT_EQ(committed.duplicates.size(), 2U);
    EXPECT_TRUE(committed.duplicates[0].identical);
    EXPECT_FALSE(committed.duplicates[1].identical) << "another priority";
}

TEST_P(StoreContract, AnOutcomeIsRecordedOnce) {
    const auto id = add(task("a"));

    end(completed(id, R"({"n":1})"));
    end(failed(id, 2));

    const auto found = find(id);
    ASSERT_TRUE(found && found->outcome);
    EXPECT_EQ(found->outcome->state, core::TaskState::completed);
    EXPECT_EQ(found->outcome->result.view(), R"({"n":1})");
    EXPECT_EQ(found->outcome->attempt.number, 1U);
    EXPECT_EQ(found->outcome->attempt.host, "worker-7");
    EXPECT_EQ(found->outcome->attempt.times.execute_us, 5'000'000'000U);
    ASSERT_EQ(found->attempts.size(), 1U);
    EXPECT_EQ(results({}).newest, found->sequence);
}

TEST_P(StoreContract, AttemptsAreKeptInOrderAndTheLastOneOnce) {
    const auto id = add(task("a"));
    store::Transaction transaction;
    transaction.attempts = {{id, attempt(1, wire::AttemptStatus::retry)},
                            {id, attempt(2, wire::AttemptStatus::crashed)}};
    commit(std::move(transaction));
    end(failed(id, 3));

    const auto found = find(id);

    ASSERT_TRUE(found);
    ASSERT_EQ(found->attempts.size(), 3U);
    EXPECT_EQ(found->attempts[1].number, 2U);
    EXPECT_EQ(found->attempts[1].status, wire::AttemptStatus::crashed);
    EXPECT_EQ(found->attempts[1].message, "exit status 6");
    EXPECT_EQ(found->attempts[2].number, 3U);
}

TEST_P(StoreContract, ATaskThatNeverRanHasNoAttempt) {
    const auto id = add(task("a"));
    core::Outcome outcome;
    outcome.id = id;
    outcome.state = core::TaskState::cancelled;
    end(outcome);

    const auto found = find(id);

    ASSERT_TRUE(found && found->outcome);
    EXPECT_TRUE(found->attempts.empty());
}

TEST_P(StoreContract, ListsNewestFirstPageByPage) {
    Ids all;
    for (int i = 0; i < 5; ++i)
        all.push_back(add(task("a")));

    store::ListQuery query;
    query.limit = 2;
    const auto first = list(query);
    query.before = first.next_before;
    const auto second = list(query);
    query.before = second.next_before;
    const auto third = list(query);

    EXPECT_EQ(ids(first), (Ids{all[4], all[3]}));
    EXPECT_EQ(ids(second), (Ids{all[2], all[1]}));
    EXPECT_EQ(ids(third), (Ids{all[0]}));
    EXPECT_EQ(third.next_before, 0U);
}

TEST_P(StoreContract, AnExactlyFullLastPageSaysThatItIsTheLast) {
    const auto first = add(task("a"));
    const auto second = add(task("a"));

    store::ListQuery query;
    query.limit = 2;
    const auto page = list(query);

    EXPECT_EQ(ids(page), (Ids{second, first}));
    EXPECT_EQ(page.next_before, 0U);
}

TEST_P(StoreContract, ListsWhatTheFiltersAskFor) {
    const auto live = add(task("a"));
    const auto done = add(task("a"));
    const auto bad = add(task("b"));
    const auto in_group = add(grouped("a", "nightly"));
    end(completed(done));
    end(failed(bad, 1));
    const auto only = [&](store::ListQuery query) { return ids(list(query)); };

    EXPECT_EQ(only({.states = {core::TaskState::completed}}), (Ids{done}));
    EXPECT_EQ(only({.states = {core::TaskState::running}}), (Ids{in_group, live}));
    EXPECT_EQ(only({.states = {core::TaskState::failed, core::TaskState::pending}}),
              (Ids{in_group, bad, live}));
    EXPECT_EQ(only({.type = "b"}), (Ids{bad}));
    EXPECT_EQ(only({.group = "nightly"}), (Ids{in_group}));
    EXPECT_EQ(only({.host = "worker-7"}), (Ids{bad, done}));
    EXPECT_EQ(only({.host = "worker-8"}), (Ids{}));
}

TEST_P(StoreContract, ResultsComeInOrderOfRecording) {
    const auto a = add(task("a"));
    const auto b = add(task("b"));
    const auto c = add(grouped("a", "nightly"));
    end(completed(c));
    end(completed(a));
    end(completed(b));

    const auto all = results({});
    EXPECT_EQ(ids(all), (Ids{c, a, b}));
    EXPECT_EQ(all.tasks[1].sequence, all.tasks[0].sequence + 1);
    EXPECT_EQ(all.next_after, all.tasks[2].sequence);
    EXPECT_EQ(all.newest, all.tasks[2].sequence);
    EXPECT_EQ(all.oldest, all.tasks[0].sequence);

    EXPECT_EQ(ids(results({.after = all.tasks[0].sequence})), (Ids{a, b}));
    EXPECT_EQ(ids(results({.type = "b"})), (Ids{b}));
    EXPECT_EQ(ids(results({.group = "nightly"})), (Ids{c}));
    EXPECT_EQ(ids(results({.from_id = b})), (Ids{c, b}));
    EXPECT_EQ(ids(results({.to_id = a})), (Ids{a}));

    const auto page = results({.limit = 1});
    EXPECT_EQ(ids(page), (Ids{c}));
    EXPECT_EQ(page.next_after, all.tasks[0].sequence);
}

TEST_P(StoreContract, TheCursorMovesPastResultsThatDoNotMatch) {
    const auto a = add(task("a"));
    end(completed(a));

    const auto page = results({.type = "other"});

    EXPECT_TRUE(page.tasks.empty());
    EXPECT_EQ(page.next_after, page.newest);
    EXPECT_EQ(results({.after = page.newest}).next_after, page.newest);
}

TEST_P(StoreContract, AReopenedTaskIsLiveAgainAndKeepsItsAttempts) {
    const auto id = add(named("a", "x", "1"));
    store::Transaction transaction;
    transaction.attempts = {{id, attempt(1, wire::AttemptStatus::retry)}};
    commit(std::move(transaction));
    end(failed(id, 2));

    const auto reopened = reopen(id);

    ASSERT_TRUE(reopened);
    EXPECT_EQ(reopened->task.payload.view(), "1");
    EXPECT_EQ(reopened->task.attempts_before, 2U);
    EXPECT_EQ(reopened->attempts.size(), 2U);
    EXPECT_FALSE(find(id)->outcome);
    EXPECT_TRUE(results({}).tasks.empty());
    EXPECT_EQ(ids(list({.states = {core::TaskState::pending}})), (Ids{id}));

    auto second = completed(id);
    second.attempt.number = 3;
    end(second);
    EXPECT_EQ(find(id)->attempts.size(), 3U);
    EXPECT_EQ(ids(results({})), (Ids{id}));
    EXPECT_EQ(resolve("x"), id);
}

TEST_P(StoreContract, OnlyAnEndedTaskCanBeReopened) {
    const auto id = add(task("a"));

    const auto live = reopen(id);
    const auto unknown = reopen(id + 1);

    ASSERT_FALSE(live);
    EXPECT_EQ(live.error().code, base::Errc::conflict);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, base::Errc::not_found);
}

TEST_P(StoreContract, CallbacksComeInTheOrderOfTheCalls) {
    auto made = task("a");
    const auto id = made.id;
    store::Transaction first;
    first.submits.push_back(std::move(made));
    store::Transaction second;
    second.outcomes.push_back(completed(id));
    std::string order;
    bool ended = false;

    store_->commit(std::move(first), [&](auto) { order += "submit "; });
    store_->commit(std::move(second), [&](auto) { order += "outcome "; });
    store_->find(id, [&](base::Result<std::optional<store::TaskRecord>> found) {
        order += "find";
        ended = found->has_value() && (*found)->outcome.has_value();
    });
    while (order.size() < std::string("submit outcome find").size())
        queue_.run_one();

    EXPECT_EQ(order, "submit outcome find");
    EXPECT_TRUE(ended) << "find saw the state before the commits";
}

}  // namespace distributo::tests
