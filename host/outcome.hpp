#pragma once

#include "wire/messages.hpp"

#include <cstdint>
#include <string>

namespace distributo::host {

/// How one attempt ended on this host, kept until the coordinator has made it durable.
struct Outcome {
    wire::Token token{};
    wire::Lease lease{};
    wire::AttemptStatus status = wire::AttemptStatus::ok;
    std::string result{};   ///< JSON value, only with ok
    std::string message{};  ///< for a person, only without ok
    std::string detail{};   ///< JSON value or empty
    std::string emitted{};  ///< JSON array of follow-up tasks or empty, only with ok
    std::int64_t retry_after_ms = 0;
    wire::PhaseTimes times{};
    std::string version{};  ///< of the type, that ran it; empty: it did not start
};

}  // namespace distributo::host
