#include "coordinator/store/sqlite/commit_loop.hpp"

#include "base/log.hpp"

#include <exception>
#include <utility>

namespace distributo::coordinator::store {
namespace {

using Clock = std::chrono::steady_clock;

// Copying 2 000 pages takes some milliseconds; fewer cost more writing, more a longer pause.
constexpr int pages_per_copy = 2000;
// Pages are copied sooner when nobody waits.
constexpr auto idle_after = std::chrono::milliseconds(50);
constexpr auto sleep_at_most = std::chrono::hours(1);
// 256 MiB of pages. The log is that long when somebody reads for so long that it cannot restart.
constexpr int long_log = 65'536;

}  // namespace

CommitLoop::CommitLoop(Setup setup,
                       std::unique_ptr<Database> database,
                       std::unique_ptr<Writer> writer,
                       Outbox& outbox)
    : setup_(std::move(setup)),
      outbox_(outbox),
      database_(std::move(database)),
      writer_(std::move(writer)),
      newest_(writer_->sequence()),
      forgotten_(writer_->forgotten()) {
    database_->count_log_pages(&log_pages_);
}

CommitLoop::~CommitLoop() {
    close();
    if (thread_.joinable())
        thread_.join();
    if (failure())
        database_->leave_log_on_close();
}

void CommitLoop::start() {
    thread_ = std::thread([this] { run(); });
}

void CommitLoop::push(std::unique_ptr<Job<Writer>> job) {
    ++pushed_;
    waiting_.fetch_add(1, std::memory_order_relaxed);
    queue_.push(std::move(job));
}

void CommitLoop::close() {
    queue_.close();
    const std::lock_guard lock(mutex_);
    closing_ = true;
    advanced_.notify_all();
}

bool CommitLoop::wait_for(std::uint64_t jobs) {
    std::unique_lock lock(mutex_);
    advanced_.wait(lock, [&] { return closing_ || done_ >= jobs; });
    return !closing_;
}

void CommitLoop::break_down(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (failure_)
        return;
    failure_ = base::error(base::Errc::io,
                           setup_.file + ": " + why,
                           "look at the disk and its messages in the system's log; start again "
                           "when it is well, or restore a backup");
    base::log::error("store.broken", {{"file", setup_.file}, {"error", why}});
}

std::optional<base::Error> CommitLoop::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

Reader::Sequences CommitLoop::sequences() const noexcept {
    return {newest_.load(), forgotten_.load() + 1};
}

std::uint64_t CommitLoop::queued() const noexcept {
    return waiting_.load(std::memory_order_relaxed);
}

base::Duration CommitLoop::last_commit() const noexcept {
    return base::Duration(last_commit_.load(std::memory_order_relaxed));
}

void CommitLoop::run() {
    for (;;) {
        const auto begun = Clock::now();
        const bool unfinished = log_pages_ > 0;
        auto jobs = queue_.take(
            begun + (unfinished ? Clock::duration(idle_after) : Clock::duration(sleep_at_most)));
        if (jobs.empty() && queue_.closed())
            break;
        if (jobs.empty()) {
            shorten_log(unfinished);
            continue;
        }
        const auto started = Clock::now();
        write(jobs);
        last_commit_.store((Clock::now() - started).count(), std::memory_order_relaxed);
        finish(std::move(jobs));
        shorten_log(false);
        std::this_thread::sleep_until(started + setup_.spacing);
    }
    leave();
}

void CommitLoop::write(Jobs& jobs) {
    if (failure())
        return fail(jobs);
    try {
        writer_->begin();
        for (auto& job : jobs)
            job->run(*writer_);
        writer_->commit();
    } catch (const std::exception& error) {
        // A sync that failed is not tried again: what it was to write may be lost, although a
        // second one succeeds.
        break_down(error.what());
        fail(jobs);
    }
}

void CommitLoop::fail(Jobs& jobs) {
    const auto why = failure();
    for (auto& job : jobs)
        job->fail(*why);
}

void CommitLoop::finish(Jobs jobs) {
    newest_.store(writer_->sequence());
    forgotten_.store(writer_->forgotten());
    const auto count = jobs.size();
    waiting_.fetch_sub(count, std::memory_order_relaxed);
    std::vector<std::unique_ptr<Call>> calls;
    calls.reserve(count);
    for (auto& job : jobs)
        calls.push_back(std::move(job));
    // The answers leave first, so that those of the reader come after them.
    outbox_.deliver(std::move(calls));
    const std::lock_guard lock(mutex_);
    done_ += count;
    advanced_.notify_all();
}

void CommitLoop::shorten_log(bool idle) {
    if (failure() || (!idle && log_pages_ < pages_per_copy))
        return;
    try {
        const int left = database_->checkpoint();
        log_pages_ = left;
        if (left > long_log) {
            base::log::warn("store.log_is_long", {{"file", setup_.file}, {"pages", left}});
            setup_.log_is_long();
        }
    } catch (const DatabaseError& error) {
        break_down(error.what());
    }
}

void CommitLoop::leave() {
    if (failure())
        return;
    try {
        writer_->leave();
    } catch (const DatabaseError& error) {
        break_down(error.what());
    }
}

}  // namespace distributo::coordinator::store
