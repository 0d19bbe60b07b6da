#pragma once

#include "base/result.hpp"
#include "runtime/child_process.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace distributo::coordinator::cli {

/// Whether a change of this file is a reason to build again: sources, build files and samples are,
/// what builds and editors leave beside them is not.
[[nodiscard]] bool is_source(const std::filesystem::path& file);

/// Whether sources are looked for in a folder of this name: not in build folders and hidden ones.
[[nodiscard]] bool holds_sources(const std::string& folder_name);

/// Tells when somebody saves a source file below a folder. Changes that happen while nobody waits
/// are kept.
class SourceWatch {
public:
    [[nodiscard]] static base::Result<SourceWatch> start(const std::filesystem::path& folder);

    /// Waits until something changed, and then until nothing changes for a moment. The names of
    /// what did; empty when a signal came first.
    [[nodiscard]] std::vector<std::string> wait();

private:
    explicit SourceWatch(runtime::Descriptor notify) : notify_(std::move(notify)) {}
    void add(const std::filesystem::path& folder);
    void read_events(std::vector<std::string>& changed);
    [[nodiscard]] int ready(int milliseconds) const;

    runtime::Descriptor notify_;
    std::map<int, std::filesystem::path> folders_;
};

}  // namespace distributo::coordinator::cli
