// Both stores keep the contract.
#include "tests/contract/store_contract.hpp"

#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "tests/support/forwarding_store.hpp"
#include "tests/support/temporary_directory.hpp"

#include <memory>
#include <utility>

namespace distributo::tests {
namespace {

StoreMaker memory() {
    return {"memory",
            [](StoreMaker::Post post) { return store::make_memory_store(std::move(post), 1000); },
            [](const StoreMaker::Post&, std::unique_ptr<store::Store> old) { return old; }};
}

/// A SQLite store with its folder, which goes after it.
class StoreInFolder final : public ForwardingStore {
public:
    StoreInFolder(const StoreMaker::Post& post, const std::shared_ptr<TemporaryDirectory>& folder)
        : ForwardingStore(std::shared_ptr<Store>(
              store::make_sqlite_store({.directory = folder->path(), .reserve = 0}, post).release(),
              [folder](const Store* gone) { delete gone; })),
          folder_(folder) {}
    [[nodiscard]] std::shared_ptr<TemporaryDirectory> folder() const { return folder_; }

private:
    std::shared_ptr<TemporaryDirectory> folder_;
};

StoreMaker sqlite() {
    return {"sqlite",
            [](const StoreMaker::Post& post) {
                return std::make_unique<StoreInFolder>(post,
                                                       std::make_shared<TemporaryDirectory>());
            },
            [](const StoreMaker::Post& post, std::unique_ptr<store::Store> old) {
                const auto folder = dynamic_cast<StoreInFolder&>(*old).folder();
                old.reset();
                return std::make_unique<StoreInFolder>(post, folder);
            }};
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(memory()));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(sqlite()));
INSTANTIATE_TEST_SUITE_P(Memory, StoreContractExtensions, testing::Values(memory()));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContractExtensions, testing::Values(sqlite()));

}  // namespace
}  // namespace distributo::tests
