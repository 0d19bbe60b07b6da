#include "child.hpp"
#include "support/outcome_json.hpp"

#include <distributo/sink.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using distributo::permanent;

constexpr std::int64_t default_timeout_ms = 10'000;

struct Config {
    std::vector<std::string> argv;
    std::optional<bool> acknowledge;
    std::optional<std::int64_t> timeout_ms;
    std::optional<std::vector<std::string>> fields;
};
BOOST_DESCRIBE_STRUCT(Config, (), (argv, acknowledge, timeout_ms, fields))

/// Gives outcomes to a program, one line of JSON each, and starts it again when it ends.
class Command {
public:
    Command(const Config& config, distributo::Source& source)
        : config_(config), source_(source), json_(config.fields) {
        if (config.argv.empty()) {
            throw permanent("config.argv: expected a program and its arguments");
        }
        if (config.timeout_ms.value_or(1) <= 0) {
            throw permanent("config.timeout_ms: expected 1 or more");
        }
    }

    void write(std::span<const distributo::Outcome> outcomes) {
        if (outcomes.empty()) {
            return;
        }
        std::string lines;
        for (const auto& outcome : outcomes) {
            json_.append(lines, outcome);
            lines.push_back('\n');
        }
        const auto deadline =
            std::chrono::steady_clock::now() +
            std::chrono::milliseconds(config_.timeout_ms.value_or(default_timeout_ms));
        try {
            if (!child_) {
                acknowledged_ = 0;
                child_ = std::make_unique<command::Child>(
                    config_.argv, [this](std::string_view line) { heard(line); });
            }
            child_->write(lines, deadline);
            if (config_.acknowledge.value_or(false)) {
                const auto last = outcomes.back().sequence;
                child_->read_until([&] { return acknowledged_ >= last; }, deadline);
            }
        } catch (...) {
            child_.reset();  // what it has of this call is unknown: it gets all of it again
            throw;
        }
    }

private:
    void heard(std::string_view line) {
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
        if (config_.acknowledge.value_or(false) && error == std::errc() &&
            end == line.data() + line.size()) {
            acknowledged_ = number;
        } else {
            source_.info(line);
        }
    }

    const Config config_;
    distributo::Source& source_;
    const support::OutcomeJson json_;
    std::uint64_t acknowledged_ = 0;
    std::unique_ptr<command::Child> child_;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.command", "1.0.0", distributo::sink<Command>("command"));
