#pragma once

#include "base/clock.hpp"

#include <cstdint>

namespace distributo::simulation {

/// splitmix64: small, fast to seed, and the same on every machine.
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        state_ += 0x9E3779B97F4A7C15ULL;
        auto mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
        return mixed ^ (mixed >> 31U);
    }
    /// `limit` must not be 0.
    std::uint64_t below(std::uint64_t limit) noexcept { return next() % limit; }
    bool chance(std::uint64_t permille) noexcept { return below(1000) < permille; }
    base::Duration between(base::Duration from, base::Duration to) noexcept {
        const auto range = static_cast<std::uint64_t>((to - from).count());
        return from + base::Duration(static_cast<base::Duration::rep>(below(range + 1)));
    }
    /// A source of its own, so that what one part asks for does not shift the others.
    Random fork() noexcept { return Random(next()); }

private:
    std::uint64_t state_;
};

}  // namespace distributo::simulation
