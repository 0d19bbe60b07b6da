#include "runtime/check/probe/checks.hpp"
#include "runtime/check/probe/process_state.hpp"
#include "wire/json.hpp"

#include <algorithm>
#include <chrono>
#include <unistd.h>

namespace distributo::runtime::check {
namespace {

using std::chrono::steady_clock;

Verdict create_and_destroy(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    Instance instance(subject, Age::ordinary, "host");
    if (const Outcome created = instance.create(); !created.ok())
        return broken("create", created);
    instance.destroy();
    return Verdict::ok();
}

Verdict set_up(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    Instance instance(subject, Age::ordinary, "host");
    const auto begin = steady_clock::now();
    if (const Outcome ready = instance.start(); !ready.ok()) {
        Verdict verdict = broken("setup", ready);
        verdict.hint = "give what it needs with --config '{…}'";
        return verdict;
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
    return Verdict::ok("in " + std::to_string(took.count()) + " ms");
}

std::string names_of(const Subject& subject) {
    std::string names;
    for (const TypeInfo& type : subject.module().info.types)
        names += (names.empty() ? "" : ", ") + type.name;
    return names;
}

Verdict discovers(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    if (!subject.module().api.discover)
        return Verdict::skipped("it has no discover function");
    Instance first(subject, Age::ordinary, "first");
    if (const Outcome ready = first.start(); !ready.ok())
        return broken("setup", ready);
    const std::string names = names_of(subject);
    if (Verdict sound = judge_types(subject); sound.status != Verdict::Status::ok)
        return sound;
    first.tear_down();
    first.destroy();
    Instance second(subject, Age::ordinary, "second");
    if (const Outcome ready = second.start(); !ready.ok())
        return broken("setup of a second instance", ready);
    if (names_of(subject) == names)
        return Verdict::ok(names);
    return Verdict::failed(
        "discovers " + names_of(subject) + " the second time, " + names + " the first",
        "name the same types in the same order in every process");
}

/// {"healthy":true,"attributes":{…}}
bool is_health(std::string_view text) {
    wire::json::Reader reader(text);
    if (reader.peek() != wire::json::Kind::object || !reader.begin_object())
        return false;
    bool healthy = false;
    for (std::string_view key; reader.next_member(key);) {
        wire::json::Value value;
        if (!reader.value(value))
            return false;
        healthy |= key == "healthy" && value.kind == wire::json::Kind::boolean;
        if (key == "attributes" && value.kind != wire::json::Kind::object)
            return false;
    }
    return healthy && !reader.failed();
}

Verdict probes(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    if (!subject.module().api.probe)
        return Verdict::skipped("it has no probe function");
    Instance instance(subject, Age::ordinary, "host");
    if (const Outcome ready = instance.start(); !ready.ok())
        return broken("setup", ready);
    const Outcome outcome = instance.probe();
    if (!outcome.ok())
        return broken("probe", outcome);
    if (!is_health(outcome.result))
        return Verdict::failed("probe answers " + outcome.result.substr(0, 80),
                               R"(answer {"healthy":true,"attributes":{}})");
    return Verdict::ok(outcome.result.substr(0, 80));
}

Verdict bad_config(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    int number = 0;
    std::string seen;
    for (const char* config : {"[]", R"({"nobody":{"knows":[1,2,3]}})", "{"}) {
        Instance instance(subject, Age::ordinary, "host-" + std::to_string(++number));
        if (const Outcome created = instance.create(); !created.ok())
            return broken("create", created);
        const Outcome outcome = instance.set_up(config);
        if (!outcome.thrown.empty())
            return broken(std::string("setup with ") + config, outcome);
        if (!outcome.ok())
            seen = describe(outcome);
    }
    return Verdict::ok(seen);
}

Verdict two_instances(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    Instance one(subject, Age::ordinary, "one");
    Instance two(subject, Age::ordinary, "two");
    if (const Outcome ready = one.start(); !ready.ok())
        return broken("setup of the first instance", ready);
    if (const Outcome ready = two.start(); !ready.ok())
        return broken("setup of a second instance", ready);
    one.tear_down();
    one.destroy();
    two.tear_down();
    two.destroy();
    return Verdict::ok();
}

/// A whole life, with one task of each type when it is told of whom.
Verdict live(Instance& instance, const Subject* samples_from) {
    if (const Outcome ready = instance.start(); !ready.ok())
        return broken("setup", ready);
    if (samples_from)
        for (const Sample& sample : samples_of(*samples_from, nullptr))
            static_cast<void>(instance.run(sample));
    instance.tear_down();
    instance.destroy();
    return Verdict::ok();
}

Verdict tears_down(const ProbeRequest& request) {
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    const auto begin = steady_clock::now();
    bench.instance->tear_down();
    bench.instance->destroy();
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
    return Verdict::ok("in " + std::to_string(took.count()) + " ms");
}

Verdict leaves_no_thread(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    const std::size_t before = thread_count();
    Instance instance(subject, Age::ordinary, "host");
    if (Verdict lived = live(instance, nullptr); lived.status != Verdict::Status::ok)
        return lived;
    if (settles([&] { return thread_count() <= before; }))
        return Verdict::ok();
    return Verdict::failed(
        std::to_string(thread_count() - before) + " thread(s) run after destroy()",
        "stop and join every thread in teardown()");
}

Verdict leaves_no_descriptor(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    Instance instance(subject, Age::ordinary, "host");
    const auto before = open_descriptors();
    if (Verdict lived = live(instance, nullptr); lived.status != Verdict::Status::ok)
        return lived;
    int left = -1;
    const bool gone = settles([&] {
        const auto after = open_descriptors();
        const auto at = std::find_if(
            after.begin(), after.end(), [&](int one) { return !before.contains(one); });
        left = at == after.end() ? -1 : *at;
        return left < 0;
    });
    if (gone)
        return Verdict::ok();
    return Verdict::failed(
        "descriptor " + std::to_string(left) + " stays open: " + descriptor_target(left),
        "close it in teardown()");
}

Verdict leaks_little(const ProbeRequest& request) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    static_cast<void>(request);
    return Verdict::skipped("a sanitizer keeps memory that was freed");
#else
    constexpr int warm_up = 10;
    constexpr int half = 50;
    constexpr int fewest = 10;  // below, the noise of the allocator is the measurement
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    const auto give_up = steady_clock::now() + request.limit / 2;
    std::string trouble;
    const auto lives = [&](int count) {
        int lived = 0;
        while (trouble.empty() && lived < count && steady_clock::now() < give_up) {
            Instance instance(subject, Age::ordinary, "host");
            trouble = live(instance, nullptr).why;
            ++lived;
        }
        return lived;
    };
    // A leak grows all the time; what grows once, the allocator's pools, shows in one half only.
    const auto growth = [&](int& lived) {
        const Memory before = memory_in_use();
        lived = lives(half);
        const Memory after = memory_in_use();
        return std::max(after.resident - before.resident, after.heap - before.heap) /
               std::max(lived, 1);
    };
    lives(warm_up);
    int first = 0;
    int second = 0;
    const std::int64_t leak = std::min(growth(first), growth(second));
    if (!trouble.empty())
        return Verdict::failed(trouble);
    if (std::min(first, second) < fewest)
        return Verdict::skipped("its setup takes too long for a measurement",
                                "give more time with --timeout");
    const std::string seen =
        std::to_string(leak) + " bytes per life, over " + std::to_string(first + second) + " lives";
    if (leak < sysconf(_SC_PAGESIZE))
        return Verdict::ok(seen);
    return Verdict::failed("leaks " + seen, "free in destroy() what create() and setup() made");
#endif
}

Verdict unmaps(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    {
        Instance instance(subject, Age::ordinary, "host");
        if (Verdict lived = live(instance, &subject); lived.status != Verdict::Status::ok)
            return lived;
    }
    if (subject.module().info.keep_loaded)
        return Verdict::ok("it declares DTO_MODULE_KEEP_LOADED");
    if (!settles([] { return thread_count() == 1; }))
        return Verdict::failed("threads still run in it", "stop and join them in teardown()");
    if (!subject.close())
        return Verdict::failed("dlclose fails");
    const auto maps = mappings();
    const bool mapped = std::any_of(
        maps.begin(), maps.end(), [&](const Mapping& one) { return one.file == request.library; });
    if (!mapped)
        return Verdict::ok();
    return Verdict::failed(
        "stays in memory after dlclose, and does not say so",
        "declare DTO_MODULE_KEEP_LOADED, or link with the version script and without -z nodelete");
}

constexpr ProbeCheck checks[] = {
    {"lifecycle.create_destroy", &create_and_destroy},
    {"lifecycle.setup", &set_up},
    {"lifecycle.discover", &discovers},
    {"lifecycle.probe", &probes},
    {"lifecycle.bad_config", &bad_config},
    {"lifecycle.teardown", &tears_down},
    {"lifecycle.two_instances", &two_instances},
    {"lifecycle.threads", &leaves_no_thread},
    {"lifecycle.descriptors", &leaves_no_descriptor},
    {"lifecycle.memory", &leaks_little},
    {"unload.unmaps", &unmaps},
};

}  // namespace

std::span<const ProbeCheck> lifecycle_checks() {
    return checks;
}

}  // namespace distributo::runtime::check
