#pragma once

#include "base/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace distributo::base {

/// The key of an option in files: "--http-port" → "http_port".
[[nodiscard]] std::string config_key(std::string_view flag);

/// A value from a configuration file, in text form, and where it stands.
struct FileValue {
    std::string flag;
    std::vector<std::string> values;
    std::string place;  ///< "host.toml:5:9: slots"
};

/// Reads the table [section] of a TOML file. Tables of the other programs may be there as well;
/// unknown tables, unknown keys and values of the wrong kind are errors.
[[nodiscard]] Result<std::vector<FileValue>> read_config_file(const std::string& file,
                                                              const std::string& section,
                                                              const std::vector<Option>& options);

}  // namespace distributo::base
