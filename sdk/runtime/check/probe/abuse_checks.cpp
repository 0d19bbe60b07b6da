#include "runtime/check/probe/checks.hpp"
#include "runtime/check/probe/process_state.hpp"

namespace distributo::runtime::check {
namespace {

/// Long enough for a thread that was left behind to use its call.
constexpr int pauses_after_a_task = 20;

bool is_of_the_contract(dto_status status) {
    return status == DTO_OK || status == DTO_RETRY || status == DTO_RETRY_ELSEWHERE ||
           status == DTO_PERMANENT || status == DTO_CANCELLED;
}

/// Runs the samples of every type on an instance that stays up, one after the other.
template <typename Judge>
Verdict after_each_sample(const ProbeRequest& request, const Judge& judge) {
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    for (const Sample& sample : samples_of(bench.subject, nullptr)) {
        const Outcome outcome = bench.instance->run(sample);
        if (!outcome.returned)
            return Verdict::failed(
                sample.type + " with a payload from its schema goes on after it was cancelled",
                "give it a sample task that ends, and let it ask cancelled() now and then");
        if (Verdict verdict = judge(*bench.instance, sample, outcome);
            verdict.status != Verdict::Status::ok)
            return verdict;
    }
    return Verdict::ok();
}

Verdict survives(const ProbeRequest& request) {
    return after_each_sample(
        request, [](Instance&, const Sample&, const Outcome&) { return Verdict::ok(); });
}

Verdict known_status(const ProbeRequest& request) {
    return after_each_sample(request, [](Instance&, const Sample& sample, const Outcome& outcome) {
        if (!outcome.thrown.empty() || is_of_the_contract(outcome.status))
            return Verdict::ok();
        if (outcome.status == DTO_PENDING)
            return Verdict::failed(
                sample.type + " ends in DTO_PENDING without the flag DTO_TASK_ASYNC",
                "set the flag, and call complete() later");
        return Verdict::failed(sample.type + " ends in " + status_text(outcome.status) +
                                   ", which execute may not return",
                               "return DTO_OK, DTO_RETRY, DTO_RETRY_ELSEWHERE, DTO_PERMANENT "
                               "or DTO_CANCELLED");
    });
}

Verdict no_exception(const ProbeRequest& request) {
    return after_each_sample(request, [](Instance&, const Sample& sample, const Outcome& outcome) {
        if (outcome.thrown.empty())
            return Verdict::ok();
        return Verdict::failed(sample.type + " lets an exception out: " + outcome.thrown,
                               "catch everything in execute and return a status");
    });
}

Verdict offence(Instance& instance, const Sample& sample, Offence kind, const char* hint) {
    const auto found = instance.host().offences(kind);
    if (found.empty())
        return Verdict::ok();
    return Verdict::failed(sample.type + " calls " + found.front(), hint);
}

Verdict nothing_after_end(const ProbeRequest& request) {
    return after_each_sample(request, [](Instance& instance, const Sample& sample, const Outcome&) {
        for (int i = 0; i < pauses_after_a_task; ++i)
            short_pause();
        return offence(instance,
                       sample,
                       Offence::after_end,
                       "join the threads of a task before execute returns");
    });
}

Verdict completes_once(const ProbeRequest& request) {
    return after_each_sample(request, [](Instance& instance, const Sample& sample, const Outcome&) {
        return offence(instance,
                       sample,
                       Offence::complete,
                       "complete() ends a call that returned DTO_PENDING, once");
    });
}

constexpr ProbeCheck checks[] = {
    {"abuse.survives", &survives},
    {"abuse.status", &known_status},
    {"abuse.exception", &no_exception},
    {"abuse.after_end", &nothing_after_end},
    {"abuse.complete", &completes_once},
};

}  // namespace

std::span<const ProbeCheck> abuse_checks() {
    return checks;
}

}  // namespace distributo::runtime::check
