#include "line_file.hpp"
#include "support/outcome_json.hpp"

#include <distributo/sink.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

/// Between two syncs, with fsync = "interval" and nothing else said.
constexpr std::uint32_t default_interval_ms = 1000;

enum class Fsync { always, interval, never };
BOOST_DESCRIBE_ENUM(Fsync, always, interval, never)

struct Config {
    std::string path;
    std::optional<std::uint64_t> max_size;
    std::optional<std::uint32_t> max_files;
    std::optional<Fsync> fsync;
    std::optional<std::uint32_t> interval_ms;
    std::optional<std::vector<std::string>> fields;
};
BOOST_DESCRIBE_STRUCT(Config, (), (path, max_size, max_files, fsync, interval_ms, fields))

class JsonLines {
public:
    JsonLines(const Config& config, distributo::Source& source)
        : json_(config.fields),
          fsync_(config.fsync.value_or(Fsync::always)),
          interval_(config.interval_ms.value_or(default_interval_ms)),
          max_size_(config.max_size.value_or(0)),
          file_({config.path, fsync_ != Fsync::never, config.max_files},
                [&source](const std::string& text) { source.warn(text); }) {}

    std::uint64_t last_stored() { return file_.last_number(); }

    std::size_t write(std::span<const distributo::Outcome> outcomes) {
        // What was written and not acknowledged, because somebody died in between, comes again.
        const std::uint64_t last = file_.last_number();
        std::string lines;
        std::uint64_t number = 0;
        for (const distributo::Outcome& outcome : outcomes) {
            if (outcome.sequence <= last) {
                continue;
            }
            const std::size_t before = lines.size();
            json_.append(lines, outcome);
            lines.push_back('\n');
            if (max_size_ != 0 && file_.size() + lines.size() > max_size_) {
                begin_file(lines, before, number);
            }
            number = outcome.sequence;
        }
        if (!lines.empty()) {
            file_.append(lines, number);
        }
        return sync_when_due() ? outcomes.size() : 0;
    }

    void flush() {
        file_.sync();
        synced_at_ = Clock::now();
    }

private:
    using Clock = std::chrono::steady_clock;

    /// The last line no longer fits: the ones before it, the last of which has this number, are
    /// the end of the file, and it begins the next one.
    void begin_file(std::string& lines, std::size_t last_line, std::uint64_t number) {
        if (last_line > 0) {
            file_.append(std::string_view(lines).substr(0, last_line), number);
            lines.erase(0, last_line);
        }
        file_.set_aside();
    }

    /// Is everything stored as well as it was asked for?
    bool sync_when_due() {
        if (fsync_ == Fsync::interval && Clock::now() - synced_at_ < interval_) {
            return false;
        }
        flush();
        return true;
    }

    support::OutcomeJson json_;
    Fsync fsync_;
    std::chrono::milliseconds interval_;
    std::uint64_t max_size_;
    jsonl::LineFile file_;
    Clock::time_point synced_at_ = Clock::now();
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.jsonl",
                  "1.0.0",
                  distributo::sink<JsonLines>("jsonl"),
                  distributo::license("MIT"));
