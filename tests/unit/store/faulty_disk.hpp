#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

struct sqlite3_vfs;

namespace distributo::tests {

/// A file layer for SQLite that is the system's, on a disk of a size that can be chosen, whose
/// syncs can be made to fail. One at a time.
class FaultyDisk {
public:
    explicit FaultyDisk(std::filesystem::path folder);
    ~FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    [[nodiscard]] static std::string vfs_name() { return "faulty"; }
    /// Files in the folder may have so many bytes together. Any thread.
    void set_size(std::uint64_t bytes) noexcept { size_ = bytes; }
    void fail_syncs(bool fail = true) noexcept { fail_syncs_ = fail; }

    [[nodiscard]] std::uint64_t used() const;
    [[nodiscard]] std::uint64_t free() const;
    [[nodiscard]] bool syncs_fail() const noexcept { return fail_syncs_; }
    /// Syncs so far, those that failed included.
    std::atomic<int> syncs{0};

private:
    std::filesystem::path folder_;
    std::atomic<std::uint64_t> size_{std::numeric_limits<std::uint64_t>::max()};
    std::atomic<bool> fail_syncs_{false};
    sqlite3_vfs* vfs_;
};

}  // namespace distributo::tests
