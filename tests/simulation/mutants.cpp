#include "tests/simulation/mutants.hpp"

#include "tests/simulation/sqlite.hpp"

namespace distributo::simulation {

std::size_t active_mutant = no_mutant;

std::span<const Mutant> mutants() noexcept {
#define MUTANT_ENTRY(name, breaks, killed_by, fits) {name, breaks, killed_by, fits},
    static constexpr Mutant all[] = {
#include "mutant_list.inc"
    };
#undef MUTANT_ENTRY
    return all;
}

MakeStore sqlite_in(const std::filesystem::path&) {
    return {};
}

}  // namespace distributo::simulation
