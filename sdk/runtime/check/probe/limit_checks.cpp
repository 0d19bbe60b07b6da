// Tasks that are told to end, on hosts whose functions fail, and on hosts of other versions.
#include "runtime/check/probe/checks.hpp"

namespace distributo::runtime::check {
namespace {

using std::chrono::milliseconds;

constexpr const char* ask_more = "ask cancelled() now and then, or sleep with wait()";

/// Runs every sample with these options; what counts is that it ends.
Verdict ends_soon(const ProbeRequest& request,
                  const Instance::RunOptions& options,
                  std::string_view when) {
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    for (const Sample& sample : samples_of(bench.subject, nullptr)) {
        const Outcome outcome = bench.instance->run(sample, options);
        if (!outcome.returned)
            return Verdict::failed(sample.type + " goes on " +
                                       std::to_string(grace_of(bench.subject, sample).count()) +
                                       " ms after it was " + std::string(when),
                                   ask_more);
        if (!outcome.thrown.empty())
            return broken(sample.type + ", " + std::string(when) + ",", outcome);
    }
    return Verdict::ok();
}

Verdict cancel_before(const ProbeRequest& request) {
    return ends_soon(request, {.cancelled = true, .cancel_after = {}, .deadline = {}}, "cancelled");
}

Verdict cancel_during(const ProbeRequest& request) {
    return ends_soon(request,
                     {.cancelled = false, .cancel_after = milliseconds(20), .deadline = {}},
                     "cancelled");
}

Verdict deadline(const ProbeRequest& request) {
    return ends_soon(request,
                     {.cancelled = false, .cancel_after = {}, .deadline = milliseconds(20)},
                     "past its deadline");
}

Verdict host_failures(const ProbeRequest& request) {
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    std::string seen;
    for (const Sample& sample : samples_of(bench.subject, nullptr)) {
        static_cast<void>(bench.instance->run(sample));
        for (std::size_t i = 1; i < host_function_count; ++i) {
            const auto function = static_cast<HostFunction>(i);
            for (const dto_status status : {DTO_RETRY, DTO_UNSUPPORTED}) {
                bench.instance->host().fail(function, status);
                const Outcome outcome = bench.instance->run(sample);
                if (!bench.instance->host().was_called(function))
                    break;
                const std::string when = "when " + std::string(name_of(function)) + " fails";
                if (!outcome.thrown.empty())
                    return broken(sample.type + ", " + when + ",", outcome);
                if (outcome.ok() && outcome.result_lost)
                    return Verdict::failed(
                        sample.type + " ends in DTO_OK " + when + ": its result is lost",
                        "return the status of the function");
                if (seen.find(name_of(function)) == std::string::npos)
                    seen += (seen.empty() ? "" : ", ") + std::string(name_of(function));
            }
        }
        bench.instance->host().fail(HostFunction::none, DTO_OK);
    }
    return Verdict::ok(seen);
}

Verdict on_host_of(const ProbeRequest& request, Age age) {
    Subject subject(request);
    if (auto loaded = subject.load(age); !loaded)
        return broken("loading", loaded.error());
    Instance there(subject, age, "host");
    if (const Outcome ready = there.start(); !ready.ok())
        return broken("setup", ready);
    std::vector<std::string> made_up;
    for (const Sample& sample : samples_of(subject, &made_up)) {
        const Outcome outcome = there.run(sample);
        if (!outcome.ok() && made_up.empty())
            return Verdict::failed("the sample of " + sample.type + " " + describe(outcome),
                                   "look for members with DTO_HAS, and at no version");
    }
    there.tear_down();
    there.destroy();
    return Verdict::ok();
}

Verdict on_current(const ProbeRequest& request) {
    return on_host_of(request, Age::current);
}
Verdict on_oldest(const ProbeRequest& request) {
    return on_host_of(request, Age::oldest);
}
Verdict on_future(const ProbeRequest& request) {
    return on_host_of(request, Age::future);
}

constexpr ProbeCheck limits[] = {
    {"execute.cancel_before", &cancel_before},
    {"execute.cancel_during", &cancel_during},
    {"execute.deadline", &deadline},
    {"execute.host_failures", &host_failures},
};

constexpr ProbeCheck negotiation[] = {
    {"negotiation.current", &on_current},
    {"negotiation.oldest", &on_oldest},
    {"negotiation.future", &on_future},
};

}  // namespace

std::span<const ProbeCheck> limit_checks() {
    return limits;
}

std::span<const ProbeCheck> negotiation_checks() {
    return negotiation;
}

}  // namespace distributo::runtime::check
