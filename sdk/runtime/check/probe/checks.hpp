#pragma once

#include "runtime/check/probe/subject.hpp"
#include "runtime/check/verdict.hpp"

#include <optional>
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
[[nodiscard]] std::span<const ProbeCheck> extension_checks();

/// What the module declares, as one JSON object: the heart of the manifest.
[[nodiscard]] std::string describe_module(const Subject& subject);

/// Whether the texts, schemas and resources of the types that are known are sound.
[[nodiscard]] Verdict judge_types(const Subject& subject);

/// A failed verdict when a step of loading, or of starting, did not work; `what` did not.
[[nodiscard]] Verdict broken(std::string_view what, const base::Error& error);
[[nodiscard]] Verdict broken(std::string_view what, const Outcome& outcome);

/// An instance that is up, on this version's host.
struct Bench {
    explicit Bench(const ProbeRequest& request) : subject(request) {}

    /// Ok, or why the rest cannot be done.
    [[nodiscard]] Verdict start() {
        if (auto loaded = subject.load(); !loaded)
            return broken("loading", loaded.error());
        instance.emplace(subject, Age::ordinary, "host");
        if (const Outcome ready = instance->start(); !ready.ok())
            return broken("setup", ready);
        return Verdict::ok();
    }
    [[nodiscard]] const TypeInfo& type_of(const Sample& sample) const {
        return subject.module().info.types[subject.type_index(sample.type)];
    }

    Subject subject;
    std::optional<Instance> instance;
};

}  // namespace distributo::runtime::check
