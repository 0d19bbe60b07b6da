#pragma once

#include <distributo/sink.hpp>
#include <distributo/testing.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// What the tests of sinks give them.
namespace outcomes {

constexpr auto created =
    std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(1'700'000'000'123));

/// A completed task. Its texts are literals.
inline distributo::Outcome completed(std::uint64_t sequence) {
    return {.sequence = sequence,
            .attempt = 1,
            .state = "completed",
            .task_id = "a1",
            .task_type = "demo.prime",
            .group = "g",
            .host_name = "box",
            .payload = R"({"n":7})",
            .result = R"({"prime":true})",
            .created = created,
            .finished = created + std::chrono::milliseconds(900)};
}

/// A failed one with everything that completed() has not.
inline distributo::Outcome failed(std::uint64_t sequence) {
    distributo::Outcome outcome = completed(sequence);
    outcome.status = DTO_PERMANENT;
    outcome.state = "failed";
    outcome.reason = "permanent";
    outcome.message = "no \"n\"";
    outcome.result = {};
    outcome.generator = "words";
    outcome.dedupe_key = "k";
    outcome.host_id = "0f";
    return outcome;
}

/// completed(first) to completed(last).
inline std::vector<distributo::Outcome> range(std::uint64_t first, std::uint64_t last) {
    std::vector<distributo::Outcome> all;
    for (std::uint64_t i = first; i <= last; ++i) {
        all.push_back(completed(i));
    }
    return all;
}

}  // namespace outcomes
