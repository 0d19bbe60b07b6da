#pragma once

#include "base/clock.hpp"
#include "host/outbox.hpp"
#include "host/spool_log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace distributo::host {

/// The spool on a thread of its own: what is handed over in one call becomes durable with one
/// sync. Counts which results of a file are still needed, and removes files of which none is.
/// Not thread-safe: lives on the io_context. The destructor waits until everything is written.
class Spool {
public:
    /// `file` is 0 when the results could not be kept.
    using Done = std::function<void(std::vector<SealedResults> batch, std::uint64_t file)>;

    /// `files` is used on the thread, until the destructor returns.
    Spool(boost::asio::io_context& io,
          const base::Clock& clock,
          SpoolFiles& files,
          const SpoolLimits& limits = {});
    ~Spool();

    /// Looks through what an earlier process left, before anything else. Blocks. Whom the newest
    /// result is for; empty when there is none.
    [[nodiscard]] std::string open();
    /// What is kept for a coordinator; from here on it is this one's results that are written.
    /// Waits for the disk.
    [[nodiscard]] std::vector<SpooledOutcome> take(const std::string& coordinator_id);

    [[nodiscard]] bool busy() const noexcept { return writing_ != 0; }
    /// Is a write worth its time: none is under way, and none has failed a moment ago?
    [[nodiscard]] bool ready() const;
    /// Not empty. `done` comes on the io_context, in order, unless this is destroyed before.
    void write(std::vector<SealedResults> batch, Done done);
    /// That many results of the file are not needed any more.
    void release(std::uint64_t file, std::size_t count);

    /// Why results are kept in memory only; empty: they are not.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

private:
    struct Written {
        std::vector<SealedResults> batch;
        base::Result<std::uint64_t> file;
    };
    void written(Written&& result, const Done& done);
    void note(const base::Result<std::uint64_t>& file);
    void remove_if_done(std::uint64_t file);
    [[nodiscard]] bool wants_fresh_file() const;

    boost::asio::io_context& io_;
    const base::Clock& clock_;
    SpoolLog log_;                                 // on the thread
    std::map<std::uint64_t, std::size_t> needed_;  // results by file
    std::uint64_t newest_ = 0;
    std::size_t newest_bytes_ = 0;
    std::size_t writing_ = 0;
    std::uint64_t generation_ = 0;  // of take(): what was written before it is not counted
    std::string trouble_;
    base::TimePoint retry_at_{};
    std::shared_ptr<bool> alive_;
    boost::asio::thread_pool thread_;
};

}  // namespace distributo::host
