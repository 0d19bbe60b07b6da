#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::base {

/// Where a setting's value came from, weakest first.
enum class Origin : std::uint8_t { preset, file, environment, flag };

/// One setting of a program: a flag, a key of the configuration file and an environment variable
/// in one. "--http-port" ↔ `http_port` in [coordinator] ↔ DISTRIBUTO_COORDINATOR_HTTP_PORT.
struct Option {
    enum class Kind : std::uint8_t { text, integer, boolean, duration, size, text_list, table };

    std::string flag{};  ///< "--http-port"
    Kind kind = Kind::text;
    std::string value_name{};            ///< "PORT", for --help
    std::string preset{};                ///< default, in text form
    std::string help{};                  ///< one line
    std::int64_t min = 0, max = 0;       ///< integers only; both 0: unbounded
    std::vector<std::string> choices{};  ///< texts only; empty: any
};

/// The settings of a program with their values: flags > environment > file > default.
class Config {
public:
    /// `section`: "coordinator" or "host"; also names the variables and the default file
    /// /etc/distributo/<section>.toml, which need not exist. `description`: what the program is,
    /// and on a second line, if there is one, the example for --help. "--config" is added when it
    /// is missing. Lists in variables and presets are separated by commas.
    Config(std::string section, std::string description, std::vector<Option> options);

    /// Reads argv, the environment and the file (--config FILE or the default). Handles --help and
    /// --version by printing and returning false in `proceed`. An error names the place:
    /// "host.toml:3:1: unknown key 'solts' in [host]", hint "did you mean 'slots'?".
    [[nodiscard]] Result<void> load(int argc, const char* const* argv, bool& proceed);

    [[nodiscard]] std::string text(std::string_view flag) const;
    [[nodiscard]] std::int64_t integer(std::string_view flag) const;
    [[nodiscard]] bool boolean(std::string_view flag) const;
    [[nodiscard]] std::int64_t milliseconds(std::string_view flag) const;  ///< "10s", "500ms", "2m"
    [[nodiscard]] std::vector<std::string> list(std::string_view flag) const;
    [[nodiscard]] Origin origin(std::string_view flag) const;
    /// The file that was read; empty when there was none.
    [[nodiscard]] const std::string& file() const noexcept { return file_; }

private:
    struct Entry {
        Option option;
        std::vector<std::string> values;
        Origin origin = Origin::preset;
    };
    [[nodiscard]] const Entry& entry(std::string_view flag) const;
    [[nodiscard]] Entry& entry(std::string_view flag);
    Result<void> apply_text(Entry& entry,
                            const std::vector<std::string>& flag_values,
                            const std::string& variable);
    Result<void> apply_file();

    std::string section_;
    std::string description_;
    std::vector<Entry> entries_;
    std::string file_;
};

/// "10s", "500ms", "2m", "1h", "0" → milliseconds.
[[nodiscard]] Result<std::int64_t> parse_duration(std::string_view text);
/// The shortest exact form of a duration that is not negative: "30s", "1500ms", "2h".
[[nodiscard]] std::string duration_text(std::int64_t milliseconds);

/// "512MiB", "2GiB", "64KiB", "4096", "0" → bytes.
[[nodiscard]] Result<std::int64_t> parse_size(std::string_view text);

/// The candidate nearest to `word` by edit distance, if it is near enough to be a typing error.
[[nodiscard]] std::string nearest(std::string_view word,
                                  const std::vector<std::string>& candidates);

/// Prints "error: …" and, when there is one, "  hint: …" to standard error.
void print_error(const Error& error);

/// Exit codes that all programs share.
namespace exit_code {
inline constexpr int ok = 0, task_failed = 1, usage = 2, unreachable = 3, not_found = 4,
                     refused = 5, timeout = 6, internal = 7, interrupted = 130;
/// Of a coordinator: its data directory is in use by another one; its task store cannot be used, or
/// failed while it ran. Numbers of sysexits.h, which service managers know.
inline constexpr int in_use = 73, storage = 74;
}  // namespace exit_code

}  // namespace distributo::base
