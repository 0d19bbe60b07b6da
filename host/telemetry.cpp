#include "host/telemetry.hpp"

#include "wire/limits.hpp"

#include <algorithm>
#include <span>

namespace distributo::host {
namespace {

constexpr std::size_t most_bytes = 1024 * 1024;
constexpr std::size_t longest_text = wire::limits::batch_bytes / 4;
constexpr std::size_t most_progress_text = 1024;

/// Consecutive runs of at most a batch of items, each made into one message.
template <typename Item, typename Encode>
void encode_runs(const std::vector<Item>& items, std::vector<std::string>& out, Encode encode) {
    for (std::size_t at = 0; at < items.size(); at += wire::limits::batch_entries) {
        const auto count = std::min(wire::limits::batch_entries, items.size() - at);
        out.push_back(encode(std::span<const Item>(items).subspan(at, count)));
    }
}

}  // namespace

void Telemetry::log(const wire::Token& token, std::string_view stream, std::string_view text) {
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), longest_text))) {
        const auto piece = text.substr(0, longest_text);
        if (bytes_ + piece.size() > most_bytes) {
            ++dropped_;
            dropped_token_ = token;
            return;
        }
        bytes_ += piece.size();
        lines_.push_back({token, std::string(stream), std::string(piece)});
    }
}

void Telemetry::progress(const wire::Token& token, double fraction, std::string_view text) {
    const auto known =
        std::ranges::find_if(progress_, [&](const auto& item) { return item.token == token; });
    auto& item = known != progress_.end() ? *known : progress_.emplace_back();
    item.token = token;
    item.fraction = fraction;
    item.text = text.substr(0, most_progress_text);
}

std::vector<std::string> Telemetry::take() {
    std::vector<std::string> messages;
    encode_runs(phases_, messages, wire::encode_phases);
    encode_runs(progress_, messages, wire::encode_progress);
    take_lines(messages);
    clear();
    return messages;
}

void Telemetry::take_lines(std::vector<std::string>& messages) {
    if (dropped_ > 0) {
        auto note = std::to_string(dropped_);
        note += " pieces of output were dropped: the coordinator could not keep up";
        lines_.push_back({dropped_token_, "plugin", std::move(note)});
    }
    std::vector<wire::LogItem> items;
    std::size_t bytes = 0;
    const auto close = [&] {
        if (!items.empty())
            messages.push_back(wire::encode_log(items));
        items.clear();
        bytes = 0;
    };
    for (auto& line : lines_) {
        if (items.size() == wire::limits::batch_entries ||
            bytes + line.text.size() > wire::limits::batch_bytes)
            close();
        bytes += line.text.size();
        items.push_back({line.token, line.stream, std::move(line.text)});
    }
    close();
}

void Telemetry::clear() {
    lines_.clear();
    progress_.clear();
    phases_.clear();
    bytes_ = 0;
    dropped_ = 0;
}

}  // namespace distributo::host
