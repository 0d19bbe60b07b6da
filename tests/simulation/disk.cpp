#include "tests/simulation/disk.hpp"

#include "tests/simulation/scenario.hpp"
#include "tests/support/forwarding_store.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace distributo::simulation {

using namespace std::chrono_literals;

namespace {

/// Every ended task in a few words, by what `list` gives.
template <typename List>
std::vector<std::string> describe_tasks(List list) {
    std::vector<std::string> described;
    store::ListQuery query;
    query.limit = 10'000;
    list(query, [&](base::Result<store::ListPage> page) {
        for (const auto& record : page->tasks)
            if (record.outcome)
                described.push_back("task " + std::to_string(record.task.id) + " as " +
                                    std::string(to_string(record.outcome->state)) + " by attempt " +
                                    std::to_string(record.outcome->attempt.number) + ", number " +
                                    std::to_string(record.sequence));
    });
    return described;
}

/// Takes out what a full disk refuses; where the others were.
std::vector<std::size_t> refuse_submits(store::Transaction& transaction) {
    std::vector<core::NewTask> kept;
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < transaction.submits.size(); ++i)
        if (transaction.submits[i].parent != 0) {
            kept.push_back(std::move(transaction.submits[i]));
            positions.push_back(i);
        }
    transaction.submits = std::move(kept);
    transaction.submissions.clear();
    std::erase_if(transaction.cursors, &core::Cursor::feeds);
    return positions;
}

}  // namespace

/// Runs what a store wants to be run later, when it is told to. A real one asks from its own
/// thread.
class Disk::Later {
public:
    [[nodiscard]] static store::Post post_to(const std::shared_ptr<Later>& later) {
        return [later](std::function<void()> one) {
            const std::lock_guard lock(later->mutex_);
            later->waiting_.push_back(std::move(one));
            later->arrived_.notify_one();
        };
    }
    /// Until `count` more answers have come; whoever gets one says so.
    void expect(std::size_t count) {
        expected_ += count;
        while (expected_ > 0) {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [&] { return !waiting_.empty(); });
            const auto ready = std::exchange(waiting_, {});
            lock.unlock();
            for (const auto& one : ready)
                one();
        }
    }
    void arrived() noexcept { --expected_; }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::function<void()>> waiting_;
    std::size_t expected_ = 0;
};

class Disk::MountedStore final : public distributo::tests::ForwardingStore {
public:
    MountedStore(Disk& disk, std::shared_ptr<Later> later, std::unique_ptr<store::Store> inner)
        : ForwardingStore(std::move(inner)), disk_(disk), later_(std::move(later)) {}
    ~MountedStore() override { disk_.mounted_ = nullptr; }

