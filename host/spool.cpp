#include "host/spool.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <future>
#include <utility>

namespace distributo::host {
namespace {

namespace asio = boost::asio;
namespace log = base::log;

/// A disk that was full or broken is asked again after this.
constexpr base::Duration retry_time = std::chrono::seconds(5);
/// A file of which nothing is needed is left behind once it has this size: after a crash its
/// results would all be sent again.
constexpr std::size_t worth_leaving = std::size_t{64} * 1024;

}  // namespace

Spool::Spool(asio::io_context& io,
             const base::Clock& clock,
             SpoolFiles& files,
             const SpoolLimits& limits)
    : io_(io),
      clock_(clock),
      log_(files, limits),
      alive_(std::make_shared<bool>(true)),
      thread_(1) {}

Spool::~Spool() {
    *alive_ = false;
    if (writing_ == 0 && newest_ != 0 && needed_[newest_] == 0)
        asio::post(thread_, [this] { log_.remove(newest_); });
    thread_.join();
}

std::string Spool::open() {
    auto newest = log_.open();
    if (newest)
        return *newest;
    note(newest.error());
    return {};
}

std::vector<SpooledOutcome> Spool::take(const std::string& coordinator_id) {
    std::promise<std::vector<SpooledOutcome>> promise;
    asio::post(thread_, [&] { promise.set_value(log_.load(coordinator_id)); });
    auto kept = promise.get_future().get();
    ++generation_;
    needed_.clear();
    newest_ = 0;
    for (const auto& one : kept)
        ++needed_[one.file];
    return kept;
}

bool Spool::ready() const {
    return writing_ == 0 && (trouble_.empty() || clock_.now() >= retry_at_);
}

bool Spool::wants_fresh_file() const {
    const auto needed = needed_.find(newest_);
    return newest_bytes_ >= worth_leaving && (needed == needed_.end() || needed->second == 0);
}

void Spool::write(std::vector<SealedResults> batch, Done done) {
    ++writing_;
    auto work = [this,
                 alive = alive_,
                 fresh = wants_fresh_file(),
                 generation = generation_,
                 batch = std::move(batch),
                 done = std::move(done)]() mutable {
        std::vector<SpoolRecord> records;
        records.reserve(batch.size());
        for (auto& sealed : batch)
            records.push_back(std::move(sealed.record));
        auto file = log_.append(records, fresh);
        for (std::size_t i = 0; i < batch.size(); ++i)
            batch[i].record = std::move(records[i]);
        asio::post(io_,
                   [this,
                    alive = std::move(alive),
                    generation,
                    result = Written{std::move(batch), std::move(file)},
                    done = std::move(done)]() mutable {
                       if (!*alive)
                           return;
                       --writing_;
                       if (generation == generation_)
                           written(std::move(result), done);
                   });
    };
    asio::post(thread_, std::move(work));
}

void Spool::written(Written&& result, const Done& done) {
    note(result.file);
    const auto file = result.file.has_value() ? *result.file : 0;
    if (file != 0) {
        const auto before = std::exchange(newest_, file);
        if (before != file) {
            newest_bytes_ = 0;
            remove_if_done(before);
        }
        for (const auto& sealed : result.batch) {
            needed_[file] += sealed.record.leases.size();
            newest_bytes_ += sealed.record.message.size();
        }
    }
    done(std::move(result.batch), file);
}

void Spool::note(const base::Result<std::uint64_t>& file) {
    if (file.has_value()) {
        if (!std::exchange(trouble_, {}).empty())
            log::info("spool.works_again");
        return;
    }
    const auto& why = file.error().message;
    if (trouble_.empty())
        log::error("spool.failed",
                   {{"why", why},
                    {"hint",
                     "until it works again, results are lost if this host ends before "
                     "they are acknowledged"}});
    trouble_ = why;
    retry_at_ = clock_.now() + retry_time;
}

void Spool::release(std::uint64_t file, std::size_t count) {
    const auto needed = needed_.find(file);
    if (needed == needed_.end())
        return;
    needed->second -= std::min(count, needed->second);
    remove_if_done(file);
}

void Spool::remove_if_done(std::uint64_t file) {
    const auto needed = needed_.find(file);
    if (file == newest_ || needed == needed_.end() || needed->second != 0)
        return;
    needed_.erase(needed);
    asio::post(thread_, [this, file] { log_.remove(file); });
}

}  // namespace distributo::host
