#include "coordinator/cli/progress.hpp"

#include "coordinator/cli/output.hpp"

#include <cstdio>
#include <unistd.h>

namespace distributo::coordinator::cli {
namespace {

constexpr base::Duration redraw_interval = std::chrono::milliseconds(100);
constexpr base::Duration line_interval = std::chrono::seconds(10);  // without a terminal
constexpr auto rate_window = std::chrono::seconds(10);
constexpr std::uint64_t bar_cells = 20;

std::string bar(std::uint64_t done, std::uint64_t total) {
    const std::uint64_t full = total == 0 ? 0 : done * bar_cells / total;
    std::string text;
    for (std::uint64_t i = 0; i < bar_cells; ++i)
        text += i < full ? "█" : "░";
    return text;
}

double seconds(base::Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

Progress::Progress(bool enabled, base::TimePoint start)
    : enabled_(enabled),
      terminal_(isatty(STDERR_FILENO) == 1),
      drawn_(terminal_ ? start - redraw_interval : start) {
    recent_.emplace_back(start, 0);
}

std::string Progress::line(const Tally& tally, base::TimePoint now) {
    recent_.emplace_back(now, tally.done);
    while (recent_.size() > 2 && now - recent_.front().first > rate_window)
        recent_.pop_front();
    const double elapsed = seconds(now - recent_.front().first);
    const double rate =
        elapsed > 0 ? static_cast<double>(tally.done - recent_.front().second) / elapsed : 0;

    std::string text = "  done " + grouped(tally.done) + "/" + grouped(tally.total) + "  " +
                       bar(tally.done, tally.total) + "  ";
    text += std::to_string(tally.total == 0 ? 0 : tally.done * 100 / tally.total) + " %   ";
    text += grouped(static_cast<std::uint64_t>(rate)) + "/s";
    if (rate > 0 && tally.done < tally.total) {
        const auto left = static_cast<double>(tally.total - tally.done) / rate;
        text += "   ~ " + std::to_string(static_cast<std::uint64_t>(left) + 1) + " s left";
    }
    if (tally.failed != 0)
        text += "   failed " + grouped(tally.failed);
    return text;
}

void Progress::show(const Tally& tally, base::TimePoint now) {
    if (!enabled_)
        return;
    if (terminal_) {
        show_text(line(tally, now), now);
        return;
    }
    const std::uint64_t tenths = tally.total == 0 ? 0 : tally.done * 10 / tally.total;
    if (tenths <= tenths_)
        return;
    tenths_ = tenths;
    std::fprintf(stderr, "%s\n", line(tally, now).c_str());
}

void Progress::show_text(const std::string& text, base::TimePoint now) {
    if (!enabled_ || now - drawn_ < (terminal_ ? redraw_interval : line_interval))
        return;
    drawn_ = now;
    std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", text.c_str());
    std::fflush(stderr);
}

void Progress::finish() {
    if (enabled_ && terminal_)
        std::fputs("\r\033[K", stderr);
}

}  // namespace distributo::coordinator::cli
