#pragma once

#include "base/bytes.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::coordinator::store {

/// Results above this, in bytes, are files of their own, so that the pages of the database stay
/// dense.
inline constexpr std::size_t longest_inline_result = 64 * 1024;

/// Files named after the SHA-256 of their content, `<folder>/ab/ab12…`. Whole whenever they are
/// there: written under another name, synced, renamed, and the folder is synced, too. Throws
/// DatabaseError. Any thread; two may not write the same at once.
class BlobFiles {
public:
    explicit BlobFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// Returns when it is on the disk.
    void write(const std::string& name, std::string_view content) const;
    /// Checks that the content is what was written.
    [[nodiscard]] base::Bytes read(const std::string& name) const;
    void remove(const std::string& name) const;
    /// Names of those in one of `part_count` parts, those that were not finished included.
    [[nodiscard]] std::vector<std::string> list(unsigned part) const;
    static constexpr unsigned part_count = 256;

private:
    [[nodiscard]] std::filesystem::path file(const std::string& name) const {
        return folder_ / name.substr(0, 2) / name;
    }
    std::filesystem::path folder_;
};

}  // namespace distributo::coordinator::store
