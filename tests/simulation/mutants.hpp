#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace distributo::simulation {

/// A fault that was put into the sources on purpose, see mutants.toml.
struct Mutant {
    std::string_view name;
    std::string_view breaks;     ///< what goes wrong
    std::string_view killed_by;  ///< the invariants that may notice first: "I3" or "I1, I10"
    bool fits = false;           ///< its text was found in its source
};

/// Those that this program was built with; none in the one that runs the real sources.
[[nodiscard]] std::span<const Mutant> mutants() noexcept;
inline constexpr std::size_t no_mutant = ~std::size_t{0};

/// Which one is switched on. Changed only while no history runs.
extern std::size_t active_mutant;
[[nodiscard]] inline bool is_mutant(std::size_t number) noexcept {
    return active_mutant == number;
}

}  // namespace distributo::simulation
