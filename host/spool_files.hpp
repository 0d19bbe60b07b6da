#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

/// Files of a spool have numbers from 1, and only the newest is written to. What the disk does is
/// behind this, so that tests can have one that is full or loses what was not synced. One thread at
/// a time; everything blocks.
class SpoolFiles {
public:
    virtual ~SpoolFiles() = default;
    /// Numbers of the files that are there, ascending.
    [[nodiscard]] virtual base::Result<std::vector<std::uint64_t>> list() = 0;
    [[nodiscard]] virtual base::Result<std::string> read(std::uint64_t number) = 0;
    /// Makes an empty file, which append() writes to from now on; its name is durable.
    [[nodiscard]] virtual base::Result<void> create(std::uint64_t number) = 0;
    [[nodiscard]] virtual base::Result<void> append(std::string_view data) = 0;
    /// What was appended is durable.
    [[nodiscard]] virtual base::Result<void> sync() = 0;
    /// Best effort: what is left over is harmless and is found at the next start.
    virtual void remove(std::uint64_t number) = 0;
};

/// Files in a directory that exists.
class SpoolDirectory final : public SpoolFiles {
public:
    explicit SpoolDirectory(std::filesystem::path path) : path_(std::move(path)) {}
    SpoolDirectory(const SpoolDirectory&) = delete;
    SpoolDirectory& operator=(const SpoolDirectory&) = delete;
    ~SpoolDirectory() override;

    [[nodiscard]] base::Result<std::vector<std::uint64_t>> list() override;
    [[nodiscard]] base::Result<std::string> read(std::uint64_t number) override;
    [[nodiscard]] base::Result<void> create(std::uint64_t number) override;
    [[nodiscard]] base::Result<void> append(std::string_view data) override;
    [[nodiscard]] base::Result<void> sync() override;
    void remove(std::uint64_t number) override;

private:
    void close() noexcept;
    [[nodiscard]] std::filesystem::path place(std::uint64_t number) const;

    std::filesystem::path path_;
    int file_ = -1;
};

}  // namespace distributo::host
