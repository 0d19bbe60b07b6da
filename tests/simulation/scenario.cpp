#include "tests/simulation/scenario.hpp"

#include "tests/simulation/random.hpp"

#include <algorithm>
#include <cstdio>

namespace distributo::simulation {

using namespace std::chrono_literals;

namespace {

using Kind = Step::Kind;

constexpr base::Duration fault_window = 15s;

/// Times are a tenth or so of the real ones: what matters is how they compare.
coordinator::core::Settings make_settings() {
    coordinator::core::Settings made;
    made.heartbeat_floor = 2s;
    made.lease_floor = 6s;
    made.requeue_floor = 200ms;
    made.backoff_base = 300ms;
    made.backoff_limit = 2s;
    made.capability_off_base = 1s;
    made.capability_off_limit = 4s;
    made.host_quarantine_base = 2s;
    made.host_quarantine_limit = 8s;
    made.return_grace = 8s;  // a host may notice after 5 s that its connection broke
    made.max_interruptions = 4;
    return made;
}

bool is_any_of(Profile profile, std::initializer_list<Profile> wanted) {
    return std::ranges::find(wanted, profile) != wanted.end();
}

class Author {
public:
    Author(std::uint64_t seed, std::optional<Profile> profile) : random_(seed) {
        made_.seed = seed;
        const auto chosen = static_cast<Profile>(random_.below(profile_count));
        made_.profile = profile.value_or(chosen);
    }

    Scenario write() {
        made_.settings = make_settings();
        made_.calm_from = fault_window;
        write_hosts();
        write_noise();
        write_requests();
        write_orders();
        write_faults();
        write_generators();
        write_sinks();
        std::ranges::stable_sort(made_.steps, {}, &Step::at);
        return std::move(made_);
    }

private:
    [[nodiscard]] bool has(std::initializer_list<Profile> profiles) const {
        return is_any_of(made_.profile, profiles);
    }

    void step(Kind kind,
              std::uint64_t who = 0,
              base::Duration shortest = {},
              base::Duration longest = {}) {
        Step made{kind, random_.between(50ms, fault_window - 1s), static_cast<std::uint32_t>(who)};
        made.length = random_.between(shortest, longest);
        made_.steps.push_back(made);
    }
    std::uint64_t any_host() { return random_.below(made_.hosts.size()); }

    void write_hosts() {
        const auto count = 1 + random_.below(3);
        for (std::uint64_t i = 0; i < count; ++i) {
            HostPlan plan;
            plan.slots = static_cast<std::uint32_t>(1 + random_.below(2));
            plan.credit = static_cast<std::uint32_t>(plan.slots + random_.below(3));
            plan.types = i == 0 ? 3 : static_cast<std::uint32_t>(1 + random_.below(3));
            made_.hosts.push_back(plan);
        }
    }

    void write_noise() {
        Noise& noise = made_.noise;
        noise.shortest = 1ms;
        noise.longest = random_.chance(500) ? 10ms : 400ms;
        made_.slowest_sync = random_.chance(700) ? 5ms : 500ms;
        if (has({Profile::network, Profile::storm})) {
            noise.lost = static_cast<std::uint32_t>(random_.below(60));
            noise.doubled = static_cast<std::uint32_t>(random_.below(100));
            noise.reorders = random_.chance(500);
        }
        if (!has({Profile::hosts, Profile::storm}))
            return;
        made_.failing = static_cast<std::uint32_t>(random_.below(500));
        constexpr wire::AttemptStatus failures[] = {wire::AttemptStatus::retry,
                                                    wire::AttemptStatus::crashed,
                                                    wire::AttemptStatus::install_failed,
                                                    wire::AttemptStatus::interrupted};
        if (random_.chance(400))
            made_.failure = failures[random_.below(std::size(failures))];
    }

    void write_requests() {
        const auto count = 1 + random_.below(5);
        for (std::uint64_t i = 0; i < count; ++i) {
            Request made;
            made.protection = static_cast<Protection>(random_.below(4));
            made.tasks = random_.chance(300) ? static_cast<std::uint32_t>(1 + random_.below(3)) : 1;
            made.type = static_cast<std::uint32_t>(random_.below(type_count));
            made.family = static_cast<std::uint32_t>(random_.below(2));
            if (random_.chance(200))
                made.priority = static_cast<std::int32_t>(random_.below(3)) - 1;
            if (!has({Profile::restarts, Profile::calm}))
                write_options(made);
            made_.requests.push_back(made);
            Step submit{Kind::submit, random_.between(1ms, fault_window / 2)};
            submit.who = static_cast<std::uint32_t>(i);
            made_.steps.push_back(submit);
        }
    }

    void write_options(Request& made) {
        if (random_.chance(150))
            made.delay = random_.between(100ms, 4s);
        if (random_.chance(100))
            made.deadline = random_.between(500ms, 10s);
        if (random_.chance(150))
            made.max_attempts = static_cast<std::uint32_t>(1 + random_.below(5));
        made.emits = random_.chance(150);
    }

    void write_orders() {
        if (has({Profile::restarts, Profile::calm}))
            return;
        constexpr Kind orders[] = {Kind::cancel, Kind::hold, Kind::release, Kind::retry};
        for (auto count = random_.below(4); count > 0; --count)
            step(orders[random_.below(std::size(orders))], random_.below(made_.requests.size()));
    }

