#include "runtime/check/probe/checks.hpp"
#include "runtime/extension_plugin.hpp"

#include <distributo/sink.hpp>
#include <distributo/testing.hpp>

#include <array>

namespace distributo::runtime::check {
namespace {

constexpr std::string_view config_hint = "give what it needs with --config '{…}'";

base::Result<ExtensionTables> tables_of(Subject& subject) {
    if (auto opened = subject.open(); !opened)
        return opened.error();
    if (auto entered = subject.enter(); !entered)
        return entered.error();
    return check_extension(*subject.declared());
}

/// Without a configuration from the author, one that is refused says nothing about the plugin.
bool is_unconfigured(const ProbeRequest& request, const testing::Outcome& opened) {
    return opened.status == DTO_PERMANENT && request.config == "{}";
}

Verdict unconfigured(const testing::Outcome& opened) {
    return Verdict::skipped("needs a configuration: " + opened.message, std::string(config_hint));
}

Verdict judge_generator(const ProbeRequest& request) {
    {
        testing::Generator generator(request.library);
        const auto opened = generator.open(request.config);
        if (is_unconfigured(request, opened))
            return unconfigured(opened);
    }
    const std::string fault = testing::stream_fault(request.library, request.config);
    if (fault.empty())
        return Verdict::ok();
    return Verdict::failed(fault,
                           "what to emit must follow from the configuration and the checkpoint "
                           "alone, and a task for which there is no room comes in the next call");
}

/// Three outcomes behind all that it may have.
std::array<distributo::Outcome, 3> outcomes_after(std::uint64_t last) {
    std::array<distributo::Outcome, 3> outcomes;
    for (distributo::Outcome& outcome : outcomes) {
        outcome.sequence = ++last;
        outcome.attempt = 1;
        outcome.task_id = "00000000-0000-7000-8000-000000000000";
        outcome.task_type = "distributo.check";
        outcome.payload = "{}";
        outcome.result = "{}";
    }
    outcomes[1].status = DTO_PERMANENT;
    outcomes[1].message = "an outcome that distributo plugin check has made up";
    outcomes[1].reason = "permanent";
    outcomes[1].result = {};
    return outcomes;
}

Verdict failed_in(std::string_view what, const testing::Outcome& outcome) {
    return Verdict::failed(std::string(what) + " ended in " + status_text(outcome.status) + ": " +
                               (outcome.message.empty() ? "without a reason" : outcome.message),
                           std::string(config_hint));
}

Verdict judge_sink(const ProbeRequest& request) {
    testing::Sink sink(request.library);
    const auto opened = sink.open(request.config);
    if (is_unconfigured(request, opened))
        return unconfigured(opened);
    if (!opened.ok())
        return failed_in("open", opened);
    const bool remembers = sink.last_stored() != 0;
    const auto outcomes = outcomes_after(sink.last_stored());
    if (const auto stored = sink.deliver(outcomes, 2); !stored.ok())
        return failed_in("write or flush", stored);
    if (const auto again = sink.open(request.config); !again.ok())
        return failed_in("open, once more,", again);
    const std::uint64_t last = sink.last_stored();
    if (last == outcomes.back().sequence)
        return Verdict::ok("knows the last outcome that it has");
    if (last == 0 && !remembers)
        return Verdict::ok("does not know what it has: gets it at least once");
    return Verdict::failed("after storing outcome " + std::to_string(outcomes.back().sequence) +
                               " it says on open that it has " + std::to_string(last),
                           "say the sequence of the last outcome that is stored for good, or 0");
}

/// testing.hpp throws when a library breaks its rules.
template <Verdict (*Judge)(const ProbeRequest&),
          std::optional<ExtensionInterface> ExtensionModule::*Kind>
Verdict judged(const ProbeRequest& request) {
    Subject subject(request);
    const auto tables = tables_of(subject);
    if (!tables)
        return broken("loading", tables.error());
    if (!(tables->info.*Kind))
        return Verdict::skipped("it offers none");
    try {
        return Judge(request);
    } catch (const std::exception& error) {
        return Verdict::failed(error.what());
    }
}

constexpr ProbeCheck checks[] = {
    {"extension.generator", &judged<&judge_generator, &ExtensionModule::generator>},
    {"extension.sink", &judged<&judge_sink, &ExtensionModule::sink>},
};

}  // namespace

std::span<const ProbeCheck> extension_checks() {
    return checks;
}

}  // namespace distributo::runtime::check
