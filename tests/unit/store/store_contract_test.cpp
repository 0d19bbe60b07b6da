// Both stores keep the contract.
#include "tests/contract/store_contract.hpp"

#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace distributo::tests {
namespace {

StoreMaker memory() {
    return {"memory",
            [](StoreMaker::Post post) { return store::make_memory_store(std::move(post), 1000); },
            [](const StoreMaker::Post&, std::unique_ptr<store::Store> old) { return old; }};
}

/// A store in a folder that goes with the test.
StoreMaker sqlite() {
    auto folder = std::make_shared<TemporaryDirectory>();
    return {"sqlite",
            [folder](StoreMaker::Post post) {
                folder->empty();
                return store::make_sqlite_store({.directory = folder->path(), .reserve = 0},
                                                std::move(post));
            },
            [folder](StoreMaker::Post post, std::unique_ptr<store::Store> old) {
                old.reset();
                return store::make_sqlite_store({.directory = folder->path(), .reserve = 0},
                                                std::move(post));
            }};
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(memory()));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(sqlite()));

}  // namespace
}  // namespace distributo::tests
