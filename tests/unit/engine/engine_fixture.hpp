#pragma once

#include "base/ids.hpp"
#include "coordinator/engine/engine.hpp"
#include "tests/support/forwarding_store.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace distributo::coordinator::engine {

class ManualClock final : public base::Clock {
public:
    [[nodiscard]] base::TimePoint now() const override { return now_; }
    [[nodiscard]] base::WallTime wall() const override {
        return base::WallTime(std::chrono::milliseconds(1'700'000'000'000)) +
               std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
    }
    void advance(base::Duration duration) { now_ += duration; }

private:
    base::TimePoint now_{std::chrono::hours(1)};
};

/// A host as the engine sees it; remembers what it was told.
class FakeHost final : public HostPort {
public:
    struct Assigned {
        wire::Token token;
        std::string id;
        std::string type;
        std::string payload;
        std::uint32_t attempt = 0;
        wire::Lease lease;
    };
    void assign(const wire::AssignItem& item) override {
        gathered.push_back({item.token,
                            std::string(item.id),
                            std::string(item.type),
                            std::string(item.payload),
                            item.attempt,
                            item.lease});
    }
    void cancel(const wire::CancelItem& item) override { cancels.push_back(item.token); }
    void ack(const wire::AckItem& item) override { acks.push_back(item); }
    void flush() override {
        ++flushes;
        assigns.insert(assigns.end(), gathered.begin(), gathered.end());
        gathered.clear();
    }
    void replaced() override { was_replaced = true; }

    HostIndex index = core::no_host;
    std::vector<Assigned> gathered;
    std::vector<Assigned> assigns;  // flushed ones
    std::vector<wire::Token> cancels;
    std::vector<wire::AckItem> acks;
    int flushes = 0;
    bool was_replaced = false;
};

/// The memory store behind a gate: while it is shut, commits do not come back.
class GatedStore final : public tests::ForwardingStore {
public:
    GatedStore(boost::asio::io_context& io, std::shared_ptr<store::Store> inner)
        : ForwardingStore(std::move(inner)), io_(io) {}
    explicit GatedStore(boost::asio::io_context& io)
        : GatedStore(io, store::make_memory_store([&io](std::function<void()> function) {
                         boost::asio::post(io, std::move(function));
                     })) {}

    base::Result<store::Recovered> open() override {
        auto opened = ForwardingStore::open();
        if (next_id == 0)
            return opened;
        opened->live = std::move(live);
        opened->reserved = std::move(reserved);
        opened->next_id = next_id;
        return opened;
    }
    void commit(store::Transaction transaction, Done<store::Committed> done) override {
        ++commits;
        if (full) {
            // As on a full disk: what somebody submits is refused, the rest goes on.
            std::erase_if(transaction.submits, [](const auto& task) { return task.parent == 0; });
            transaction.submissions.clear();
            std::erase_if(transaction.cursors, [](const auto& cursor) { return cursor.feeds; });
        }
        if (broken) {
            boost::asio::post(
                io_, [done = std::move(done)] { done(base::error(base::Errc::io, "disk full")); });
            return;
        }
        ForwardingStore::commit(
            std::move(transaction),
            [this, done = std::move(done)](base::Result<store::Committed> answer) {
                answer->submits_refused = full;
                if (!shut)
                    return done(std::move(answer));
                held.push_back([done, answer = std::move(answer)] { done(answer); });
            });
    }
    void reopen(TaskId id, base::WallTime now, Done<store::TaskRecord> done) override {
        if (!broken)
            return ForwardingStore::reopen(id, now, std::move(done));
        boost::asio::post(io_,
                          [done = std::move(done)] { done(base::error(base::Errc::io, "no")); });
    }
    void find(TaskId id, Done<std::optional<store::TaskRecord>> done) override {
        ForwardingStore::find(id, [this, done = std::move(done)](auto answer) {
            if (on_found)
                std::exchange(on_found, {})();
            done(std::move(answer));
        });
    }
    void list(store::ListQuery query, Done<store::ListPage> done) override {
        ForwardingStore::list(std::move(query), [this, done = std::move(done)](auto answer) {
            if (on_listed)
                std::exchange(on_listed, {})();
            done(std::move(answer));
        });
    }
    void prune(const store::Retention& retention, base::WallTime now, Done<bool> done) override {
        ++prunes;
        needed_after = retention.needed_after;
        ForwardingStore::prune(
            retention, now, [this, done = std::move(done)](base::Result<bool> more) {
                // A copy of a result<bool> from an lvalue would be made from its operator bool.
                done(slices_left > 0 && slices_left-- > 0 ? base::Result<bool>(true)
                                                          : std::move(more));
            });
    }
    void backup(const std::string& file, Done<std::uint64_t> done) override {
        boost::asio::post(io_, [file, done = std::move(done)] { done(file.size()); });
    }
    void group(const std::string& name, Done<std::optional<store::NamedTally>> done) override {
        ForwardingStore::group(name, [this, done = std::move(done)](auto answer) {
            if (newer_tally)
                (*answer)->tally = *newer_tally;
            done(std::move(answer));
        });
    }
    /// A restarted engine gets the same one again, as if it lasted.
    [[nodiscard]] store::Health health() const override {
        auto health = ForwardingStore::health();
        health.durable = true;
        return health;
    }
    void open_gate() {
        shut = false;
        for (const auto& call : std::exchange(held, {}))
            call();
    }

