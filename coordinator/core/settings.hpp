#pragma once

#include "base/clock.hpp"

#include <cstdint>

namespace distributo::coordinator::core {

/// The numbers of the scheduling policy. Defaults: DESIGN.md §6, reasons in docs/architecture.md.
struct Settings {
    std::uint32_t max_attempts = 3;           ///< handler errors
    std::uint32_t max_crashes = 3;            ///< then failed / poison
    std::uint32_t max_interruptions = 20;     ///< then held
    std::uint32_t max_lost = 10;              ///< leases lost with their host, then failed / lost
    std::uint32_t install_failure_hosts = 3;  ///< different hosts, then failed / install_failed

    base::Duration backoff_base = std::chrono::seconds(2);
    base::Duration backoff_limit = std::chrono::seconds(300);

    base::Duration heartbeat_floor = std::chrono::seconds(5);
    std::uint32_t heartbeats_per_second = 500;  ///< more hosts than that beat less often
    base::Duration lease_floor = std::chrono::seconds(30);
    base::Duration requeue_floor = std::chrono::seconds(1);

    base::Duration capability_off_base = std::chrono::seconds(15);  ///< doubling per failure
    base::Duration capability_off_limit = std::chrono::minutes(15);

    std::uint32_t host_failures = 5;       ///< crashes and failed installs in a row …
    std::uint32_t host_failure_tasks = 3;  ///< … of at least so many tasks: quarantine
    base::Duration host_quarantine_base = std::chrono::seconds(60);  ///< doubling
    base::Duration host_quarantine_limit = std::chrono::hours(1);

    /// How long a restarted coordinator waits for hosts that may still run its tasks.
    base::Duration return_grace = std::chrono::seconds(30);

    std::uint64_t max_tasks = 1'000'000;            ///< not terminal; more are refused
    std::uint64_t max_payload_bytes = 1ULL << 30U;  ///< of those tasks together
    // What is on its way to the store; a submit that finds as much is refused.
    std::uint64_t max_unstored_tasks = 200'000;
    std::uint64_t max_unstored_bytes = 64ULL << 20U;
};

}  // namespace distributo::coordinator::core
