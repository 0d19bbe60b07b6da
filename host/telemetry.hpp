#pragma once

#include "wire/codec.hpp"
#include "wire/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

/// Output, progress and phases of running tasks on their way to the coordinator. Best effort and
/// bounded: when the connection cannot take it, lines are dropped and counted, tasks go on.
/// Not thread-safe: lives on the io_context.
class Telemetry {
public:
    void log(const wire::Token& token, std::string_view stream, std::string_view text);
    /// Only the newest progress of a task is kept.
    void progress(const wire::Token& token, double fraction, std::string_view text);
    void phase(const wire::PhaseItem& item) { phases_.push_back(item); }

    [[nodiscard]] bool empty() const noexcept {
        return lines_.empty() && progress_.empty() && phases_.empty() && dropped_ == 0;
    }
    /// Finished messages of everything that waits; nothing waits afterwards.
    [[nodiscard]] std::vector<std::string> take();
    void clear();

private:
    struct Line {
        wire::Token token;
        std::string stream;
        std::string text;
    };
    void take_lines(std::vector<std::string>& messages);

    std::vector<Line> lines_;
    std::vector<wire::ProgressItem> progress_;
    std::vector<wire::PhaseItem> phases_;
    std::size_t bytes_ = 0;
    std::size_t dropped_ = 0;
    wire::Token dropped_token_;
};

}  // namespace distributo::host
