#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::runtime::check {

/// A task to try a plugin with: {"type":…,"payload":…,"install":…}, as it would be submitted.
struct Sample {
    std::string type;
    std::string payload = "{}";  ///< JSON
    std::string install;         ///< JSON, or empty
    bool made_up = false;  ///< from the schema: it may ask for anything, also to wait for ever
};

/// Reads one sample, or an array of them. Members other than those above are what a submitted
/// task may have, and ignored. The type may be missing: it is empty then.
[[nodiscard]] base::Result<std::vector<Sample>> parse_samples(std::string_view text);

/// The same from a file; the error names it.
[[nodiscard]] base::Result<std::vector<Sample>> read_samples(const std::filesystem::path& file);

/// The text that parse_samples reads.
[[nodiscard]] std::string samples_text(const std::vector<Sample>& samples);

/// Where the samples of a plugin are when nobody says so: <name>.sample.json or sample.json,
/// beside the plugin, else in the folder above (that of the sources). Empty: nowhere.
[[nodiscard]] std::filesystem::path find_samples(const std::filesystem::path& plugin);

}  // namespace distributo::runtime::check
