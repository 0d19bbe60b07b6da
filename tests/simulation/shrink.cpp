#include "tests/simulation/shrink.hpp"

#include <algorithm>

namespace distributo::simulation {

std::vector<std::uint32_t> shrink(std::uint64_t seed,
                                  std::optional<Profile> profile,
                                  const Violation& violation) {
    boost::asio::io_context io(1);
    const auto fails_without = [&](const std::vector<std::uint32_t>& left_out) {
        auto scenario = make_scenario(seed, profile);
        leave_out(scenario, left_out);
        const auto report = History(io, scenario, false).run();
        return report.violation && report.violation->invariant == violation.invariant;
    };
    const auto steps = static_cast<std::uint32_t>(make_scenario(seed, profile).steps.size());
    std::vector<std::uint32_t> left_out;
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (std::uint32_t i = 0; i < steps; ++i) {
            if (std::ranges::find(left_out, i) != left_out.end())
                continue;
            auto more = left_out;
            more.insert(std::ranges::lower_bound(more, i), i);
            if (fails_without(more)) {
                left_out = std::move(more);
                smaller = true;
            }
        }
    }
    return left_out;
}

}  // namespace distributo::simulation
