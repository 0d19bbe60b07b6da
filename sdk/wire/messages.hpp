#pragma once

#include "base/clock.hpp"
#include "base/histogram.hpp"
#include "wire/layers.hpp"
#include "wire/task_state.hpp"
#include "wire/token.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What hosts and the coordinator say to each other, as values; docs/protocol.md is the contract.
/// Types named …Item are views: received ones live until decode() returns, sent ones as long as
/// what they were made from.
namespace distributo::wire {

inline constexpr unsigned protocol_version = 1;
inline constexpr std::string_view subprotocol = "distributo.host.v1";
inline constexpr std::string_view host_path = "/v1/host";

using Labels = std::map<std::string, std::string>;

// ---- host → coordinator -------------------------------------------------------------------

/// A task that a host brings along when it comes back.
struct Claim {
    Token token{};
    Lease lease{};

    Claim() = default;
    Claim(const Token& the_token, const Lease& the_lease = {})  // NOLINT: most have no lease
        : token(the_token), lease(the_lease) {}
    friend bool operator==(const Claim&, const Claim&) = default;
};

/// First message of every connection.
struct Hello {
    unsigned protocol_min = protocol_version;
    unsigned protocol_max = protocol_version;
    std::string host_id{};    ///< stable over restarts of the host; 32 hexadecimal digits
    std::string boot_id{};    ///< new at every start of the host process
    std::string name{};       ///< for people; need not be unique
    std::string version{};    ///< of the host software
    std::uint32_t slots = 1;  ///< tasks that run at once
    Labels labels{};
    /// Whose the claims are: another coordinator must not take them for its own. Empty: unknown.
    std::string coordinator_id{};
    std::vector<Claim> running{};   ///< what it still executes or has queued
    std::vector<Claim> finished{};  ///< results it holds that were never acknowledged
};

/// One task type that the host can run now.
struct Capability {
    std::string type{};
    std::string plugin{};
    std::string version{};
    std::string digest{};     ///< SHA-256 of the library, 64 hexadecimal digits
    std::string isolation{};  ///< one of isolation_modes
    std::string summary{};
    std::string payload_schema{};  ///< JSON text; empty: anything
    std::string result_schema{};
    std::uint32_t credit = 1;  ///< how many of this type alone fill the host, queued ones included
    bool needs_install = false;
    std::string attributes{};  ///< JSON object: what the plugin found on this host; may be empty
    Layers sandbox{};          ///< in force around its process; empty inside the host
};

/// A plugin file that the host does not offer, and why.
struct RefusedPlugin {
    std::string file{};
    std::string reason{};
    bool quarantined = false;  ///< it was offered and crashed too often
    // The rest is known of a quarantined one only.
    std::int64_t retry_ms = 0;  ///< until the host tries it again
    std::string plugin{};
    std::string version{};
    std::string digest{};
    std::vector<std::string> types{};  ///< that were withdrawn with it
};

/// The complete offer; replaces the previous one. An older `sequence` is ignored.
struct Capabilities {
    std::uint64_t sequence = 0;
    std::vector<Capability> types{};
    std::vector<RefusedPlugin> refused{};
};

enum class PluginState : std::uint8_t {
    active,       ///< its types are offered
    draining,     ///< it takes no more tasks and finishes those that it has
    quarantined,  ///< it crashed too often and is left alone for a while
    refused,      ///< it cannot be used
};

[[nodiscard]] std::string_view to_string(PluginState state) noexcept;

/// What one plugin version has done on one host since it was loaded there.
struct PluginFigures {
    std::uint64_t processes = 0;  ///< that run now
    std::uint64_t tasks = 0;      ///< execute calls that ended, however they did
    std::uint64_t failures = 0;   ///< calls that ended otherwise than ok or cancelled
    std::uint64_t crashes = 0;    ///< processes that died by themselves
    std::uint64_t restarts = 0;   ///< processes started in the place of one that died
    /// Processes replaced between tasks because they had run many tasks, or had grown in memory,
    /// descriptors or threads.
    std::array<std::uint64_t, 4> recycles{};
    base::Histogram setup{}, install{}, execute{};  ///< microseconds
    // Over those tasks for which it was measured; what was given back is not subtracted.
    std::uint64_t measured_tasks = 0;
    std::uint64_t grown_bytes = 0;
    std::uint64_t grown_descriptors = 0;
    std::uint64_t grown_threads = 0;

