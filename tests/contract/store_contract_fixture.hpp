#pragma once

// What the parts of the store contract share; see store_contract.hpp.

#include "base/ids.hpp"
#include "coordinator/store/store.hpp"
#include "tests/support/post_queue.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace distributo::tests {

using namespace std::chrono_literals;
namespace core = coordinator::core;
namespace store = coordinator::store;

struct StoreMaker {
    using Post = std::function<void(std::function<void()>)>;
    std::string name;
    /// A new store without tasks.
    std::function<std::unique_ptr<store::Store>(Post post)> make;
    /// A store, not opened yet, on what `old` has left; a later boot of the coordinator.
    std::function<std::unique_ptr<store::Store>(Post post, std::unique_ptr<store::Store> old)>
        make_again;
};

inline void PrintTo(const StoreMaker& maker, std::ostream* out) {
    *out << maker.name;
}

class StoreContract : public testing::TestWithParam<StoreMaker> {
protected:
    StoreContract() : store_(GetParam().make(post())) {
        const auto opened = store_->open();
        EXPECT_TRUE(opened);
        next_id_ = opened->next_id;
    }

    StoreMaker::Post post() {
        return [this](std::function<void()> function) { queue_.post(std::move(function)); };
    }
    /// The coordinator is started again.
    store::Recovered restart() {
        store_ = GetParam().make_again(post(), std::move(store_));
        auto opened = store_->open();
        EXPECT_TRUE(opened);
        next_id_ = opened->next_id;
        return std::move(*opened);
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
    core::NewTask with(core::TaskOptions options, std::string_view type = "a") {
        auto made = task(type);
        made.options = std::make_shared<core::TaskOptions>(std::move(options));
        return made;
    }
    core::NewTask named(std::string_view type, std::string given_id, std::string_view payload) {
        core::TaskOptions options;
        options.given_id = std::move(given_id);
        auto made = with(std::move(options), type);
        made.payload = base::Bytes::copy(payload);
        return made;
    }
    core::NewTask grouped(std::string_view type, std::string group) {
        core::TaskOptions options;
        options.group = std::move(group);
        return with(std::move(options), type);
    }
    core::NewTask unique(std::string key) {
        core::TaskOptions options;
        options.unique_key = std::move(key);
        return with(std::move(options));
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
    void record(core::TaskId id, core::Attempt made) {
        store::Transaction transaction;
        transaction.attempts.push_back({id, std::move(made)});
        commit(std::move(transaction));
    }
    void record(core::Control control) {
        store::Transaction transaction;
        transaction.controls.push_back(std::move(control));
        commit(std::move(transaction));
    }
    void end(core::Outcome outcome) {
        store::Transaction transaction;
        transaction.outcomes.push_back(std::move(outcome));
        commit(std::move(transaction));
    }
    /// Adds a task and its end.
    core::TaskId add_ended(core::NewTask made) {
        const auto id = add(std::move(made));
        end(completed(id));
        return id;
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
    /// Forgets all that may be forgotten.
    void prune(const store::Retention& retention, base::WallTime now) {
        while (*await<bool>([&](auto done) { store_->prune(retention, now, std::move(done)); })) {
        }
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

}  // namespace distributo::tests
