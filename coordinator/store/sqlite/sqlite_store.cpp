#include "coordinator/store/sqlite/sqlite_store.hpp"

#include "base/log.hpp"
#include "coordinator/store/sqlite/backup.hpp"
#include "coordinator/store/sqlite/commit_loop.hpp"
#include "coordinator/store/sqlite/job.hpp"
#include "coordinator/store/sqlite/lock_file.hpp"
#include "coordinator/store/sqlite/reader.hpp"
#include "coordinator/store/sqlite/recovery.hpp"
#include "coordinator/store/sqlite/schema.hpp"
#include "coordinator/store/sqlite/work_queue.hpp"
#include "coordinator/store/sqlite/writer.hpp"

#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace distributo::coordinator::store {
namespace {

using base::Errc;

class SqliteStore final : public Store {
public:
    SqliteStore(SqliteOptions options, Post post)
        : options_(std::move(options)),
          file_((options_.directory / "store.db").string()),
          outbox_(std::move(post)) {}
    ~SqliteStore() override;

    base::Result<Recovered> open() override;
    void commit(Transaction transaction, Done<Committed> done) override {
        write<Committed>([transaction = std::move(transaction)](
                             Writer& writer) { return writer.apply(transaction); },
                         std::move(done));
    }
    void reopen(TaskId id, base::WallTime now, Done<TaskRecord> done) override {
        write<TaskRecord>([id, now](Writer& writer) { return writer.reopen(id, now); },
                          std::move(done));
    }
    void find(TaskId id, Done<std::optional<TaskRecord>> done) override {
        read<std::optional<TaskRecord>>([id](Reader& reader) { return reader.find(id); },
                                        std::move(done));
    }
    void resolve(const std::string& given_id, Done<TaskId> done) override {
        read<TaskId>([given_id](Reader& reader) { return reader.resolve(given_id); },
                     std::move(done));
    }
    void list(ListQuery query, Done<ListPage> done) override {
        read<ListPage>([query = std::move(query)](Reader& reader) { return reader.list(query); },
                       std::move(done));
    }
    void results(ResultsQuery query, Done<ResultsPage> done) override {
        read<ResultsPage>([this, query = std::move(query)](
                              Reader& reader) { return reader.results(query, loop_->sequences()); },
                          std::move(done));
    }
    void group(const std::string& name, Done<std::optional<NamedTally>> done) override {
        read<std::optional<NamedTally>>([name](Reader& reader) { return reader.group(name); },
                                        std::move(done));
    }
    void groups(TaskId before, std::size_t limit, Done<std::vector<NamedTally>> done) override {
        read<std::vector<NamedTally>>(
            [before, limit](Reader& reader) { return reader.groups(before, limit); },
            std::move(done));
    }
    void types(Done<std::vector<NamedTally>> done) override {
        read<std::vector<NamedTally>>([](Reader& reader) { return reader.types(); },
                                      std::move(done));
    }
    void prune(const Retention& retention, base::WallTime now, Done<bool> done) override {
        write<bool>([retention, now](Writer& writer) { return writer.prune(retention, now); },
                    std::move(done));
    }
    void backup(const std::string& file, Done<std::uint64_t> done) override {
        loop_->back_up(std::make_unique<BackupCall>(file, std::move(done)));
    }
    [[nodiscard]] Health health() const override;

private:
    template <typename T, typename Ask>
    void write(Ask ask, Done<T> done) {
        loop_->push(make_job<Writer, T>(std::move(ask), std::move(done)));
    }
    template <typename T, typename Ask>
    void read(Ask ask, Done<T> done) {
        auto job = make_job<Reader, T>(std::move(ask), std::move(done));
        job->after = loop_->pushed();
        reads_.push(std::move(job));
    }
    [[nodiscard]] base::Result<Recovered> open_file();
    [[nodiscard]] base::Error cannot_open(const DatabaseError& failed) const;
    [[nodiscard]] BlobFiles blobs() const { return BlobFiles(options_.directory / "blobs"); }
    [[nodiscard]] Reserve reserve() const {
        return {options_.directory / "reserve", options_.reserve, options_.free};
    }
    void answer_reads();
    void answer(Job<Reader>& job);

