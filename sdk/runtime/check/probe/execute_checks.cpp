#include "runtime/check/payloads.hpp"
#include "runtime/check/probe/checks.hpp"
#include "runtime/check/probe/process_state.hpp"
#include "wire/json.hpp"
#include "wire/schema.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

namespace distributo::runtime::check {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view give_sample =
    "put sample.json beside the plugin, or give --task FILE: {\"type\":…,\"payload\":…}";

/// The beginning of a payload, for a message.
std::string shown(std::string_view payload) {
    constexpr std::size_t most = 60;
    if (payload.size() <= most)
        return std::string(payload);
    std::string text(payload.substr(0, most));
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0)
        text.pop_back();
    return text + "…";
}

/// What is wrong with a result; nothing when it is fine.
std::optional<std::string> wrong_result(const TypeInfo& type, const Outcome& outcome) {
    if (auto value = wire::json::parse(outcome.result); !value)
        return "the result is not JSON: " + value.error().message;
    if (type.result_schema.empty())
        return std::nullopt;
    const auto schema = wire::Schema::compile(type.result_schema);
    if (!schema)
        return std::nullopt;  // tables.schemas says so
    const auto violations = schema->check(outcome.result, 1);
    if (violations.empty())
        return std::nullopt;
    return "the result does not match its schema: " +
           (violations.front().pointer.empty() ? "/" : violations.front().pointer) + ": " +
           violations.front().message;
}

Verdict samples(const ProbeRequest& request) {
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    std::vector<std::string> made_up;
    for (const Sample& sample : samples_of(bench.subject, &made_up)) {
        if (std::find(made_up.begin(), made_up.end(), sample.type) != made_up.end())
            continue;
        const Outcome outcome = bench.instance->run(sample);
        if (!outcome.ok())
            return Verdict::failed("the sample of " + sample.type + " " + describe(outcome),
                                   "a sample is a task that succeeds");
        if (auto wrong = wrong_result(bench.type_of(sample), outcome))
            return Verdict::failed(sample.type + ": " + *wrong);
    }
    if (made_up.size() == bench.subject.module().info.types.size())
        return Verdict::skipped(
            request.samples.empty()
                ? std::string("there is no sample task")
                : "no sample is of its types; the first is of " + request.samples.front().type,
            std::string(give_sample));
    std::string without;
    for (const std::string& type : made_up)
        without += (without.empty() ? "no sample for " : ", ") + type;
    return Verdict::ok(without);
}

Verdict generated(const ProbeRequest& request) {
    constexpr milliseconds enough{300};  // a payload may ask for a year of work
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    std::size_t count = 0;
    for (Sample sample : samples_of(bench.subject, nullptr)) {
        const TypeInfo& type = bench.type_of(sample);
        if (type.payload_schema.empty())
            continue;
        const auto payloads = make_payloads(type.payload_schema, sample.payload);
        if (!payloads)
            continue;  // tables.schemas says so
        for (const std::string& payload : payloads->valid) {
            sample.payload = payload;
            const Outcome outcome = bench.instance->run(
                sample, {.cancelled = false, .cancel_after = enough, .deadline = {}});
            ++count;
            if (!outcome.returned)
                return Verdict::failed(
                    sample.type + " with " + shown(payload) + " goes on after it was cancelled",
                    "ask cancelled() now and then, also in long loops");
            if (!outcome.thrown.empty())
                return broken(sample.type + " with " + shown(payload), outcome);
            if (outcome.ok())
                if (auto wrong = wrong_result(type, outcome))
                    return Verdict::failed(sample.type + " with " + shown(payload) + ": " + *wrong);
        }
    }
    if (count == 0)
        return Verdict::skipped("no task type has a payload schema");
    return Verdict::ok(std::to_string(count) + " payloads");
}

Verdict malformed(const ProbeRequest& request) {
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    std::size_t count = 0;
    for (Sample sample : samples_of(bench.subject, nullptr)) {
        const TypeInfo& type = bench.type_of(sample);
        if (type.payload_schema.empty())
            continue;
        const auto payloads = make_payloads(type.payload_schema, sample.payload);
        if (!payloads)
            continue;
        for (const std::string& payload : payloads->invalid) {
            sample.payload = payload;
            const Outcome outcome = bench.instance->run(sample);
            ++count;
            if (!outcome.thrown.empty() || outcome.status != DTO_PERMANENT)
                return Verdict::failed(
                    sample.type + " with '" + shown(payload) + "' " + describe(outcome) +
                        ", expected DTO_PERMANENT",
                    "check the payload: what its schema refuses fails again on every host");
        }
    }
    if (count == 0)
        return Verdict::skipped("no task type has a payload schema");
    return Verdict::ok(std::to_string(count) + " payloads");
}

