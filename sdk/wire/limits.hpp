#pragma once

#include <cstddef>
#include <cstdint>

/// Limits that both sides of the wire agree on; each with the reason for its size.
namespace distributo::wire::limits {

/// Nesting of any JSON text. Deeper documents exist only to exhaust a parser's stack.
inline constexpr std::size_t json_depth = 64;

/// A task's payload or a result carried inside a message; larger ones become blobs in a later
/// version. One MiB keeps a frame of several tasks below max_message.
inline constexpr std::size_t inline_payload = 1024 * 1024;
inline constexpr std::size_t inline_result = 1024 * 1024;

/// Longest WebSocket message. At 1 Gbit/s it occupies the channel for 34 ms.
inline constexpr std::size_t max_message = 4 * 1024 * 1024;

/// A batch message is closed at this many entries or bytes, whichever comes first.
inline constexpr std::size_t batch_entries = 256;
inline constexpr std::size_t batch_bytes = 256 * 1024;

inline constexpr std::size_t id_length = 128;       ///< task ids, groups, names of hosts
inline constexpr std::size_t type_length = 128;     ///< names of task types
inline constexpr std::size_t version_length = 128;  ///< a version, a range of versions
inline constexpr std::size_t label_count = 64;      ///< labels of a host or task
inline constexpr std::size_t label_length = 128;    ///< each key and each value
inline constexpr std::size_t type_count = 1024;     ///< task types that one host advertises
/// Plugin versions in one health message: some 10 KiB each at worst, which keeps it below
/// max_message.
inline constexpr std::size_t health_count = 256;
inline constexpr std::size_t error_length = 4096;         ///< message of a failed attempt, then cut
inline constexpr std::size_t progress_length = 1024;      ///< text of a progress report, then cut
inline constexpr std::size_t schema_length = 256 * 1024;  ///< one JSON Schema
inline constexpr std::size_t attributes_length = 16 * 1024;  ///< what a plugin says of its host

/// Follow-up tasks of one task: all of them travel in the message of its result, beside a result
/// of full size. Who has more to hand out emits tasks that emit tasks.
inline constexpr std::size_t emitted_count = 1024;
inline constexpr std::size_t emitted_bytes = 1024 * 1024;
/// A key is only hashed; this much says what it stands for.
inline constexpr std::size_t dedupe_key_length = 1024;
/// Where a generator goes on: written with every batch, so it must stay small beside it.
inline constexpr std::size_t checkpoint_length = 64 * 1024;
/// Tasks that a generator makes in one call, all together: one transaction, and one message.
inline constexpr std::size_t feed_bytes = 8 * 1024 * 1024;

/// Any duration in a message; a hundred years, so that sums of nanoseconds stay far from overflow.
inline constexpr std::int64_t max_duration_ms = 3'153'600'000'000;

/// Outgoing bytes per host connection: above the first no task is assigned to it, above the
/// second the connection is closed, because its peer has stopped reading.
inline constexpr std::size_t send_queue_soft = 1024 * 1024;
inline constexpr std::size_t send_queue_hard = 8 * 1024 * 1024;

/// Most tasks of one type that a host may hold; about 2 ms of work of a no-op type.
inline constexpr std::uint32_t max_credit = 4096;

}  // namespace distributo::wire::limits
