#include "host/install_table.hpp"

#include "base/digest.hpp"

namespace distributo::host {
namespace {

/// Memory for remembered contents; beyond it they are hashed again.
constexpr std::size_t most_contents = 1024;
constexpr std::size_t longest_content = 16 * 1024;

std::string content(std::string_view type, std::string_view spec, std::string_view digest) {
    std::string text;
    text.reserve(type.size() + spec.size() + digest.size() + 2);
    // Neither a type nor JSON text contains a zero byte, so different parts never look alike.
    return text.append(type).append(1, '\0').append(spec).append(1, '\0').append(digest);
}

}  // namespace

std::string content_key(std::string_view type, std::string_view spec, std::string_view digest) {
    return base::sha256(content(type, spec, digest));
}

void InstallTable::add_ready(std::string key) {
    Entry& entry = entries_[entry_of(std::move(key))];
    entry.state = State::ready;
    entry.unverified = true;
}

std::uint32_t InstallTable::find(std::string_view type,
                                 std::string_view spec,
                                 std::string_view plugin_digest) {
    auto text = content(type, spec, plugin_digest);
    if (const auto known = by_content_.find(text); known != by_content_.end())
        return known->second;
    const auto index = entry_of(base::sha256(text));
    if (by_content_.size() >= most_contents)
        by_content_.clear();
    if (text.size() <= longest_content)
        by_content_.emplace(std::move(text), index);
    return index;
}

std::uint32_t InstallTable::entry_of(std::string key) {
    const auto index = static_cast<std::uint32_t>(entries_.size());
    const auto [place, added] = by_key_.try_emplace(std::move(key), index);
    if (added) {
        entries_.emplace_back();
        entries_.back().key = place->first;
    }
    return place->second;
}

}  // namespace distributo::host
