#pragma once

#include "coordinator/store/store.hpp"
#include "tests/simulation/random.hpp"
#include "tests/simulation/trace.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

namespace distributo::simulation {

namespace core = coordinator::core;
namespace store = coordinator::store;

/// One write to the journal: a coordinator was started, a transaction, a task was reopened.
struct Booted {};
struct Stored {
    store::Transaction transaction;
    std::vector<store::Duplicate> duplicates;
};
struct Reopened {
    core::TaskId id = 0;
    base::WallTime when;
};
using Write = std::variant<Booted, Stored, Reopened>;

/// Makes a store that lasts by itself, always the same one.
using MakeStore = std::function<std::unique_ptr<store::Store>(store::Post post)>;

/// A disk that remembers what was synced, and of the rest some first part.
///
/// The store on it is the memory store plus a journal: what it knows after a crash is what a fresh
/// one knows after it was given the journal again. Answers come when all that was written before
/// them is synced. A real store may take the place of both; then whatever was written survives, and
/// the journal tells whether the two stores agree.
class Disk {
public:
    /// Called for every write in order, as soon as no crash can undo it.
    using Durable = std::function<void(const Write&)>;

    /// `real` may be empty.
    Disk(Timeline& time,
         Trace& trace,
         Random random,
         base::Duration slowest_sync,
         Durable durable,
         MakeStore real);
    ~Disk();
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    /// The store as a coordinator finds it that is started now; one at a time.
    [[nodiscard]] std::unique_ptr<store::Store> mount();
    /// Compares what the mounted store knows with what the journal gives back (I14); what differs
    /// first, or nothing. Only when the disk is quiet.
    [[nodiscard]] std::string difference_from_journal() const;
    /// Called when answers were given, which is when their receivers have something to do.
    void when_answered(std::function<void()> what) { answered_ = std::move(what); }
    /// Nothing is on its way to it or from it.
    [[nodiscard]] bool is_quiet() const noexcept;
    /// The power fails. The store that was mounted must be gone.
    void power_off();

    void set_full(bool full) noexcept { full_ = full; }
    void break_next_sync() noexcept { break_next_ = true; }
    /// No more trouble from here on.
    void calm_down();
    /// Calls `crash` in the middle of the next sync, or after it and before anybody knows.
    void crash_during_sync(std::function<void()> crash) { during_sync_ = std::move(crash); }
    void crash_after_sync(std::function<void()> crash) { after_sync_ = std::move(crash); }

private:
    class MountedStore;
    class Later;

    void write(Write what);
    void start_sync();
    void end_sync();
    void fail_sync();
    void announce(std::size_t end);
    /// A store that was given the whole journal.
    [[nodiscard]] std::unique_ptr<store::Store> replay(const std::shared_ptr<Later>& later) const;
    [[nodiscard]] static std::string_view own_name(std::string_view type);

    Timeline& time_;
    Trace& trace_;
    Random random_;
    base::Duration slowest_sync_;
    Durable durable_;
    MakeStore real_;
    std::vector<Write> journal_;
    std::size_t synced_ = 0;
    std::size_t syncing_ = 0;  // as far as the running sync goes; 0: none runs
    bool full_ = false;
    bool break_next_ = false;
    bool broken_ = false;  // a sync failed: nothing works until the next mount
    std::function<void()> answered_;
    std::function<void()> during_sync_;
    std::function<void()> after_sync_;
    MountedStore* mounted_ = nullptr;
    std::uint64_t mounts_ = 0;
};

}  // namespace distributo::simulation
