#include "tests/simulation/mutants.hpp"

namespace distributo::simulation {

std::size_t active_mutant = no_mutant;

std::span<const Mutant> mutants() noexcept {
    return {};
}

}  // namespace distributo::simulation