/// Ends in the same way with the same result.
bool same(const Outcome& a, const Outcome& b) {
    return a.status == b.status && a.result == b.result;
}

Verdict concurrency(const ProbeRequest& request) {
    constexpr std::uint32_t most_threads = 8;
    constexpr int rounds = 8;
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    std::size_t tried = 0;
    for (const Sample& sample : samples_of(bench.subject, nullptr)) {
        const TypeInfo& type = bench.type_of(sample);
        if (type.max_concurrency == 1)
            continue;
        const Outcome alone = bench.instance->run(sample);
        if (sample.made_up && alone.status == DTO_CANCELLED)
            continue;  // it waits for something that the schema does not tell
        ++tried;
        const std::uint32_t count =
            type.max_concurrency == 0 ? most_threads : std::min(type.max_concurrency, most_threads);
        std::atomic<int> different = 0;
        std::atomic<int> runs = 0;
        const auto enough = std::chrono::steady_clock::now() + request.limit / 6;
        std::vector<std::thread> threads;
        for (std::uint32_t i = 0; i < count; ++i)
            threads.emplace_back([&] {
                for (int round = 0;
                     round < rounds && (round == 0 || std::chrono::steady_clock::now() < enough);
                     ++round) {
                    const Outcome outcome = bench.instance->run_here(sample);
                    const bool fine =
                        type.deterministic ? same(outcome, alone) : outcome.status == alone.status;
                    ++runs;
                    different += fine && outcome.thrown.empty() ? 0 : 1;
                }
            });
        for (std::thread& thread : threads)
            thread.join();
        if (different != 0)
            return Verdict::failed(sample.type + ": " + std::to_string(different) + " of " +
                                       std::to_string(runs) + " runs on " + std::to_string(count) +
                                       " threads end differently from one alone",
                                   "guard what tasks share, or leave out DTO_TASK_REENTRANT");
    }
    return tried != 0 ? Verdict::ok() : Verdict::skipped("no task type is reentrant");
}

Verdict batch(const ProbeRequest& request) {
    constexpr std::uint32_t most = 8;
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    const dto_task_api& api = bench.subject.module().api;
    std::size_t tried = 0;
    for (const Sample& sample : samples_of(bench.subject, nullptr)) {
        const dto_task_type& declared =
            *bench.subject.tables()[bench.subject.type_index(sample.type)];
        if (!api.execute_batch || declared.max_batch < 2)
            continue;
        const Outcome alone = bench.instance->run(sample);
        if (sample.made_up && alone.status == DTO_CANCELLED)
            continue;  // it waits for something that the schema does not tell
        ++tried;
        for (const Outcome& outcome :
             bench.instance->run_batch(sample, std::min(declared.max_batch, most)))
            if (!outcome.thrown.empty() || outcome.status != alone.status ||
                (bench.type_of(sample).deterministic && outcome.result != alone.result))
                return Verdict::failed(sample.type + " in a batch " + describe(outcome) + " with " +
                                       shown(outcome.result) + ", alone it " + describe(alone) +
                                       " with " + shown(alone.result));
    }
    return tried != 0 ? Verdict::ok() : Verdict::skipped("no task type takes batches");
}

Verdict leftovers(const ProbeRequest& request) {
    constexpr int runs = 10;
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    for (const Sample& sample : samples_of(bench.subject, nullptr)) {
        // The first run may fill pools that stay.
        static_cast<void>(bench.instance->run(sample));
        settles([] { return thread_count() == 1; });
        const std::size_t threads = thread_count();
        const std::size_t descriptors = open_descriptors().size();
        for (int i = 0; i < runs; ++i)
            static_cast<void>(bench.instance->run(sample));
        if (!settles([&] { return thread_count() < threads + runs; }))
            return Verdict::failed(sample.type + " leaves a thread behind with every task",
                                   "join the threads of a task before execute returns");
        if (!settles([&] { return open_descriptors().size() < descriptors + runs; }))
            return Verdict::failed(sample.type + " leaves a descriptor open with every task",
                                   "close what a task opens before execute returns");
    }
    return Verdict::ok();
}

constexpr ProbeCheck checks[] = {
    {"execute.samples", &samples},
    {"execute.generated", &generated},
    {"execute.malformed", &malformed},
    {"execute.concurrency", &concurrency},
    {"execute.batch", &batch},
    {"execute.leftovers", &leftovers},
};

}  // namespace

std::span<const ProbeCheck> execute_checks() {
    return checks;
}

}  // namespace distributo::runtime::check
