#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace distributo::coordinator::store {

/// Bytes that may still be written to the file system of a folder.
using FreeSpace = std::function<std::uint64_t(const std::filesystem::path& folder)>;
[[nodiscard]] std::uint64_t free_space(const std::filesystem::path& folder);

/// A file of nothing that keeps room on the disk: given up when the disk is full, so that what must
/// still be written can be. Not thread-safe.
class Reserve {
public:
    /// `size` in bytes; 0: there is none, and take() always succeeds.
    Reserve(std::filesystem::path file, std::uint64_t size, FreeSpace free);

    /// Takes the room, unless the disk would then have less than as much left for everything else.
    /// True when it is held.
    bool take();
    void give_up();

private:
    std::filesystem::path file_;
    std::uint64_t size_;
    FreeSpace free_;
};

}  // namespace distributo::coordinator::store
