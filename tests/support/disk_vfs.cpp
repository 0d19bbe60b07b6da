#include "tests/support/disk_vfs.hpp"

#include <sqlite3.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace distributo::tests {
namespace {

using Status = SimulatedDisk::Status;

/// What the connections to one database share: its locks and the index of its log.
struct Shared {
    int shared = 0;                                   // connections with at least a shared lock
    const void* writer = nullptr;                     // the connection with a reserved lock or more
    bool exclusive = false;                           // it has all
    std::array<int, SQLITE_SHM_NLOCK> index_locks{};  // how many share it; -1: one has it alone
    std::vector<std::unique_ptr<char[]>> regions;
    int users = 0;  // of the regions
};

}  // namespace

class DiskVfs::Locks {
public:
    explicit Locks(SimulatedDisk& simulated) : disk(simulated) {}
    SimulatedDisk& disk;
    std::mutex mutex;
    std::map<std::string, Shared> shared;
};

namespace {

/// SQLite makes room for it and calls through `methods`, which must come first.
struct OpenFile {
    const sqlite3_io_methods* methods;
    DiskVfs::Locks* locks;
    Shared* shared;
    SimulatedDisk::FilePtr file;
    int level;
    bool uses_index;
    unsigned shares;  // masks of index locks
    unsigned owns;
    bool syncs_directory;  // a journal's first sync does
    bool deletes;
};

OpenFile& of(sqlite3_file* file) {
    return *reinterpret_cast<OpenFile*>(file);
}

int code(Status status, int io_error) {
    switch (status) {
        case Status::ok:
            return SQLITE_OK;
        case Status::short_read:
            return SQLITE_IOERR_SHORT_READ;
        case Status::full:
            return SQLITE_FULL;
        case Status::io_error:
            break;
    }
    return io_error;
}

int unlock(sqlite3_file* raw, int level) {
    auto& file = of(raw);
    const std::lock_guard guard(file.locks->mutex);
    if (file.level > SQLITE_LOCK_SHARED && file.shared->writer == &file) {
        file.shared->writer = nullptr;
        file.shared->exclusive = false;
    }
    if (level == SQLITE_LOCK_NONE && file.level >= SQLITE_LOCK_SHARED)
        --file.shared->shared;
    file.level = level;
    return SQLITE_OK;
}

int lock(sqlite3_file* raw, int level) {
    auto& file = of(raw);
    const std::lock_guard guard(file.locks->mutex);
    auto& shared = *file.shared;
    if (file.level >= level)
        return SQLITE_OK;
    if (file.level == SQLITE_LOCK_NONE) {
        if (shared.exclusive)
            return SQLITE_BUSY;
        ++shared.shared;
        file.level = SQLITE_LOCK_SHARED;
    }
    if (level == SQLITE_LOCK_SHARED)
        return SQLITE_OK;
    if (shared.writer && shared.writer != &file)
        return SQLITE_BUSY;
    shared.writer = &file;
    file.level = SQLITE_LOCK_RESERVED;
    if (level == SQLITE_LOCK_RESERVED)
        return SQLITE_OK;
    if (shared.shared > 1)
        return SQLITE_BUSY;
    shared.exclusive = true;
    file.level = level;
    return SQLITE_OK;
}

int check_reserved(sqlite3_file* raw, int* reserved) {
    const auto& file = of(raw);
    const std::lock_guard guard(file.locks->mutex);
    *reserved = file.shared->writer ? 1 : 0;
    return SQLITE_OK;
}

int map_index(sqlite3_file* raw, int region, int size, int extend, void volatile** out) {
    auto& file = of(raw);
    const std::lock_guard guard(file.locks->mutex);
    auto& regions = file.shared->regions;
    if (!std::exchange(file.uses_index, true))
        ++file.shared->users;
    const auto wanted = static_cast<std::size_t>(region);
    while (extend != 0 && regions.size() <= wanted)
        regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
    *out = wanted < regions.size() ? regions[wanted].get() : nullptr;
    return SQLITE_OK;
}

int lock_index(sqlite3_file* raw, int first, int count, int flags) {
    auto& file = of(raw);
    const std::lock_guard guard(file.locks->mutex);
    auto& locks = file.shared->index_locks;
    const bool alone = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    const bool taking = (flags & SQLITE_SHM_LOCK) != 0;
    auto& mine = alone ? file.owns : file.shares;
    for (int i = first; taking && i < first + count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        if ((mine & 1U << at) == 0 && (alone ? locks[at] != 0 : locks[at] < 0))
            return SQLITE_BUSY;
    }
    for (int i = first; i < first + count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (((mine & 1U << at) != 0) == taking)
            continue;
        mine ^= 1U << at;
        const int change = taking ? 1 : -1;
        locks[at] += alone ? -change : change;
    }
    return SQLITE_OK;
}

void index_barrier(sqlite3_file* raw) {
    const std::lock_guard guard(of(raw).locks->mutex);
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

int unmap_index(sqlite3_file* raw, int) {
    auto& file = of(raw);
    const std::lock_guard guard(file.locks->mutex);
    if (std::exchange(file.uses_index, false) && --file.shared->users == 0)
        file.shared->regions.clear();
    return SQLITE_OK;
}

int close_file(sqlite3_file* raw) {
    auto& file = of(raw);
    if (file.shared)
        unlock(raw, SQLITE_LOCK_NONE);
    if (file.deletes)
        (void)file.locks->disk.remove(file.file->name(), false);
    file.~OpenFile();
    return SQLITE_OK;
}

int read_file(sqlite3_file* raw, void* to, int size, sqlite3_int64 offset) {
    auto& file = of(raw);
    return code(file.locks->disk.read(*file.file,
                                      static_cast<std::uint64_t>(offset),
                                      static_cast<char*>(to),
                                      static_cast<std::size_t>(size)),
                SQLITE_IOERR_READ);
}

int write_file(sqlite3_file* raw, const void* bytes, int size, sqlite3_int64 offset) {
    auto& file = of(raw);
    return code(
        file.locks->disk.write(*file.file,
                               static_cast<std::uint64_t>(offset),
                               {static_cast<const char*>(bytes), static_cast<std::size_t>(size)}),
        SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* raw, sqlite3_int64 size) {
    auto& file = of(raw);
    return code(file.locks->disk.truncate(*file.file, static_cast<std::uint64_t>(size)),
                SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* raw, int) {
    auto& file = of(raw);
    const auto status = file.locks->disk.sync(*file.file, file.syncs_directory);
    if (status == Status::ok)
        file.syncs_directory = false;
    return code(status, SQLITE_IOERR_FSYNC);
}

int file_size(sqlite3_file* raw, sqlite3_int64* size) {
    const auto& file = of(raw);
    *size = static_cast<sqlite3_int64>(file.locks->disk.size(*file.file));
    return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) {
    return SQLITE_NOTFOUND;
}

// As the layer for Unix says of its files.
int sector_size(sqlite3_file*) {
    return 4096;
}
int characteristics(sqlite3_file*) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

constexpr sqlite3_io_methods methods = {2,
                                        close_file,
                                        read_file,
                                        write_file,
                                        truncate_file,
                                        sync_file,
                                        file_size,
                                        lock,
                                        unlock,
                                        check_reserved,
                                        file_control,
                                        sector_size,
                                        characteristics,
                                        map_index,
                                        lock_index,
                                        index_barrier,
                                        unmap_index,
                                        nullptr,
                                        nullptr};

DiskVfs::Locks& locks_of(sqlite3_vfs* vfs) {
    return *static_cast<DiskVfs::Locks*>(vfs->pAppData);
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* raw, int flags, int* out_flags) {
    constexpr int journal = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
    auto& locks = locks_of(vfs);
    raw->pMethods = nullptr;
    const std::string called = name ? name : "temporary";
    const bool existed = locks.disk.exists(called);
    auto file = locks.disk.open(called, (flags & SQLITE_OPEN_CREATE) != 0);
    if (!file)
        return SQLITE_CANTOPEN;
    auto& made = *new (raw) OpenFile{};
    made.locks = &locks;
    made.file = std::move(file);
    made.syncs_directory = !existed && (flags & journal) != 0;
    made.deletes = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        const std::lock_guard guard(locks.mutex);
        made.shared = &locks.shared[called];
    }
    made.methods = &methods;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    auto& disk = locks_of(vfs).disk;
    if (!disk.exists(name))
        return SQLITE_IOERR_DELETE_NOENT;
    return code(disk.remove(name, sync_directory != 0), SQLITE_IOERR_DELETE);
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* found) {
    *found = locks_of(vfs).disk.exists(name) ? 1 : 0;
    return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* out) {
    (void)sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

}  // namespace

DiskVfs::DiskVfs(SimulatedDisk& disk)
    : locks_(std::make_unique<Locks>(disk)),
      vfs_(std::make_unique<sqlite3_vfs>(*sqlite3_vfs_find(nullptr))) {
    static std::atomic<int> made = 0;
    name_ = "simulated-" + std::to_string(++made);
    vfs_->szOsFile = sizeof(OpenFile);
    vfs_->pNext = nullptr;
    vfs_->zName = name_.c_str();
    vfs_->pAppData = locks_.get();
    vfs_->xOpen = open_file;
    vfs_->xDelete = delete_file;
    vfs_->xAccess = access_file;
    vfs_->xFullPathname = full_name;
    sqlite3_vfs_register(vfs_.get(), 0);
}

DiskVfs::~DiskVfs() {
    sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace distributo::tests
