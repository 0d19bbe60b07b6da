#pragma once

#include "coordinator/store/store.hpp"
#include "tests/support/post_queue.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace distributo::tests {

namespace core = coordinator::core;
namespace store = coordinator::store;

/// What changes a store.
struct Reopen {
    core::TaskId id = 0;
    base::WallTime now;
};
struct Prune {
    store::Retention retention;
    base::WallTime now;
};
using Call = std::variant<store::Transaction, Reopen, Prune>;

/// What a store answered to a call, so that two can be compared.
struct Answer {
    bool acknowledged = false;  ///< false: the store is broken
    bool refused = false;       ///< its submits were: the disk is full
    std::string text;
};

/// All that a store knows of the tasks it is asked for, as texts with names.
using Snapshot = std::map<std::string, std::string>;

/// A store with the executor that its callbacks run on. Not thread-safe.
class Client {
public:
    using Make = std::function<std::unique_ptr<store::Store>(store::Post)>;
    explicit Client(const Make& make)
        : store_(make([this](auto function) { queue_.post(std::move(function)); })) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] base::Result<store::Recovered> open() { return store_->open(); }
    void send(Call call);
    /// Until all that was sent is answered; the answers in order.
    std::vector<Answer> answers();
    /// Asks for all tasks with ids below that.
    [[nodiscard]] Snapshot snapshot(core::TaskId below);
    /// The store ends as it does when the coordinator stops.
    void close() { store_.reset(); }

private:
    template <typename T>
    store::Store::Done<T> expect(std::function<void(base::Result<T>)> use);
    void run_until_answered();
    [[nodiscard]] std::string results();

    PostQueue queue_;  // goes after the store, which may post until then
    std::unique_ptr<store::Store> store_;
    std::size_t expected_ = 0;
    std::vector<Answer> answers_;
};

/// What a start finds, as texts with names.
[[nodiscard]] Snapshot describe(const store::Recovered& recovered);

}  // namespace distributo::tests
