#include "coordinator/store/sqlite/commit_loop.hpp"

#include "base/log.hpp"

#include <exception>
#include <utility>

namespace distributo::coordinator::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto sleep_at_most = std::chrono::hours(1);
constexpr auto look_again = std::chrono::seconds(1);  // for room on a full disk
// 256 MiB of pages. The log is that long when somebody reads for so long that it cannot restart.
constexpr int long_log = 65'536;

}  // namespace

CommitLoop::CommitLoop(Setup setup,
                       Reserve reserve,
                       std::unique_ptr<Database> database,
                       std::unique_ptr<Writer> writer,
                       Outbox& outbox)
    : setup_(std::move(setup)),
      reserve_(std::move(reserve)),
      outbox_(outbox),
      database_(std::move(database)),
      writer_(std::move(writer)),
      backups_(*database_, setup_.results, outbox),
      newest_(writer_->sequence()),
      forgotten_(writer_->forgotten()) {
    database_->count_log_pages(&log_pages_);
    look_for_room();
}

CommitLoop::~CommitLoop() {
    close();
    join();
    if (failure())
        database_->leave_log_on_close();
}

void CommitLoop::join() {
    if (thread_.joinable())
        thread_.join();
}

void CommitLoop::start() {
    thread_ = std::thread([this] { run(); });
}

void CommitLoop::push(std::unique_ptr<Job<Writer>> job) {
    ++pushed_;
    waiting_.fetch_add(1, std::memory_order_relaxed);
    queue_.push(std::move(job));
}

void CommitLoop::back_up(std::unique_ptr<BackupCall> call) {
    {
        const std::lock_guard lock(mutex_);
        backup_calls_.push_back(std::move(call));
    }
    // Only wakes the loop.
    push(make_job<Writer, bool>([](Writer&) { return true; }, [](auto) {}));
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

Clock::duration CommitLoop::patience() const {
    if (backups_.is_copying())
        return backups_.next_step() - Clock::now();
    if (log_pages_ > 0 || files_to_clean_)
        return setup_.log_idle;
    return full_ ? Clock::duration(look_again) : Clock::duration(sleep_at_most);
}

void CommitLoop::run() {
    auto next_look = Clock::now();
    for (;;) {
        auto jobs = queue_.take(Clock::now() + patience());
        const auto started = Clock::now();
        if (jobs.empty() && queue_.closed())
            break;
        if (full_ && started >= next_look) {
            look_for_room();
            next_look = started + look_again;
        }
        if (jobs.empty()) {
            shorten_log(!backups_.is_copying());
            copy_some();
            clean_files(true);
            continue;
        }
        // Who submits alone, one by one, gains nothing from waiting for others.
        const bool alone = jobs.size() == 1;
        write(jobs);
        last_commit_.store((Clock::now() - started).count(), std::memory_order_relaxed);
        finish(std::move(jobs));
        shorten_log(false);
        copy_some();
        clean_files(false);
        if (!alone)
            std::this_thread::sleep_until(started + setup_.spacing);
    }
    leave();
}

void CommitLoop::write(Jobs& jobs) {
    // The second try is without submits, and in the room of the reserve.
    bool written = !failure() && (try_to_write(jobs) || (!failure() && try_to_write(jobs)));
    while (!written && !failure()) {
        if (queue_.wait_for_end(look_again))
            break_down("the disk is full; what was not acknowledged is not stored");
        look_for_room();
        written = !failure() && try_to_write(jobs);
    }
    if (!written)
        fail(jobs);
}

bool CommitLoop::try_to_write(Jobs& jobs) {
    try {
        writer_->begin();
        for (auto& job : jobs)
            job->run(*writer_);
        writer_->commit();
        return true;
    } catch (const DatabaseError& error) {
        if (error.is_full()) {
            writer_->roll_back();
            give_up_reserve(error);
        } else {
            // A sync that failed is not tried again: what it was to write may be lost, although a
            // second one succeeds.
            break_down(error.what());
        }
    } catch (const std::exception& error) {
        break_down(error.what());
    }
    return false;
}

void CommitLoop::give_up_reserve(const DatabaseError& why) {
    reserve_.give_up();
    set_full(why.what());
}

void CommitLoop::look_for_room() {
    if (!reserve_.take())
        return set_full("there is less than the reserve left");
    writer_->refuse_submits(false);
    if (full_.exchange(false))
        base::log::info("store.has_room", {{"file", setup_.file}});
}

void CommitLoop::set_full(const std::string& why) {
    writer_->refuse_submits(true);
    if (!full_.exchange(true))
        base::log::error("store.disk_full",
                         {{"file", setup_.file},
                          {"error", why},
                          {"note", "submits are refused until there is room"}});
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
    if (failure() || log_pages_ == 0 || (!idle && log_pages_ < setup_.log_pages))
        return;
    try {
        log_pages_ = database_->checkpoint();
        if (log_pages_ > long_log) {
            base::log::warn("store.log_is_long", {{"file", setup_.file}, {"pages", log_pages_}});
            setup_.log_is_long();
        }
    } catch (const DatabaseError& error) {
        if (error.is_full())
            give_up_reserve(error);
        else
            break_down(error.what());
    }
}

void CommitLoop::copy_some() {
    {
        const std::lock_guard lock(mutex_);
        for (auto& call : std::exchange(backup_calls_, {}))
            backups_.add(std::move(call));
    }
    if (const auto why = failure())
        backups_.fail(*why);
    else if (backups_.is_copying())
        backups_.step();
}

void CommitLoop::clean_files(bool idle) {
    // A backup still reads them.
    if (failure() || backups_.needs_files())
        return;
    try {
        files_to_clean_ = writer_->clean_files(idle);
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
        if (!error.is_full())
            break_down(error.what());
    }
}

}  // namespace distributo::coordinator::store
