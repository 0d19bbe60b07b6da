#pragma once

#include <filesystem>
#include <string>

namespace distributo::coordinator::cli {

/// A folder that goes with its owner. Its path is empty when there could be none.
class TemporaryFolder {
public:
    /// `prefix`: begin of its name, below the folder for temporary files.
    explicit TemporaryFolder(const std::string& prefix);
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace distributo::coordinator::cli
