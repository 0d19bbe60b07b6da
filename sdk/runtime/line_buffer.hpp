#pragma once

#include "runtime/utf8.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace distributo::runtime {

/// Bytes of an output stream until their line is complete. Not thread-safe.
class LineBuffer {
public:
    /// Adds `bytes`; returns all complete lines so far, without the last line feed, or nothing.
    /// A line longer than 16 KiB is cut into several.
    [[nodiscard]] std::string add(std::string_view bytes) {
        pending_ += bytes;
        const auto last = pending_.rfind('\n');
        if (last != std::string::npos) {
            std::string lines = pending_.substr(0, last);
            pending_.erase(0, last + 1);
            return lines;
        }
        if (pending_.size() < longest_line)
            return {};
        const std::string line(cut_utf8(pending_, longest_line));
        pending_.erase(0, line.size());
        return line;
    }
    /// What is left without a line feed.
    [[nodiscard]] std::string finish() { return std::exchange(pending_, {}); }

private:
    static constexpr std::size_t longest_line = 16 * 1024;
    std::string pending_;
};

}  // namespace distributo::runtime