    SqliteOptions options_;
    std::string file_;
    Outbox outbox_;
    LockFile lock_;
    // The loop has the connection that writes: it closes last, which empties the log.
    std::optional<CommitLoop> loop_;
    std::optional<Reader> reader_;
    WorkQueue<std::unique_ptr<Job<Reader>>> reads_;
    std::thread reading_;
};

SqliteStore::~SqliteStore() {
    reads_.close();
    if (reader_)
        reader_->interrupt();
    if (loop_)
        loop_->close();
    if (reading_.joinable())
        reading_.join();
    if (loop_)
        loop_->join();  // it may interrupt the reader until then
    reader_.reset();
}

base::Result<Recovered> SqliteStore::open() {
    auto lock = LockFile::take(options_.directory / "store.lock");
    if (!lock)
        return lock.error();
    lock_ = std::move(*lock);
    try {
        return open_file();
    } catch (const DatabaseError& failed) {
        if (!failed.is_full())
            return cannot_open(failed);
    }
    // A start has to write, too.
    reserve().give_up();
    try {
        return open_file();
    } catch (const DatabaseError& failed) {
        return cannot_open(failed);
    }
}

base::Error SqliteStore::cannot_open(const DatabaseError& failed) const {
    if (failed.is_damage())
        return base::error(Errc::io,
                           file_ + " is damaged: " + failed.what(),
                           "restore a backup; to save what can be read, move the file away and use "
                           ".recover of the program sqlite3");
    return base::error(Errc::io,
                       "cannot open " + file_ + ": " + failed.what(),
                       "look at the disk, or name another directory with --data-dir");
}

base::Result<Recovered> SqliteStore::open_file() {
    if (auto fits = check_place_of_backup(file_); !fits)
        return fits.error();
    auto database = std::make_unique<Database>(file_, Database::Mode::write, options_.vfs);
    if (auto prepared = prepare_schema(*database, file_); !prepared)
        return prepared.error();
    unpack_results(*database, blobs());
    const auto start = begin_term(*database);
    auto writer = std::make_unique<Writer>(*database, blobs(), start);
    auto recovered = recover(*database, start, *writer);
    loop_.emplace(CommitLoop::Setup{.file = file_,
                                    .results = blobs(),
                                    .spacing = options_.spacing,
                                    .log_pages = options_.log_pages,
                                    .log_idle = options_.log_idle,
                                    .log_is_long = [this] { reader_->interrupt(); }},
                  reserve(),
                  std::move(database),
                  std::move(writer),
                  outbox_);
    reader_.emplace(file_, options_.vfs, blobs(), start.term);
    loop_->start();
    reading_ = std::thread([this] { answer_reads(); });
    return recovered;
}

void SqliteStore::answer_reads() {
    constexpr auto sleep_at_most = std::chrono::hours(1);
    while (!reads_.closed()) {
        for (auto& job : reads_.take(std::chrono::steady_clock::now() + sleep_at_most)) {
            if (!loop_->wait_for(job->after))
                return;
            answer(*job);
            std::vector<std::unique_ptr<Call>> calls;
            calls.push_back(std::move(job));
            outbox_.deliver(std::move(calls));
        }
    }
}

void SqliteStore::answer(Job<Reader>& job) {
    try {
        job.run(*reader_);
    } catch (const DatabaseError& failed) {
        if (failed.is_damage())
            loop_->break_down(failed.what());
        if (failed.is_timeout())
            job.fail(base::error(Errc::timeout,
                                 "the store has not found it in time",
                                 "ask for less at once, or by fewer conditions"));
        else
            job.fail(base::error(Errc::io, file_ + ": " + failed.what()));
    }
}

Health SqliteStore::health() const {
    Health health;
    health.durable = true;
    health.queued = loop_->queued();
    health.commit = loop_->last_commit();
    std::error_code failed;
    for (const auto* suffix : {"", "-wal"})
        if (const auto bytes = std::filesystem::file_size(file_ + suffix, failed); !failed)
            health.bytes += bytes;
    health.disk_full = loop_->disk_is_full();
    health.free = options_.free(options_.directory);
    return health;
}

}  // namespace

std::unique_ptr<Store> make_sqlite_store(SqliteOptions options, Post post) {
    return std::make_unique<SqliteStore>(std::move(options), std::move(post));
}

}  // namespace distributo::coordinator::store
