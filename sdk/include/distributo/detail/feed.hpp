#pragma once

#include <distributo/detail/context.hpp>
#include <distributo/detail/encode.hpp>
#include <distributo/detail/task.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace distributo {

/// Given to next() and on_result(): where a generator puts its tasks. They become durable together
/// with the cursor when the function returns; when it throws, all of it is dropped.
class Feed : public Context {
public:
    Feed(const detail::Host& host, dto_call* call, const dto_feed& feed, std::uint32_t room)
        : Context(host, call), feed_(feed), room_(room) {}

    /// How many tasks this call may still emit.
    [[nodiscard]] std::uint32_t room() const noexcept { return room_; }

    /// Creates a task. False when there is no room for it: keep it for the next call. One that is
    /// unacceptable in its form is a permanent Failure; the coordinator's log says why.
    template <class Payload>
    [[nodiscard]] bool emit(std::string_view type,
                            const Payload& payload,
                            const EmitOptions& options = {}) {
        if (room_ == 0) {
            return false;
        }
        const std::string json = detail::encode_text(payload, "payload");
        const dto_task_spec spec = detail::task_spec(type, json, options);
        switch (const dto_status status = feed_.emit(call(), &spec)) {
            case DTO_OK:
                --room_;
                ++emitted_;
                return true;
            case DTO_RETRY:
                room_ = 0;
                return false;
            case DTO_CANCELLED:
                throw Cancelled();
            default:
                throw Failure(status,
                              "the coordinator refused a task of type " + std::string(type));
        }
    }

    /// Nothing more will ever come.
    void end() noexcept { ended_ = true; }

    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] std::uint32_t emitted() const noexcept { return emitted_; }

private:
    const dto_feed& feed_;
    std::uint32_t room_;
    std::uint32_t emitted_ = 0;
    bool ended_ = false;
};

}  // namespace distributo
