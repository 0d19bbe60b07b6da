#pragma once

#include "base/clock.hpp"
#include "coordinator/store/sqlite/reserve.hpp"
#include "coordinator/store/store.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace distributo::coordinator::store {

struct SqliteOptions {
    /// Must exist, on a local file system. Holds `store.db` with what belongs to it, and
    /// `store.lock`.
    std::filesystem::path directory;
    /// At least this long from one commit to the next as long as there is more than one transaction
    /// to gather, 0 to 10 ms: more of it makes fewer and larger commits.
    base::Duration spacing = std::chrono::milliseconds(1);
    /// Room kept on the disk for outcomes and whatever else cannot be refused when it is full, in
    /// bytes. With less than as much left at the start the store is full from the start.
    std::uint64_t reserve = 64ULL * 1024 * 1024;
    FreeSpace free = free_space;
    /// The write-ahead log is copied into the file when it has this many pages. Copying 2 000 takes
    /// some milliseconds; fewer cost more writing, more a longer pause.
    int log_pages = 2000;
    /// It is copied sooner when nobody has written for this long.
    base::Duration log_idle = std::chrono::milliseconds(50);
    std::string vfs{};  ///< SQLite's name of the file layer; empty: the system's
};

/// A store in one SQLite file. Two threads of its own: one writes and checkpoints, in group
/// commits; one reads. `post`: runs callbacks on the caller's executor.
[[nodiscard]] std::unique_ptr<Store> make_sqlite_store(SqliteOptions options, Post post);

}  // namespace distributo::coordinator::store
