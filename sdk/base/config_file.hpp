#pragma once

#include "base/config.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::base {

/// The key of an option in files: "--http-port" → "http_port". A file may say "http-port" as well.
[[nodiscard]] std::string config_key(std::string_view flag);

/// A value from a configuration file, in text form, and where it stands.
struct FileValue {
    std::string flag;
    std::vector<std::string> values;
    std::string place;  ///< "host.toml:5:9: slots"
};

/// What is wrong with an option's values, as an error that names `place`.
[[nodiscard]] Result<void> check_values(const Option& option,
                                        const std::vector<std::string>& values,
                                        const std::string& place);

/// Reads the table [section] of a TOML file. Tables of the other programs may be there as well;
/// unknown tables, unknown keys and values of the wrong kind are errors.
[[nodiscard]] Result<std::vector<FileValue>> read_config_file(const std::string& file,
                                                              const std::string& section,
                                                              const std::vector<Option>& options);

/// A table below another one: [plugin.render] is the one named "render" below "plugin".
struct FileTable {
    std::string name;
    std::vector<FileValue> values;  ///< checked against their options
};

/// Reads all tables below [section]; the keys that stand directly in it are values of a table with
/// the empty name, which comes first.
[[nodiscard]] Result<std::vector<FileTable>> read_config_tables(const std::string& file,
                                                                const std::string& section,
                                                                const std::vector<Option>& options);

/// A TOML file of any content as one JSON object. invalid_argument names the place.
[[nodiscard]] Result<std::string> read_toml_as_json(const std::string& file);

/// One table of an array of tables: [[generator]].
struct FileObject {
    std::string json;   ///< the table as an object
    std::string place;  ///< "words.toml:3:1"
    /// Where each of its keys stands: "/low_water", and below tables "/config/files".
    std::vector<std::pair<std::string, std::string>> places;

    /// The place of what a JSON pointer names, or of the nearest thing around it that has one.
    [[nodiscard]] std::string place_of(std::string_view pointer) const;
};

/// Reads the tables [[name]] of a file that read_config_file accepts for the section.
[[nodiscard]] Result<std::vector<FileObject>> read_config_objects(const std::string& file,
                                                                  const std::string& section,
                                                                  const std::string& name);

}  // namespace distributo::base
