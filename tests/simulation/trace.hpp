#pragma once

#include "tests/simulation/timeline.hpp"

#include <cstdint>
#include <string_view>

namespace distributo::simulation {

/// What happened in a history, as a number that is equal only for equal histories, and as text for
/// people who look at one.
class Trace {
public:
    Trace(const Timeline& time, bool spoken) : time_(time), spoken_(spoken) {}

    void note(std::string_view what, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0);
    [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
    [[nodiscard]] bool spoken() const noexcept { return spoken_; }

private:
    void mix(std::uint64_t value) noexcept { hash_ = (hash_ ^ value) * 0x100000001B3ULL; }

    const Timeline& time_;
    bool spoken_;
    std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace distributo::simulation
