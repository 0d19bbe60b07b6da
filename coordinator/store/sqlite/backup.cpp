#include "coordinator/store/sqlite/backup.hpp"

#include "base/log.hpp"

#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace distributo::coordinator::store {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using Clock = std::chrono::steady_clock;

constexpr int pages_per_step = 32;
// By so much a backup may delay a transaction; and for so long it leaves the disk to others then.
constexpr auto step_time = std::chrono::milliseconds(2);
constexpr auto pause = std::chrono::milliseconds(6);

[[noreturn]] void fail_file(const char* what, const fs::path& path) {
    throw DatabaseError(
        SQLITE_IOERR,
        std::string("cannot ") + what + ' ' + path.string() + ": " + std::strerror(errno));
}

void sync(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        fail_file("open", path);
    const bool synced = ::fsync(descriptor) == 0;
    ::close(descriptor);
    if (!synced)
        fail_file("sync", path);
}

/// Unlike rename(2) it never replaces a file.
void name(const fs::path& from, const fs::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
        return;
    // Not every file system can.
    if (errno != EINVAL || fs::exists(to) || ::rename(from.c_str(), to.c_str()) != 0)
        fail_file("make", to);
}

void pack_results(const Database& database, const BlobFiles& results) {
    database.execute(
        "PRAGMA synchronous = OFF;"
        "CREATE TABLE packed_result(name TEXT PRIMARY KEY, content BLOB NOT NULL); BEGIN");
    auto add = database.prepare("INSERT INTO packed_result VALUES(?, ?)");
    auto all = database.prepare("SELECT name FROM blob");
    auto rows = all.query();
    while (rows.next()) {
        const std::string name(rows.text(0));
        try {
            add.run(name, Blob{results.read(name).view()});
        } catch (const DatabaseError& error) {
            // One result that cannot be read is no reason to have no backup of all others.
            if (error.code() != SQLITE_IOERR_READ)
                throw;
            base::log::error("backup.lacks_result", {{"error", error.what()}});
        }
    }
    database.execute("COMMIT");
}

base::Error not_written(const fs::path& file, const std::exception& why) {
    return base::error(Errc::io,
                       "the backup " + file.string() + " was not written: " + why.what(),
                       "look at that disk, or name another file");
}

}  // namespace

BackupFile::BackupFile(fs::path file) : file_(std::move(file)) {
    const int descriptor =
        ::open(partial().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        fail_file("make", partial());
    ::close(descriptor);
}

BackupFile::~BackupFile() {
    std::error_code ignored;
    for (const auto* suffix : {"", "-journal", "-wal", "-shm"})
        fs::remove(partial() + suffix, ignored);
}

std::uint64_t BackupFile::finish(const BlobFiles& results) {
    {
        const Database database(partial(), Database::Mode::write);
        pack_results(database, results);
        // A log beside it would belong to it, and a backup is one file.
        database.execute("PRAGMA journal_mode = DELETE");
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        database.prepare("INSERT INTO meta VALUES('backup', ?)")
            .run(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    }
    sync(partial());
    name(partial(), file_);
    sync(fs::absolute(file_).parent_path());
    return fs::file_size(file_);
}

void Backups::Finish::operator()(sqlite3_backup* backup) const noexcept {
    sqlite3_backup_finish(backup);
}

Backups::Copy::Copy(const fs::path& to)
    : file(std::make_unique<BackupFile>(to)),
      target(std::make_unique<Database>(file->partial(), Database::Mode::write)) {
    // It is synced as a whole, and is nothing before.
    target->execute(
        "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;"
        "PRAGMA cache_size = -4096");
}

Backups::~Backups() {
    if (finishing_.joinable())
        finishing_.join();
}

void Backups::step() {
    if (Clock::now() < next_step_)
        return;
    const auto& file = calls_.front()->file();
    if (!copy_ && fs::exists(file))
        return answer(base::error(Errc::conflict,
                                  file.string() + " exists already",
                                  "name another file; a backup never replaces one"));
    try {
        if (!copy_)
            copy_ = std::make_unique<Copy>(file);
        if (copy_some())
            finish();
        next_step_ = Clock::now() + pause;
    } catch (const std::exception& error) {
        copy_.reset();
        answer(not_written(file, error));
    }
}

bool Backups::copy_some() {
    auto* target = copy_->target->handle();
    if (!copy_->backup)
        copy_->backup.reset(sqlite3_backup_init(target, "main", source_.handle(), "main"));
    const auto until = Clock::now() + step_time;
    int code = copy_->backup ? SQLITE_OK : sqlite3_errcode(target);
    while (code == SQLITE_OK && Clock::now() < until)
        code = sqlite3_backup_step(copy_->backup.get(), pages_per_step);
    if (code != SQLITE_OK && code != SQLITE_DONE)
        throw DatabaseError(code, sqlite3_errstr(code));
    return code == SQLITE_DONE;
}

void Backups::finish() {
    copy_->backup.reset();
    copy_->target.reset();
    if (finishing_.joinable())
        finishing_.join();
    finishes_ = true;
    finishing_ = std::thread([this, file = std::move(copy_->file), call = take()]() mutable {
        try {
            call->set(file->finish(results_));
        } catch (const std::exception& error) {
            call->set(not_written(call->file(), error));
        }
        file.reset();
        finishes_ = false;
        deliver(std::move(call));
    });
    copy_.reset();
}

std::unique_ptr<BackupCall> Backups::take() {
    auto call = std::move(calls_.front());
    calls_.pop_front();
    return call;
}

void Backups::answer(base::Error why) {
    auto call = take();
    call->set(std::move(why));
    deliver(std::move(call));
}

void Backups::deliver(std::unique_ptr<BackupCall> call) {
    std::vector<std::unique_ptr<Call>> calls;
    calls.push_back(std::move(call));
    outbox_.deliver(std::move(calls));
}

void Backups::fail(const base::Error& why) {
    copy_.reset();
    while (is_copying())
        answer(why);
}

void unpack_results(const Database& database, const BlobFiles& results) {
    if (database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'packed_result'") == 0)
        return;
    {
        auto all = database.prepare("SELECT name, content FROM packed_result");
        auto rows = all.query();
        while (rows.next())
            results.write(std::string(rows.text(0)), rows.text(1));
    }
    database.execute("DROP TABLE packed_result");
}

base::Result<void> check_place_of_backup(const std::string& file) {
    // Where the header says whether a log belongs to it; a store always has one, a backup never.
    constexpr std::size_t version_at = 18;
    std::array<char, version_at + 1> header{};
    std::ifstream(file, std::ios::binary).read(header.data(), header.size());
    std::error_code missing;
    if (header[version_at] != 1 || fs::file_size(file + "-wal", missing) == 0 || missing)
        return {};
    return base::error(
        Errc::io,
        file + " is a backup, but beside it is the log of the store before it, " + file + "-wal",
        "move what belongs to that store away; a backup needs no other file");
}

}  // namespace distributo::coordinator::store
