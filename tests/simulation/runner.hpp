#pragma once

#include "tests/simulation/history.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace distributo::simulation {

struct Failure {
    std::uint64_t seed = 0;
    Violation violation;
};

struct Plan {
    std::uint64_t first_seed = 1;
    std::uint64_t histories = 1000;
    unsigned jobs = 1;
    std::optional<Profile> profile;
    /// One of so many histories is run twice and must be the same (I13). 0: none.
    std::uint64_t repeat_every = 64;
    /// The store of a history; empty: the one in memory.
    std::function<MakeStore(std::uint64_t seed)> real_store;
    std::function<void(std::uint64_t done)> progress;  ///< called by one thread, now and then
};

struct Result {
    Totals totals;
    std::optional<Failure> failure;  ///< the one with the lowest seed
};

/// Runs histories until all are done or one fails. The same plan gives the same result, whatever
/// `jobs` is, apart from how many histories were run beyond the one that failed.
[[nodiscard]] Result run(const Plan& plan);

}  // namespace distributo::simulation
