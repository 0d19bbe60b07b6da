#pragma once

#include <distributo/detail/decode.hpp>
#include <distributo/detail/host.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace distributo {

/// How a task ended, as generators and sinks see it. Its texts are valid during the call that got
/// it. What an older coordinator does not say is empty, or 0.
struct Outcome {
    std::uint64_t sequence = 0;  ///< rises over all outcomes of the coordinator; may have gaps
    std::uint32_t attempt = 0;   ///< the one that ended the task
    dto_status status = DTO_OK;
    std::string_view state{};              ///< "completed", "failed", "cancelled" or "expired"
    std::string_view reason{}, message{};  ///< why it failed: a word, and a line for people
    std::string_view task_id{}, task_type{}, group{};
    std::string_view dedupe_key{}, generator{};  ///< that it was emitted with, and by
    std::string_view host_id{}, host_name{};
    std::string_view payload{};  ///< JSON
    std::string_view result{};   ///< JSON; empty when it failed
    std::chrono::sys_time<std::chrono::milliseconds> created{}, finished{};

    [[nodiscard]] bool ok() const noexcept { return status == DTO_OK; }
    /// The result, or the payload, decoded. Throws a permanent Failure that names the place.
    template <class T>
    [[nodiscard]] T result_as() const {
        return detail::decode_text<T>(result, "result");
    }
    template <class T>
    [[nodiscard]] T payload_as() const {
        return detail::decode_text<T>(payload, "payload");
    }
};

namespace detail {

inline Outcome outcome_of(const dto_result_view& view) {
    using Millis = std::chrono::milliseconds;
    dto_result_view known{};  // with nothing in members that the coordinator does not have
    std::memcpy(&known, &view, std::min<std::size_t>(view.struct_size, sizeof known));
    const auto* const data = static_cast<const char*>(known.data.ptr);
    return {
        .sequence = known.seq,
        .attempt = known.attempt,
        .status = known.status,
        .state = from_abi(known.state),
        .reason = from_abi(known.reason),
        .message = from_abi(known.message),
        .task_id = from_abi(known.task_id),
        .task_type = from_abi(known.task_type),
        .group = from_abi(known.group),
        .dedupe_key = from_abi(known.dedupe_key),
        .generator = from_abi(known.generator),
        .host_id = from_abi(known.host_id),
        .host_name = from_abi(known.host_name),
        .payload = from_abi(known.payload_json),
        .result = known.data.len == 0 ? std::string_view() : std::string_view(data, known.data.len),
        .created = std::chrono::sys_time<Millis>(Millis(known.created_ms)),
        .finished = std::chrono::sys_time<Millis>(Millis(known.finished_ms))};
}

}  // namespace detail
}  // namespace distributo