    void write_faults() {
        if (has({Profile::restarts, Profile::storm}))
            for (auto count = 1 + random_.below(3); count > 0; --count)
                crash_coordinator();
        if (has({Profile::network, Profile::hosts, Profile::disk}) && random_.chance(500))
            crash_coordinator();
        if (has({Profile::hosts, Profile::storm}))
            for (auto count = random_.below(4); count > 0; --count)
                trouble_host();
        if (has({Profile::network, Profile::storm}))
            for (auto count = random_.below(4); count > 0; --count)
                trouble_network();
        if (has({Profile::disk, Profile::storm}) && random_.chance(600))
            random_.chance(600) ? step(Kind::fill_disk, 0, 100ms, 4s) : step(Kind::break_sync);
    }

    void write_generators() {
        for (auto count = random_.chance(500) ? 1 + random_.below(2) : 0; count > 0; --count) {
            GeneratorPlan plan;
            plan.tasks = static_cast<std::uint32_t>(1 + random_.below(6));
            plan.most = static_cast<std::uint32_t>(1 + random_.below(3));
            plan.low_water = static_cast<std::uint32_t>(1 + random_.below(3));
            plan.type = static_cast<std::uint32_t>(random_.below(type_count));
            plan.overlaps = random_.chance(300);
            plan.takes_results = random_.chance(400);
            plan.emits = random_.chance(300) && !has({Profile::restarts, Profile::calm});
            made_.generators.push_back(plan);
        }
    }

    void write_sinks() {
        for (auto count = random_.chance(500) ? 1 + random_.below(2) : 0; count > 0; --count) {
            SinkPlan plan;
            plan.most = static_cast<std::uint32_t>(1 + random_.below(4));
            plan.failing = random_.chance(400) ? 300 : 0;
            plan.numbers = random_.chance(400);
            plan.buffers = random_.chance(300);
            made_.sinks.push_back(plan);
        }
    }

    void crash_coordinator() {
        step(Kind::crash_coordinator, 0, 10ms, 1500ms);
        made_.steps.back().detail = static_cast<std::uint32_t>(random_.below(3));
    }
    void trouble_host() {
        constexpr Kind troubles[] = {
            Kind::crash_host, Kind::crash_host, Kind::leave, Kind::drain, Kind::freeze};
        step(troubles[random_.below(std::size(troubles))], any_host(), 50ms, 9s);
    }
    void trouble_network() {
        if (random_.chance(750))
            step(Kind::cut_host, any_host(), 50ms, 9s);
        else
            step(Kind::cut_producers, 0, 50ms, 4s);
    }

    Random random_;
    Scenario made_;
};

}  // namespace

std::string_view to_string(Profile profile) noexcept {
    constexpr std::string_view names[profile_count] = {
        "calm", "restarts", "hosts", "network", "disk", "storm"};
    return names[static_cast<std::size_t>(profile)];
}

std::string_view to_string(Kind kind) noexcept {
    constexpr std::string_view names[] = {"submit",
                                          "cancel",
                                          "hold",
                                          "release",
                                          "retry",
                                          "crash_coordinator",
                                          "crash_host",
                                          "leave",
                                          "drain",
                                          "freeze",
                                          "cut_host",
                                          "cut_producers",
                                          "fill_disk",
                                          "break_sync",
                                          "set_clock"};
    return names[static_cast<std::size_t>(kind)];
}

std::string payload_of(std::uint32_t request, std::uint32_t item) {
    return std::to_string(request * 10 + item);
}

std::string generated_payload(std::uint32_t generator, std::uint32_t task) {
    return std::to_string((generator + 1) * 1000 + task);
}

std::string second_payload(std::uint32_t generator, std::uint32_t task) {
    return std::to_string((generator + 1) * 1000 + 500 + task);
}

std::string generator_name(std::uint32_t generator) {
    return "generator-" + std::to_string(generator);
}

std::string sink_name(std::uint32_t sink) {
    return "sink-" + std::to_string(sink);
}

std::string emitted_by(const Scenario& scenario, std::string_view payload) {
    for (std::uint32_t i = 0; i < scenario.requests.size(); ++i)
        if (scenario.requests[i].emits && payload == payload_of(i, 0))
            return R"([{"type":"echo","payload":"follow-up"}])";
    for (std::uint32_t i = 0; i < scenario.generators.size(); ++i)
        if (scenario.generators[i].emits &&
            (payload == generated_payload(i, 0) || payload == generated_payload(i, 1)))
            return R"([{"type":"echo","payload":"follow-up","dedupe_key":"once"}])";
    return {};
}

Scenario make_scenario(std::uint64_t seed, std::optional<Profile> profile) {
    return Author(seed, profile).write();
}

void leave_out(Scenario& scenario, std::span<const std::uint32_t> positions) {
    std::vector<Step> kept;
    for (std::uint32_t i = 0; i < scenario.steps.size(); ++i)
        if (std::ranges::find(positions, i) == positions.end())
            kept.push_back(scenario.steps[i]);
    scenario.steps = std::move(kept);
}

std::string describe(const Step& step) {
    const auto seconds = [](base::Duration duration) {
        return std::chrono::duration<double>(duration).count();
    };
    char text[128];
    const auto kind = to_string(step.kind);
    const int length = std::snprintf(text,
                                     sizeof text,
                                     "%7.3f s  %.*s %u %u for %.3f s",
                                     seconds(step.at),
                                     static_cast<int>(kind.size()),
                                     kind.data(),
                                     step.who,
                                     step.detail,
                                     seconds(step.length));
    return {text, static_cast<std::size_t>(length)};
}

}  // namespace distributo::simulation
