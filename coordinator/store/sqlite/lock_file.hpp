#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <utility>

namespace distributo::coordinator::store {

/// A file that one process holds at a time; let go when the object goes, or its process.
class LockFile {
public:
    LockFile() = default;
    /// Fails with conflict when another one holds it, naming its process.
    [[nodiscard]] static base::Result<LockFile> take(const std::filesystem::path& file);

    LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    LockFile& operator=(LockFile&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~LockFile();

private:
    int descriptor_ = -1;
};

}  // namespace distributo::coordinator::store
