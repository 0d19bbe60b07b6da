#pragma once

#include "tests/support/simulated_disk.hpp"

#include <memory>
#include <string>

struct sqlite3_vfs;

namespace distributo::tests {

/// Lets SQLite work on a simulated disk, as its layer for Unix does on a real one. Outlives every
/// connection that uses it.
class DiskVfs {
public:
    explicit DiskVfs(SimulatedDisk& disk);
    ~DiskVfs();
    DiskVfs(const DiskVfs&) = delete;
    DiskVfs& operator=(const DiskVfs&) = delete;

    /// By which SQLite knows it.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    class Locks;

private:
    std::string name_;
    std::unique_ptr<Locks> locks_;
    std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace distributo::tests
