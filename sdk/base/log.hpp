#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace distributo::base::log {

enum class Level { debug, info, warn, error };
enum class Format { human, json };

/// One `key=value` of a record. Numbers are rendered as such in JSON output.
struct Field {
    std::string_view key;
    std::string value;
    bool is_number = false;

    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(v) {}
    Field(std::string_view k, const std::string& v) : key(k), value(v) {}
    template <typename Number>
    requires std::is_arithmetic_v<Number> Field(std::string_view k, Number v)
        : key(k), value(std::to_string(v)), is_number(true) {}
};

struct Options {
    std::string component;  ///< "coordinator", "host", "runner", "distributo"
    Level level = Level::info;
    Format format = Format::human;
    std::string file;  ///< empty: standard error
};

/// Sets the one sink of the process. Call once, before any thread starts; throws
/// std::runtime_error when the file cannot be opened.
void configure(const Options& options);

/// Is a record of this level written at all? Any thread.
[[nodiscard]] bool enabled(Level level) noexcept;

/// Writes one record: the event's name ("lease.granted", "host.joined"), then its fields.
/// Any thread. Payloads never above debug, secrets never.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    if (enabled(Level::debug))
        write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::info, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::warn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::error, event, fields);
}

}  // namespace distributo::base::log