    std::function<void()> on_found, on_listed;  ///< once, between an answer and its arrival
    std::optional<store::Tally> newer_tally;    ///< what a group's answer says instead
    int commits = 0;
    int prunes = 0;
    std::uint64_t needed_after = 0;  ///< of the last call of prune()
    int slices_left = 0;             ///< so many calls of prune() say that there is more
    bool shut = false;
    bool broken = false;
    bool full = false;
    std::deque<std::function<void()>> held;
    std::vector<core::RecoveredTask> live;
    std::vector<TaskId> reserved;
    TaskId next_id = 1;  ///< 0: what the inner store has found counts

private:
    boost::asio::io_context& io_;
};

class EngineTest : public testing::Test {
protected:
    EngineTest() { make(core::Settings{}); }

    void make(const core::Settings& settings, std::function<void(GatedStore&)> prepare = {}) {
        engine_.reset();
        auto store = std::make_unique<GatedStore>(io_);
        store_ = store.get();
        if (prepare)
            prepare(*store);
        engine_ = std::make_unique<Engine>(io_, clock_, settings, std::move(store));
        EXPECT_TRUE(engine_->start());
        settle();
    }

    /// An engine after another on one store; the first one just stops.
    void restart(const core::Settings& settings = {}) {
        if (engine_)
            dead_.push_back(std::move(engine_));  // its types are pointed to
        auto store = std::make_unique<GatedStore>(io_, kept_);
        store_ = store.get();
        store_->next_id = 0;
        engine_ = std::make_unique<Engine>(io_, clock_, settings, std::move(store));
        ASSERT_TRUE(engine_->start());
    }

    /// Runs everything that is ready, until nothing is.
    void settle() {
        do
            io_.restart();
        while (io_.poll() != 0);
    }
    void advance(base::Duration duration) {
        clock_.advance(duration);
        engine_->run_due();
        settle();
    }

    template <typename T>
    struct Answer {
        std::optional<base::Result<T>> value;
        [[nodiscard]] bool here() const { return value.has_value(); }
        const T& operator*() const { return **value; }
        const T* operator->() const { return &**value; }
        [[nodiscard]] base::Errc error() const { return value->error().code; }
    };
    /// Calls `begin(done)`; the answer may come now or later.
    template <typename T, typename Begin>
    std::shared_ptr<Answer<T>> ask(Begin begin) {
        auto answer = std::make_shared<Answer<T>>();
        begin(Engine::Done<T>([answer](base::Result<T> value) {
            EXPECT_FALSE(answer->value) << "answered twice";
            answer->value = std::move(value);
        }));
        EXPECT_FALSE(answer->value) << "a callback ran inside the call";
        settle();
        return answer;
    }

