#pragma once

#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "tests/contract/store_contract_fixture.hpp"
#include "tests/support/temporary_directory.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace distributo::tests {

/// Stores on a folder that goes with the test.
class SqliteStoreTest : public testing::Test {
protected:
    virtual store::SqliteOptions options() { return {.directory = folder_.path(), .reserve = 0}; }
    std::unique_ptr<store::Store> make() {
        return store::make_sqlite_store(
            options(), [this](auto function) { queue_.post(std::move(function)); });
    }
    std::unique_ptr<store::Store> opened() {
        auto made = make();
        EXPECT_TRUE(made->open());
        return made;
    }
    [[nodiscard]] std::string file() const { return (folder_.path() / "store.db").string(); }
    base::Error refused() {
        const auto opened = make()->open();
        EXPECT_FALSE(opened);
        return opened ? base::Error{} : opened.error();
    }
    /// Runs what is posted until the answer is there.
    template <typename T, typename Begin>
    base::Result<T> await(Begin begin) {
        std::optional<base::Result<T>> answer;
        begin(store::Store::Done<T>([&](base::Result<T> value) { answer = std::move(value); }));
        while (!answer)
            queue_.run_one();
        return *answer;
    }
    base::Result<store::Committed> commit(store::Store& store, store::Transaction transaction) {
        return await<store::Committed>(
            [&](auto done) { store.commit(std::move(transaction), std::move(done)); });
    }
    static core::NewTask task(core::TaskId id, std::string_view payload = "1") {
        core::NewTask made;
        made.id = id;
        made.type = "a";
        made.payload = base::Bytes::copy(payload);
        return made;
    }
    static core::Outcome completed(core::TaskId id, std::string_view result = "1") {
        core::Outcome made;
        made.id = id;
        made.result = base::Bytes::copy(result);
        made.attempt.number = 1;
        return made;
    }
    base::Result<store::Committed> submit(store::Store& store, core::NewTask made) {
        store::Transaction transaction;
        transaction.submits.push_back(std::move(made));
        return commit(store, std::move(transaction));
    }
    base::Result<store::Committed> end(store::Store& store, core::Outcome outcome) {
        store::Transaction transaction;
        transaction.outcomes.push_back(std::move(outcome));
        return commit(store, std::move(transaction));
    }
    std::optional<store::TaskRecord> find(store::Store& store, core::TaskId id) {
        return *await<std::optional<store::TaskRecord>>(
            [&](auto done) { store.find(id, std::move(done)); });
    }

    PostQueue queue_;
    TemporaryDirectory folder_;
};

}  // namespace distributo::tests
