#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::wire {

/// What keeps a plugin's process from doing harm. A host advertises those that are really in force
/// for a plugin, and a task may require them.
enum class Layer : std::uint8_t {
    no_new_privs,  ///< no set-uid programs; of root's privileges only those over files
    landlock,      ///< writes only its own directories, reads no home directories
    signal_scope,  ///< signals only processes that it started, and abstract sockets likewise
    seccomp,       ///< system calls that no task needs are refused
    memory,        ///< a limit is set
    no_network,    ///< no connection to anywhere
    cgroup,        ///< a control group of its own: an exact limit and a complete kill
};
inline constexpr std::size_t layer_count = 7;

[[nodiscard]] std::string_view to_string(Layer layer) noexcept;
[[nodiscard]] std::optional<Layer> parse_layer(std::string_view name) noexcept;

/// A set of layers.
class Layers {
public:
    constexpr Layers() = default;
    [[nodiscard]] static constexpr Layers of_bits(std::uint32_t bits) noexcept {
        Layers layers;
        layers.bits_ = bits & ((1U << layer_count) - 1);
        return layers;
    }

    constexpr void add(Layer layer) noexcept { bits_ |= bit(layer); }
    [[nodiscard]] constexpr bool has(Layer layer) const noexcept {
        return (bits_ & bit(layer)) != 0;
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
    /// Those of `wanted` that are not in this set.
    [[nodiscard]] constexpr Layers missing(Layers wanted) const noexcept {
        return of_bits(wanted.bits_ & ~bits_);
    }
    [[nodiscard]] constexpr std::uint32_t bits() const noexcept { return bits_; }
    /// In the order of the enumeration.
    [[nodiscard]] std::vector<std::string_view> names() const;
    /// "landlock, seccomp"
    [[nodiscard]] std::string text() const;

    friend constexpr auto operator<=>(const Layers&, const Layers&) = default;

private:
    static constexpr std::uint32_t bit(Layer layer) noexcept {
        return 1U << static_cast<unsigned>(layer);
    }
    std::uint32_t bits_ = 0;
};

/// How far a task is kept from others: where its plugin runs, and the layers around that. As an
/// offer it says what is, as a requirement what must be at least.
struct Confinement {
    /// Rising: 0 unknown, or nothing required; then inproc, process, task.
    std::uint8_t isolation = 0;
    Layers layers{};

    [[nodiscard]] constexpr bool covers(const Confinement& required) const noexcept {
        return isolation >= required.isolation && layers.missing(required.layers).empty();
    }
    friend constexpr auto operator<=>(const Confinement&, const Confinement&) = default;
};

inline constexpr std::string_view isolation_modes[] = {"inproc", "process", "task"};
/// 0 for a name that is none of these.
[[nodiscard]] std::uint8_t isolation_rank(std::string_view name) noexcept;
/// Empty for 0.
[[nodiscard]] std::string_view isolation_name(std::uint8_t rank) noexcept;

}  // namespace distributo::wire