    auto submit(std::vector<Submit> items) {
        return ask<std::vector<Submitted>>(
            [&](auto done) { engine_->submit(std::move(items), std::move(done)); });
    }
    static Submit task(std::string_view type, std::string_view payload = "{}") {
        return {type, base::Bytes::copy(payload), nullptr};
    }
    static Submit named(std::string given_id, std::string_view payload = "{}") {
        core::TaskOptions options;
        options.given_id = std::move(given_id);
        return {"echo", base::Bytes::copy(payload), std::make_shared<core::TaskOptions>(options)};
    }
    /// Submits one task and returns its shown id.
    std::string add(const Submit& one) {
        const auto answer = submit({one});
        return one.options ? one.options->given_id : base::NumberText((**answer)[0].id).str();
    }
    auto find(const std::string& id) {
        return ask<Found>([&](auto done) { engine_->find(id, found(std::move(done))); });
    }
    auto wait(const std::string& id, base::Duration timeout) {
        return ask<Found>([&](auto done) { engine_->wait(id, timeout, found(std::move(done))); });
    }
    auto cancel(const std::string& id) {
        return ask<Found>([&](auto done) { engine_->cancel(id, found(std::move(done))); });
    }
    auto retry(const std::string& id) {
        return ask<Found>([&](auto done) { engine_->retry(id, found(std::move(done))); });
    }
    auto results(const store::ResultsQuery& query, base::Duration timeout = {}) {
        return ask<store::ResultsPage>(
            [&](auto done) { engine_->results(query, timeout, std::move(done)); });
    }

    /// TaskDetails without the views, which do not outlive the callback.
    struct Found {
        store::TaskRecord record;
        wire::TaskState state = wire::TaskState::pending;
        std::string id;
        bool live = false;
    };
    static Engine::Done<TaskDetails> found(Engine::Done<Found> done) {
        return [done = std::move(done)](base::Result<TaskDetails> task) {
            if (!task)
                return done(task.error());
            done(Found{task->record, task->state(), task->shown_id(), task->live.has_value()});
        };
    }

    static wire::Hello hello_of(const std::string& name, std::uint32_t slots = 4) {
        wire::Hello hello;
        hello.host_id = std::string(32 - name.size(), '0') + name;
        hello.boot_id = name + "-boot";
        hello.name = name;
        hello.version = "0.1.0";
        hello.slots = slots;
        return hello;
    }
    static wire::Capabilities offer_of(std::uint32_t credit) {
        wire::Capability capability;
        capability.type = "echo";
        capability.credit = credit;
        wire::Capabilities offer;
        offer.sequence = 1;
        offer.types = {capability};
        return offer;
    }
    /// A host that comes with what `hello` says and offers "echo".
    std::unique_ptr<FakeHost> join(wire::Hello hello) {
        const auto credit = hello.slots;
        auto host = std::make_unique<FakeHost>();
        host->index = engine_->host_joined({std::move(hello), "127.0.0.1:1"}, *host, welcome_);
        engine_->host_capabilities(host->index, offer_of(credit));
        settle();
        return host;
    }
    std::unique_ptr<FakeHost> join(const std::string& name = "alpha", std::uint32_t credit = 4) {
        return join(hello_of(name, credit));
    }
    void report(FakeHost& host, const wire::Token& token, std::string_view result = "42") {
        wire::ResultItem item;
        item.token = token;
        item.result = result;
        engine_->host_result(host.index, item);
        settle();
    }
    void report_failure(FakeHost& host,
                        const wire::Token& token,
                        wire::AttemptStatus status = wire::AttemptStatus::permanent) {
        wire::ResultItem item;
        item.token = token;
        item.status = status;
        item.message = "no such file";
        engine_->host_result(host.index, item);
        settle();
    }

    boost::asio::io_context io_;
    ManualClock clock_;
    GatedStore* store_ = nullptr;
    std::unique_ptr<Engine> engine_;
    std::shared_ptr<store::Store> kept_ = store::make_memory_store(  // over restarts
        [this](std::function<void()> function) { boost::asio::post(io_, std::move(function)); });
    std::vector<std::unique_ptr<Engine>> dead_;
    wire::Welcome welcome_;
};

}  // namespace distributo::coordinator::engine
