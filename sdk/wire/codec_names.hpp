#pragma once

#include "base/result.hpp"
#include "wire/messages.hpp"

#include <array>
#include <string_view>

/// The words of the protocol: names of messages, members and enumerated values.
namespace distributo::wire::names {

inline constexpr std::array<std::string_view, 9> status{"ok",
                                                        "retry",
                                                        "retry_elsewhere",
                                                        "permanent",
                                                        "cancelled",
                                                        "timeout",
                                                        "crashed",
                                                        "install_failed",
                                                        "interrupted"};
inline constexpr std::array<std::string_view, 2> verdict{"keep", "cancel"};
inline constexpr std::array<std::string_view, 9> error_code{"invalid_argument",
                                                            "not_found",
                                                            "conflict",
                                                            "limit",
                                                            "unavailable",
                                                            "timeout",
                                                            "io",
                                                            "internal",
                                                            "no_space"};
inline constexpr std::array<std::string_view, 3> stream{"stdout", "stderr", "plugin"};
inline constexpr std::array<std::string_view, 4> plugin_state{
    "active", "draining", "quarantined", "refused"};
inline constexpr std::array<std::string_view, 4> phase{"assigned", "setup", "install", "execute"};

// Members of each object, in the order in which they are written.
inline constexpr std::array<std::string_view, 11> hello{"op",
                                                        "protocol",
                                                        "host_id",
                                                        "boot_id",
                                                        "name",
                                                        "version",
                                                        "slots",
                                                        "labels",
                                                        "coordinator",
                                                        "running",
                                                        "finished"};
inline constexpr std::array<std::string_view, 4> capabilities{"op", "sequence", "types", "refused"};
inline constexpr std::array<std::string_view, 12> capability{"type",
                                                             "plugin",
                                                             "version",
                                                             "digest",
                                                             "isolation",
                                                             "summary",
                                                             "payload_schema",
                                                             "result_schema",
                                                             "credit",
                                                             "needs_install",
                                                             "attributes",
                                                             "sandbox"};
inline constexpr std::array<std::string_view, 8> refused{
    "file", "reason", "quarantined", "retry_ms", "plugin", "version", "digest", "types"};
inline constexpr std::array<std::string_view, 3> health{"op", "trouble", "plugins"};
inline constexpr std::array<std::string_view, 18> plugin_health{"plugin",
                                                                "version",
                                                                "digest",
                                                                "file",
                                                                "isolation",
                                                                "state",
                                                                "reason",
                                                                "retry_ms",
                                                                "processes",
                                                                "tasks",
                                                                "failures",
                                                                "crashes",
                                                                "restarts",
                                                                "recycles",
                                                                "setup",
                                                                "install",
                                                                "execute",
                                                                "growth"};
inline constexpr std::array<std::string_view, 9> welcome{"op",
                                                         "protocol",
                                                         "term",
                                                         "coordinator",
                                                         "lease_ms",
                                                         "heartbeat_ms",
                                                         "reconnect_window_ms",
                                                         "durable",
                                                         "verdicts"};
inline constexpr std::array<std::string_view, 2> token_verdict{"token", "verdict"};
inline constexpr std::array<std::string_view, 3> credit{"type", "version", "credit"};
inline constexpr std::array<std::string_view, 2> phase_item{"token", "phase"};
inline constexpr std::array<std::string_view, 3> progress{"token", "fraction", "text"};
inline constexpr std::array<std::string_view, 3> log{"token", "stream", "text"};
inline constexpr std::array<std::string_view, 11> assign{"token",
                                                         "id",
                                                         "type",
                                                         "attempt",
                                                         "payload",
                                                         "install",
                                                         "timeout_ms",
                                                         "deadline_ms",
                                                         "alone",
                                                         "version",
                                                         "lease"};
inline constexpr std::array<std::string_view, 9> result{
    "token", "status", "result", "message", "detail", "retry_after_ms", "us", "version", "emitted"};
inline constexpr std::array<std::string_view, 2> cancel{"token", "reason"};
inline constexpr std::array<std::string_view, 2> bye{"op", "reason"};
inline constexpr std::array<std::string_view, 2> unsupported{"op", "unknown"};
inline constexpr std::array<std::string_view, 4> error{"op", "code", "message", "hint"};

}  // namespace distributo::wire::names