    void add(const PluginFigures& other) noexcept;
};

struct PluginHealth {
    std::string plugin{};   ///< its name; empty while it is not known
    std::string version{};  ///< likewise
    std::string digest{};
    std::string file{};
    std::string isolation{};
    PluginState state = PluginState::active;
    std::string reason{};       ///< quarantined, refused: why
    std::int64_t retry_ms = 0;  ///< quarantined: until the next attempt
    PluginFigures figures{};
};

/// Of the host and every plugin version on it; replaces the previous one.
struct Health {
    std::string trouble{};  ///< what the host cannot do as it should, one line; mostly empty
    std::vector<PluginHealth> plugins{};
};

struct Credit {
    std::string_view type{};
    std::uint32_t credit = 0;    ///< 0: no more of this type for now
    std::string_view version{};  ///< empty: of every version of the type
};

struct PhaseItem {
    Token token{};
    Phase phase = Phase::assigned;
};

struct ProgressItem {
    Token token{};
    double fraction = -1;  ///< 0…1; negative: unknown
    std::string text{};
};

struct LogItem {
    Token token{};
    std::string_view stream{};  ///< "stdout", "stderr" or "plugin"
    std::string text{};         ///< one or more lines
};

/// How an attempt ended.
enum class AttemptStatus : std::uint8_t {
    ok,
    retry,            ///< the handler failed; again, anywhere
    retry_elsewhere,  ///< the handler failed; again, on another host
    permanent,        ///< the handler failed; the same input will fail again
    cancelled,        ///< ended because of a cancel message
    timeout,          ///< a phase exceeded its limit and was ended
    crashed,          ///< the process that ran it died because of it
    install_failed,   ///< setup or install failed: the host's fault, not the task's
    interrupted,      ///< given back unfinished (drain, plugin removed, sibling crash); no charge
};

[[nodiscard]] std::string_view to_string(AttemptStatus status) noexcept;

/// How long each phase took; zero when it was not needed.
struct PhaseTimes {
    std::uint64_t wait_us = 0;  ///< queued on the host
    std::uint64_t setup_us = 0;
    std::uint64_t install_us = 0;
    std::uint64_t execute_us = 0;
};

struct ResultItem {
    Token token{};
    AttemptStatus status = AttemptStatus::ok;
    std::string_view result{};        ///< JSON value as received; only with ok
    std::string_view message{};       ///< what went wrong, one line; only without ok
    std::string_view detail{};        ///< JSON value, may be empty
    std::int64_t retry_after_ms = 0;  ///< 0: the coordinator's own back-off
    std::string_view emitted{};       ///< JSON array of follow-up tasks; only with ok
    PhaseTimes times{};
    std::string_view version{};  ///< of the type, that ran it; empty: nothing ran, or unknown
};

// ---- coordinator → host -------------------------------------------------------------------

enum class Verdict : std::uint8_t { keep, cancel };

struct TokenVerdict {
    Token token{};
    Verdict verdict = Verdict::keep;
};

struct Welcome {
    unsigned protocol = protocol_version;
    std::uint32_t term = 0;
    std::string coordinator_id{};
    std::int64_t lease_ms = 30'000;
    std::int64_t heartbeat_ms = 5'000;
    std::int64_t reconnect_window_ms = 1'000;  ///< first reconnect: uniform in [0, this]
    /// What the coordinator acknowledges outlives it: results are worth keeping on disk until then.
    bool durable = false;
    std::vector<TokenVerdict> verdicts{};  ///< one per token of hello.running
};

struct AssignItem {
    Token token{};
    std::string_view id{};  ///< shown id of the task
    std::string_view type{};
    std::uint32_t attempt = 1;
    std::string_view payload{};    ///< JSON value
    std::string_view install{};    ///< JSON value; empty: none
    std::int64_t timeout_ms = 0;   ///< of the execute phase; 0: the type's default
    std::int64_t deadline_ms = 0;  ///< time left until the task's deadline; 0: none
    bool alone = false;            ///< suspected of crashing: run it in a process of its own
    std::string_view version{};    ///< range of versions that may run it; empty: any
    Lease lease{};                 ///< to be shown with the token in every hello
};

struct AckItem {
    Token token{};
    bool stale = false;  ///< a newer lease exists: the result was not recorded
};

struct CancelItem {
    Token token{};
    std::string_view reason{};
};

}  // namespace distributo::wire