    base::Result<store::Recovered> open() override {
        disk_.write(Booted{});
        disk_.announce(disk_.journal_.size());
        return ForwardingStore::open();
    }
    void commit(store::Transaction transaction, Done<store::Committed> done) override {
        if (disk_.broken_)
            return fail<store::Committed>(done);
        for (auto& task : transaction.submits)
            task.type = disk_.own_name(task.type);
        const bool refused =
            disk_.full_ && (std::ranges::any_of(transaction.cursors, &core::Cursor::feeds) ||
                            std::ranges::any_of(transaction.submits,
                                                [](const auto& task) { return task.parent == 0; }));
        std::vector<std::size_t> positions;
        if (refused)
            positions = refuse_submits(transaction);
        const auto place = disk_.journal_.size();
        disk_.write(Stored{transaction, {}});
        ForwardingStore::commit(std::move(transaction),
                                [&, done = std::move(done)](base::Result<store::Committed> answer) {
                                    later_->arrived();
                                    std::get<Stored>(disk_.journal_[place]).duplicates =
                                        answer->duplicates;
                                    answer->submits_refused = refused;
                                    if (refused)
                                        for (auto& duplicate : answer->duplicates)
                                            duplicate.index = positions[duplicate.index];
                                    wait(done, std::move(answer));
                                });
        later_->expect(1);
    }
    void find(store::TaskId id, Done<std::optional<store::TaskRecord>> done) override {
        ForwardingStore::find(id, waiting(std::move(done)));
        later_->expect(1);
    }
    void resolve(const std::string& given_id, Done<store::TaskId> done) override {
        ForwardingStore::resolve(given_id, waiting(std::move(done)));
        later_->expect(1);
    }
    void list(store::ListQuery query, Done<store::ListPage> done) override {
        ForwardingStore::list(std::move(query), waiting(std::move(done)));
        later_->expect(1);
    }
    void results(store::ResultsQuery query, Done<store::ResultsPage> done) override {
        ForwardingStore::results(std::move(query), waiting(std::move(done)));
        later_->expect(1);
    }
    void reopen(store::TaskId id, base::WallTime now, Done<store::TaskRecord> done) override {
        if (disk_.broken_)
            return fail<store::TaskRecord>(done);
        ForwardingStore::reopen(
            id, now, [&, done = std::move(done)](base::Result<store::TaskRecord> answer) {
                later_->arrived();
                if (answer)
                    disk_.write(Reopened{id, now});
                wait(done, std::move(answer));
            });
        later_->expect(1);
    }
    void prune(const store::Retention& retention, base::WallTime now, Done<bool> done) override {
        ForwardingStore::prune(retention, now, waiting(std::move(done)));
        later_->expect(1);
    }
    [[nodiscard]] store::Health health() const override {
        store::Health health;
        health.durable = true;
        health.disk_full = disk_.full_;
        return health;
    }

    /// Answers at once, also with what is not synced.
    void list_now(const store::ListQuery& query, Done<store::ListPage> done) {
        ForwardingStore::list(query, [this, done = std::move(done)](auto page) {
            later_->arrived();
            done(std::move(page));
        });
        later_->expect(1);
    }
    /// Gives the answers that were waiting for what is synced now.
    void answer_synced() {
        while (!answers_.empty() && answers_.front().after <= disk_.synced_) {
            const auto give = std::move(answers_.front().give);
            answers_.pop_front();
            give();
        }
    }
    void fail_all() {
        for (const auto& answer : std::exchange(answers_, {}))
            if (answer.fail)
                answer.fail();
    }
    [[nodiscard]] bool waits() const noexcept { return !answers_.empty(); }

private:
    struct Answer {
        std::size_t after = 0;  // that many writes
        std::function<void()> give;
        std::function<void()> fail;
    };

    static base::Error failure() { return base::error(base::Errc::io, "the sync failed"); }

    template <typename T>
    Done<T> waiting(Done<T> done) {
        return [this, done = std::move(done)](base::Result<T> value) {
            later_->arrived();
            wait(done, std::move(value));
        };
    }
    template <typename T>
    void wait(const Done<T>& done, base::Result<T> value) {
        answers_.push_back({disk_.journal_.size(),
                            [done, value = std::move(value)]() mutable { done(std::move(value)); },
                            [done] { done(failure()); }});
        disk_.start_sync();
    }
    template <typename T>
    void fail(const Done<T>& done) {
        answers_.push_back({0, [done] { done(failure()); }, [done] { done(failure()); }});
        disk_.start_sync();
    }

    Disk& disk_;
    std::shared_ptr<Later> later_;
    std::deque<Answer> answers_;
};

Disk::Disk(Timeline& time,
           Trace& trace,
           Random random,
           base::Duration slowest_sync,
           Durable durable,
           MakeStore real)
    : time_(time),
      trace_(trace),
      random_(random),
      slowest_sync_(slowest_sync),
      durable_(std::move(durable)),
      real_(std::move(real)) {}

Disk::~Disk() = default;

