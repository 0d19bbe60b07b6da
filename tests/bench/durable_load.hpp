#pragma once

#include <cstdint>
#include <string>

/// What `load` does to a durable coordinator. Each prints one JSON object and returns the exit
/// code.
namespace distributo::bench {

/// A JSON value of 100 bytes.
[[nodiscard]] std::string noop_payload();
/// A task with that payload, as JSON.
[[nodiscard]] std::string noop_task(const std::string& type);

/// Submits `per_batch` tasks at a time, `rate` tasks a second for `seconds`, whatever the answers
/// do, and then waits until all have ended. The time of an answer counts from the moment at which
/// its request was due.
int paced(
    std::uint16_t port, double rate, double seconds, std::uint64_t per_batch, const char* type);

/// Single submits, one after the other, each followed by the same bytes appended to a file in
/// `folder` and synced: what the disk itself takes.
int submits(std::uint16_t port, std::uint64_t count, const char* type, const std::string& folder);

/// The same request again and again.
int get(std::uint16_t port, std::uint64_t count, const char* target);

/// `count` appends of `bytes` to a file in `folder`, each synced.
int append(const std::string& folder, std::uint64_t bytes, std::uint64_t count);

}  // namespace distributo::bench
