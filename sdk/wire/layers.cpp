#include "wire/layers.hpp"

#include <array>

namespace distributo::wire {
namespace {

constexpr std::array<std::string_view, layer_count> words{
    "no-new-privs", "landlock", "signal-scope", "seccomp", "memory", "no-network", "cgroup"};

}  // namespace

std::string_view to_string(Layer layer) noexcept {
    return words[static_cast<std::size_t>(layer)];
}

std::optional<Layer> parse_layer(std::string_view name) noexcept {
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i] == name)
            return static_cast<Layer>(i);
    return std::nullopt;
}

std::vector<std::string_view> Layers::names() const {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < words.size(); ++i)
        if (has(static_cast<Layer>(i)))
            names.push_back(words[i]);
    return names;
}

std::string Layers::text() const {
    std::string text;
    for (const auto name : names())
        text.append(text.empty() ? "" : ", ").append(name);
    return text;
}

std::uint8_t isolation_rank(std::string_view name) noexcept {
    for (std::size_t i = 0; i < std::size(isolation_modes); ++i)
        if (isolation_modes[i] == name)
            return static_cast<std::uint8_t>(i + 1);
    return 0;
}

std::string_view isolation_name(std::uint8_t rank) noexcept {
    return rank == 0 || rank > std::size(isolation_modes) ? std::string_view()
                                                          : isolation_modes[rank - 1];
}

}  // namespace distributo::wire
