#pragma once

#include "coordinator/store/store.hpp"

#include <memory>
#include <utility>

namespace distributo::tests {

/// Hands every call to another store; a test overrides those that it wants to look at or to break.
class ForwardingStore : public coordinator::store::Store {
public:
    /// `inner` may be shared, to be opened again by somebody else.
    explicit ForwardingStore(std::shared_ptr<Store> inner) : inner_(std::move(inner)) {}

    base::Result<coordinator::store::Recovered> open() override { return inner_->open(); }
    void commit(coordinator::store::Transaction transaction,
                Done<coordinator::store::Committed> done) override {
        inner_->commit(std::move(transaction), std::move(done));
    }
    void find(coordinator::store::TaskId id,
              Done<std::optional<coordinator::store::TaskRecord>> done) override {
        inner_->find(id, std::move(done));
    }
    void resolve(const std::string& given_id, Done<coordinator::store::TaskId> done) override {
        inner_->resolve(given_id, std::move(done));
    }
    void list(coordinator::store::ListQuery query,
              Done<coordinator::store::ListPage> done) override {
        inner_->list(std::move(query), std::move(done));
    }
    void results(coordinator::store::ResultsQuery query,
                 Done<coordinator::store::ResultsPage> done) override {
        inner_->results(std::move(query), std::move(done));
    }
    void reopen(coordinator::store::TaskId id,
                base::WallTime now,
                Done<coordinator::store::TaskRecord> done) override {
        inner_->reopen(id, now, std::move(done));
    }
    void group(const std::string& name,
               Done<std::optional<coordinator::store::NamedTally>> done) override {
        inner_->group(name, std::move(done));
    }
    void groups(coordinator::store::TaskId before,
                std::size_t limit,
                Done<std::vector<coordinator::store::NamedTally>> done) override {
        inner_->groups(before, limit, std::move(done));
    }
    void types(Done<std::vector<coordinator::store::NamedTally>> done) override {
        inner_->types(std::move(done));
    }
    void prune(const coordinator::store::Retention& retention,
               base::WallTime now,
               Done<bool> done) override {
        inner_->prune(retention, now, std::move(done));
    }
    void backup(const std::string& file, Done<std::uint64_t> done) override {
        inner_->backup(file, std::move(done));
    }
    [[nodiscard]] coordinator::store::Health health() const override { return inner_->health(); }

private:
    std::shared_ptr<Store> inner_;
};

}  // namespace distributo::tests
