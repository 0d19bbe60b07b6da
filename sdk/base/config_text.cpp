#include "base/config.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>

namespace distributo::base {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;  ///< milliseconds, or bytes
};
constexpr Unit units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

constexpr Unit sizes[] = {{"", 1},
                          {"B", 1},
                          {"KiB", 1LL << 10U},
                          {"MiB", 1LL << 20U},
                          {"GiB", 1LL << 30U},
                          {"TiB", 1LL << 40U}};

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j)
        cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

Result<std::int64_t> parse_duration(std::string_view text) {
    const auto wrong = [text] {
        return error(
            Errc::invalid_argument,
            "expected a duration such as 500ms, 10s, 2m or 1h, got \"" + std::string(text) + "\"");
    };
    if (text == "0")
        return 0;
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || number < 0)
        return wrong();
    const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const Unit& unit : units) {
        if (unit.name == name &&
            number <= std::numeric_limits<std::int64_t>::max() / 1'000'000 / unit.factor)
            return number * unit.factor;
    }
    return wrong();
}

std::string duration_text(std::int64_t milliseconds) {
    if (milliseconds % 1000 != 0)
        return std::to_string(milliseconds) + "ms";
    if (milliseconds != 0 && milliseconds % 3'600'000 == 0)
        return std::to_string(milliseconds / 3'600'000) + "h";
    if (milliseconds != 0 && milliseconds % 60'000 == 0)
        return std::to_string(milliseconds / 60'000) + "m";
    return std::to_string(milliseconds / 1000) + "s";
}

Result<std::int64_t> parse_size(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (failure == std::errc() && number >= 0)
        for (const Unit& unit : sizes)
            if (unit.name == name &&
                number <= std::numeric_limits<std::int64_t>::max() / unit.factor)
                return number * unit.factor;
    return error(
        Errc::invalid_argument,
        "expected a size such as 64KiB, 512MiB or 2GiB, got \"" + std::string(text) + "\"");
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr std::size_t longest = 64;  // longer ones are no names; the cost is quadratic
    if (word.size() > longest)
        return {};
    std::string best;
    std::size_t least = std::clamp<std::size_t>(word.size() / 3, 1, 3) + 1;
    for (const std::string& candidate : candidates) {
        if (candidate.size() > longest)
            continue;
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < least && distance < candidate.size()) {
            least = distance;
            best = candidate;
        }
    }
    return best;
}

void print_error(const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.message.c_str());
    if (!error.hint.empty())
        std::fprintf(stderr, "  hint: %s\n", error.hint.c_str());
}

}  // namespace distributo::base
