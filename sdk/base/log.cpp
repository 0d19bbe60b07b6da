#include "base/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

namespace distributo::base::log {
namespace {

struct Sink {
    std::shared_ptr<spdlog::logger> logger;
    std::string component;
    Format format = Format::human;
};

Sink& sink() {
    static Sink instance{spdlog::stderr_color_mt("distributo"), "distributo", Format::human};
    return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            break;
    }
    return spdlog::level::err;
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            out += escape;
        } else {
            out += c;
        }
    }
    out += '"';
}

std::string json_record(std::string_view event, std::initializer_list<Field> fields) {
    std::string out = R"("component":)";
    append_json_string(out, sink().component);
    out += R"(,"event":)";
    append_json_string(out, event);
    for (const Field& field : fields) {
        out += ',';
        append_json_string(out, field.key);
        out += ':';
        if (field.is_number)
            out += field.value;
        else
            append_json_string(out, field.value);
    }
    return out;
}

bool needs_quotes(std::string_view value) {
    return value.empty() || value.find_first_of(" \"=\n\r\t") != std::string_view::npos;
}

std::string human_record(std::string_view event, std::initializer_list<Field> fields) {
    constexpr std::size_t event_column = 24;  // wide enough for nearly every event name
    std::string out(event);
    if (out.size() < event_column && fields.size() != 0)
        out.append(event_column - out.size(), ' ');
    for (const Field& field : fields) {
        out += ' ';
        out += field.key;
        out += '=';
        if (needs_quotes(field.value))
            append_json_string(out, field.value);
        else
            out += field.value;
    }
    return out;
}

}  // namespace

void configure(const Options& options) {
    Sink& target = sink();
    target.component = options.component;
    target.format = options.format;
    if (!options.file.empty()) {
        try {
            target.logger = std::make_shared<spdlog::logger>(
                "file", std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
        } catch (const spdlog::spdlog_ex& failure) {
            throw std::runtime_error(std::string("cannot write the log file: ") + failure.what());
        }
    }
    target.logger->set_level(to_spdlog(options.level));
    target.logger->flush_on(spdlog::level::info);
    if (options.format == Format::json)
        target.logger->set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                                   spdlog::pattern_time_type::utc);
    else
        target.logger->set_pattern("%H:%M:%S.%e %^%-5!l%$ " + options.component + "  %v");
}

bool enabled(Level level) noexcept {
    return sink().logger->should_log(to_spdlog(level));
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    if (!enabled(level))
        return;
    sink().logger->log(
        to_spdlog(level),
        "{}",
        sink().format == Format::json ? json_record(event, fields) : human_record(event, fields));
}

}  // namespace distributo::base::log
