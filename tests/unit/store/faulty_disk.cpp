#include "tests/unit/store/faulty_disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

namespace distributo::tests {
namespace {

FaultyDisk* disk = nullptr;

/// Stands before the file of the system's layer, which lies behind it in memory.
struct File {
    sqlite3_file base;
    sqlite3_file* real;
};

sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<File*>(file)->real;
}

int write(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
    sqlite3_int64 size = 0;
    real(file)->pMethods->xFileSize(real(file), &size);
    const auto growth = std::max<sqlite3_int64>(0, offset + amount - size);
    if (growth > 0 && static_cast<std::uint64_t>(growth) > disk->free())
        return SQLITE_FULL;
    return real(file)->pMethods->xWrite(real(file), bytes, amount, offset);
}

int sync(sqlite3_file* file, int flags) {
    ++disk->syncs;
    if (disk->syncs_fail())
        return SQLITE_IOERR_FSYNC;
    return real(file)->pMethods->xSync(real(file), flags);
}

/// Hands a call through to the real file.
template <auto Method>
struct Through;
template <typename... Arguments, int (*sqlite3_io_methods::*Method)(sqlite3_file*, Arguments...)>
struct Through<Method> {
    static int call(sqlite3_file* file, Arguments... arguments) {
        return (real(file)->pMethods->*Method)(real(file), arguments...);
    }
};

sqlite3_io_methods make_methods() {
    using Io = sqlite3_io_methods;
    Io methods{};
    methods.iVersion = 2;
    methods.xClose = Through<&Io::xClose>::call;
    methods.xRead = Through<&Io::xRead>::call;
    methods.xWrite = write;
    methods.xTruncate = Through<&Io::xTruncate>::call;
    methods.xSync = sync;
    methods.xFileSize = Through<&Io::xFileSize>::call;
    methods.xLock = Through<&Io::xLock>::call;
    methods.xUnlock = Through<&Io::xUnlock>::call;
    methods.xCheckReservedLock = Through<&Io::xCheckReservedLock>::call;
    methods.xFileControl = Through<&Io::xFileControl>::call;
    methods.xSectorSize = Through<&Io::xSectorSize>::call;
    methods.xDeviceCharacteristics = Through<&Io::xDeviceCharacteristics>::call;
    methods.xShmMap = Through<&Io::xShmMap>::call;
    methods.xShmLock = Through<&Io::xShmLock>::call;
    methods.xShmBarrier = [](sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); };
    methods.xShmUnmap = Through<&Io::xShmUnmap>::call;
    return methods;
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    static const sqlite3_io_methods methods = make_methods();
    auto* system = static_cast<sqlite3_vfs*>(vfs->pAppData);
    auto* ours = reinterpret_cast<File*>(file);
    ours->real = reinterpret_cast<sqlite3_file*>(ours + 1);
    const int code = system->xOpen(system, name, ours->real, flags, out_flags);
    file->pMethods = ours->real->pMethods ? &methods : nullptr;
    return code;
}

}  // namespace

FaultyDisk::FaultyDisk(std::filesystem::path folder)
    : folder_(std::move(folder)), vfs_(new sqlite3_vfs(*sqlite3_vfs_find(nullptr))) {
    vfs_->pAppData = sqlite3_vfs_find(nullptr);
    vfs_->szOsFile += static_cast<int>(sizeof(File));
    vfs_->zName = "faulty";
    vfs_->xOpen = open;
    disk = this;
    sqlite3_vfs_register(vfs_, 0);
}

FaultyDisk::~FaultyDisk() {
    sqlite3_vfs_unregister(vfs_);
    delete vfs_;
    disk = nullptr;
}

std::uint64_t FaultyDisk::used() const {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        std::error_code gone;
        const auto size = std::filesystem::file_size(entry.path(), gone);
        bytes += gone ? 0 : size;
    }
    return bytes;
}

std::uint64_t FaultyDisk::free() const {
    const auto bytes = used();
    const std::uint64_t size = size_;
    return size > bytes ? size - bytes : 0;
}

}  // namespace distributo::tests