std::unique_ptr<store::Store> Disk::replay(const std::shared_ptr<Later>& later) const {
    auto made = store::make_memory_store(
        Later::post_to(later),
        1'000'000,
        store::StoreIdentity{std::string(32, '5'), 1, {0x0123456789ABCDEF, 0xFEDCBA9876543210}});
    const auto arrived = [&later](const auto&) { later->arrived(); };
    std::size_t asked = 0;
    for (const auto& write : journal_) {
        if (std::holds_alternative<Booted>(write)) {
            (void)made->open();
            continue;
        }
        ++asked;
        if (const auto* stored = std::get_if<Stored>(&write))
            made->commit(stored->transaction, arrived);
        else
            made->reopen(std::get<Reopened>(write).id, std::get<Reopened>(write).when, arrived);
    }
    later->expect(asked);
    return made;
}

std::string Disk::difference_from_journal() const {
    if (!mounted_)
        return {};
    const auto later = std::make_shared<Later>();
    const auto replayed = replay(later);
    const auto kept = describe_tasks([&](const store::ListQuery& query, auto done) {
        mounted_->list_now(query, std::move(done));
    });
    const auto again = describe_tasks([&](const store::ListQuery& query, auto done) {
        replayed->list(query, [&](auto page) {
            later->arrived();
            done(std::move(page));
        });
        later->expect(1);
    });
    for (std::size_t i = 0; i < std::max(kept.size(), again.size()); ++i)
        if (i >= kept.size() || i >= again.size() || kept[i] != again[i])
            return "the store knows " + (i < kept.size() ? kept[i] : "nothing") +
                   ", the journal gives " + (i < again.size() ? again[i] : "nothing");
    return {};
}

std::string_view Disk::own_name(std::string_view type) {
    return *std::ranges::find(type_names, type);
}

std::unique_ptr<store::Store> Disk::mount() {
    auto later = std::make_shared<Later>();
    auto inner = real_ ? real_(Later::post_to(later)) : replay(later);
    ++mounts_;
    broken_ = false;
    auto made = std::make_unique<MountedStore>(*this, std::move(later), std::move(inner));
    mounted_ = made.get();
    return made;
}

void Disk::write(Write what) {
    journal_.push_back(std::move(what));
}

void Disk::announce(std::size_t end) {
    for (; synced_ < end; ++synced_)
        durable_(journal_[synced_]);
}

void Disk::start_sync() {
    if (syncing_ != 0)
        return;
    syncing_ = journal_.size();
    const auto takes =
        random_.chance(900) ? random_.between(100us, 5ms) : random_.between(1ms, slowest_sync_);
    const auto if_mounted = [this, mount = mounts_](auto what) {
        return [this, mount, what] {
            if (mounted_ && mounts_ == mount)
                what();
        };
    };
    if (during_sync_ && synced_ < syncing_)
        time_.in(takes / 2, if_mounted(std::exchange(during_sync_, nullptr)));
    time_.in(takes, if_mounted([this] { end_sync(); }));
}

void Disk::end_sync() {
    const bool anything_new = synced_ < syncing_;
    if (broken_ || (anything_new && std::exchange(break_next_, false)))
        return fail_sync();
    announce(std::exchange(syncing_, 0));
    trace_.note("synced", synced_);
    if (anything_new && after_sync_)
        return std::exchange(after_sync_, nullptr)();
    mounted_->answer_synced();
    answered_();
    if (mounted_ && mounted_->waits())
        start_sync();
}

void Disk::fail_sync() {
    trace_.note("sync failed", synced_);
    syncing_ = 0;
    broken_ = true;
    mounted_->fail_all();
    answered_();
}

void Disk::calm_down() {
    full_ = break_next_ = false;
    during_sync_ = after_sync_ = nullptr;
}

bool Disk::is_quiet() const noexcept {
    return synced_ == journal_.size() && !(mounted_ && mounted_->waits());
}

void Disk::power_off() {
    syncing_ = 0;
    // What was written but not synced may be there or not; nothing after a gap is.
    const auto written = journal_.size();
    const auto kept = real_ ? written : synced_ + random_.below(written - synced_ + 1);
    trace_.note("lost writes", journal_.size() - kept);
    journal_.resize(kept);
    announce(kept);
}

}  // namespace distributo::simulation
