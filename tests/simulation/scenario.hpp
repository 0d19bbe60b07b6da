#pragma once

#include "base/clock.hpp"
#include "coordinator/core/settings.hpp"
#include "wire/messages.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::simulation {

/// What kinds of trouble a history may have.
enum class Profile : std::uint8_t {
    calm,      ///< none
    restarts,  ///< of the coordinator only: nothing may be executed twice
    hosts,     ///< hosts crash, leave, fail tasks
    network,   ///< messages are lost, doubled, late; hosts and producers are cut off
    disk,      ///< it is full, or fails
    storm,     ///< all of it together
};
inline constexpr std::size_t profile_count = 6;
[[nodiscard]] std::string_view to_string(Profile profile) noexcept;

/// One thing that somebody does or that breaks. A history consists of these; one that fails is
/// made smaller by leaving some out.
struct Step {
    enum class Kind : std::uint8_t {
        submit,             ///< who: number of the request
        cancel,             ///< who: number of the request whose task it is
        hold,               ///<
        release,            ///<
        retry,              ///<
        crash_coordinator,  ///< detail: see CrashMoment; length: until it is started again
        crash_host,         ///< who: the host; length: until it is started again
        leave,              ///< it says goodbye; length: until it comes back
        drain,              ///< it finishes what it has, then leaves
        freeze,             ///< it does nothing for that length, although it is connected
        cut_host,           ///< nothing gets through for that length
        cut_producers,      ///<
        fill_disk,          ///<
        break_sync,         ///< the next sync fails
        set_clock,          ///< the wall clock moves by `length`, which may be negative
    };
    Kind kind = Kind::submit;
    base::Duration at{};  ///< since the start
    std::uint32_t who = 0;
    std::uint32_t detail = 0;
    base::Duration length{};
};
[[nodiscard]] std::string_view to_string(Step::Kind kind) noexcept;

enum class CrashMoment : std::uint8_t { now, during_sync, after_sync };

/// How a submit is kept from being done twice when its answer is lost.
enum class Protection : std::uint8_t { none, given_id, unique_key, idempotency_key };

struct Request {
    Protection protection = Protection::none;
    std::uint32_t tasks = 1;
    std::uint32_t type = 0;
    std::int32_t priority = 0;
    std::uint32_t max_attempts = 0;
    base::Duration delay{};     ///< 0: may begin at once
    base::Duration deadline{};  ///< 0: none
    std::uint32_t family = 0;   ///< requests with one unique key have this in common
    bool emits = false;         ///< its tasks are followed by another one
};

struct HostPlan {
    std::uint32_t slots = 1;
    std::uint32_t credit = 1;
    std::uint32_t types = 1;  ///< bit set
};

/// A generator makes tasks with the payloads of generated_payload(), in order.
struct GeneratorPlan {
    std::uint32_t tasks = 1;      ///< in all
    std::uint32_t most = 1;       ///< in one call
    std::uint32_t low_water = 1;  ///< it is called when fewer wait
    std::uint32_t type = 0;
    bool overlaps = false;       ///< a call makes the last one of the call before again, with a key
    bool takes_results = false;  ///< and makes another task of each that has completed
    bool emits = false;          ///< its first tasks are followed by one that all of them name
};

struct SinkPlan {
    std::uint32_t most = 1;     ///< outcomes in one write
    std::uint32_t failing = 0;  ///< permille of writes
    bool numbers = false;       ///< it stores the sequence with each outcome
    bool buffers = false;       ///< what it was given is safe only some time later
};

struct Noise {
    base::Duration shortest{};
    base::Duration longest{};
    std::uint32_t lost = 0;     ///< permille
    std::uint32_t doubled = 0;  ///< permille
    bool reorders = false;
};

struct Scenario {
    std::uint64_t seed = 0;
    Profile profile = Profile::calm;
    coordinator::core::Settings settings{};
    std::vector<HostPlan> hosts;
    std::vector<Request> requests;
    std::vector<GeneratorPlan> generators;
    std::vector<SinkPlan> sinks;
    std::vector<Step> steps;  ///< by time
    Noise noise;
    base::Duration slowest_sync{};
    std::uint32_t failing = 0;                     ///< permille of attempts that do not succeed
    std::optional<wire::AttemptStatus> failure{};  ///< how they fail; none: in any way
    base::Duration calm_from{};                    ///< no step and no noise from here on
};

inline constexpr std::uint32_t type_count = 2;
inline constexpr std::string_view type_names[type_count] = {"echo", "shell"};

/// The payload of a request's tasks; it tells them apart, unless they share a unique key.
[[nodiscard]] std::string payload_of(std::uint32_t request, std::uint32_t item);
/// The payload of a generator's task, and of the one that it makes when that has completed.
[[nodiscard]] std::string generated_payload(std::uint32_t generator, std::uint32_t task);
[[nodiscard]] std::string second_payload(std::uint32_t generator, std::uint32_t task);
[[nodiscard]] std::string generator_name(std::uint32_t generator);
[[nodiscard]] std::string sink_name(std::uint32_t sink);
/// What the task with this payload emits when it succeeds: a JSON array of one task, or nothing.
[[nodiscard]] std::string emitted_by(const Scenario& scenario, std::string_view payload);

[[nodiscard]] Scenario make_scenario(std::uint64_t seed, std::optional<Profile> profile = {});
/// Leaves steps out, by their position in `steps`, ascending.
void leave_out(Scenario& scenario, std::span<const std::uint32_t> positions);
/// "12.340 s  crash_host 2 for 1.200 s"
[[nodiscard]] std::string describe(const Step& step);

}  // namespace distributo::simulation
