#pragma once

#include "runtime/check/probe/subject.hpp"
#include "runtime/check/verdict.hpp"

#include <span>
#include <string_view>

namespace distributo::runtime::check {

/// One check that runs the plugin's code, by the id of the catalog.
struct ProbeCheck {
    std::string_view id;
    Verdict (*run)(const ProbeRequest& request);
};

// Where they are written, one file per group.
[[nodiscard]] std::span<const ProbeCheck> load_checks();
[[nodiscard]] std::span<const ProbeCheck> table_checks();
[[nodiscard]] std::span<const ProbeCheck> lifecycle_checks();
[[nodiscard]] std::span<const ProbeCheck> abuse_checks();
[[nodiscard]] std::span<const ProbeCheck> execute_checks();
[[nodiscard]] std::span<const ProbeCheck> limit_checks();
[[nodiscard]] std::span<const ProbeCheck> negotiation_checks();
[[nodiscard]] std::span<const ProbeCheck> install_checks();

/// What the module declares, as one JSON object: the heart of the manifest.
[[nodiscard]] std::string describe_module(const Subject& subject);

/// A failed verdict when a step of loading, or of starting, did not work; `what` did not.
[[nodiscard]] Verdict broken(std::string_view what, const base::Error& error);
[[nodiscard]] Verdict broken(std::string_view what, const Outcome& outcome);

}  // namespace distributo::runtime::check
