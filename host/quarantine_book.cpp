#include "host/quarantine_book.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace distributo::host {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr milliseconds remembered = std::chrono::hours(1);  // after its end

std::string_view take_word(std::string_view& line) {
    const auto end = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

bool read_milliseconds(std::string_view word, milliseconds& out) {
    std::int64_t count = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), count);
    out = milliseconds(count);
    return failed == std::errc() && end == word.data() + word.size() && count >= 0;
}

}  // namespace

QuarantineBook QuarantineBook::parse(std::string_view text, base::WallTime now) {
    QuarantineBook book;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto digest = take_word(line);
        milliseconds until{};
        milliseconds pause{};
        if (!base::is_sha256(digest) || !read_milliseconds(take_word(line), until) ||
            !read_milliseconds(take_word(line), pause) || pause > remembered ||
            base::WallTime(until) + remembered < now)
            continue;
        book.entries_[std::string(digest)] = {
            .until = base::WallTime(until), .pause = pause, .why = std::string(line)};
    }
    return book;
}

std::string QuarantineBook::text() const {
    std::string text;
    for (const auto& [digest, entry] : entries_)
        text += digest + ' ' + std::to_string(entry.until.time_since_epoch().count()) + ' ' +
                std::to_string(duration_cast<milliseconds>(entry.pause).count()) + ' ' + entry.why +
                '\n';
    return text;
}

void QuarantineBook::add(const std::string& digest,
                         std::string why,
                         base::WallTime now,
                         base::Duration pause) {
    std::ranges::replace(why, '\n', ' ');
    entries_[digest] = {
        .until = now + duration_cast<milliseconds>(pause), .pause = pause, .why = std::move(why)};
}

std::optional<PastQuarantine> QuarantineBook::find(const std::string& digest,
                                                   base::WallTime now) const {
    const auto found = entries_.find(digest);
    if (found == entries_.end())
        return std::nullopt;
    const auto& entry = found->second;
    const auto left = std::clamp<base::Duration>(entry.until - now, {}, entry.pause);
    return PastQuarantine{.why = entry.why, .left = left, .pause = entry.pause};
}

}  // namespace distributo::host
