#include "runtime/frame_messages.hpp"
#include "runtime/process_runner.hpp"
#include "runtime/value_cache.hpp"

// What the process asks for and tells beside the results of its calls.
namespace distributo::runtime {
namespace {

/// Answers that a process does not read are not kept: it hears nothing, which is what a cache that
/// has forgotten says too.
constexpr std::size_t most_unread = 16 * 1024 * 1024;
/// A probe is a question to a plugin that should know the answer.
constexpr base::Duration probe_limit = std::chrono::seconds(10);

}  // namespace

void ProcessRunner::probe(CallId call) {
    write_probe(out_, calls_.open(call, probe_limit, options_.cancel_grace), probe_limit);
}

void ProcessRunner::on_service_frame(Frame& frame) {
    switch (frame.header.kind) {
        case FrameKind::cache_get:
            return answer_cache(frame);
        case FrameKind::cache_put: {
            const auto ttl = std::chrono::milliseconds(frame.number());
            const auto key = frame.text();
            const auto value = frame.text();
            if (frame.bad)
                return protocol_broken();
            return options_.cache->put(
                key, std::string(value), ttl, std::chrono::steady_clock::now());
        }
        case FrameKind::capabilities_changed:
            return owner_.on_capabilities_changed();
        default:
            return protocol_broken();
    }
}

void ProcessRunner::answer_cache(Frame& frame) {
    const auto key = frame.text();
    if (frame.bad)
        return protocol_broken();
    if (process_->unread() > most_unread)
        return;
    const auto value = options_.cache->get(key, std::chrono::steady_clock::now());
    std::string answer;
    FrameWriter(answer,
                {.size = 0,
                 .kind = FrameKind::cache_value,
                 .status = static_cast<std::uint8_t>(value ? 1 : 0),
                 .type = 0,
                 .id = frame.header.id})
        .text(value ? std::string_view(*value) : std::string_view());
    process_->send(answer);
}

}  // namespace distributo::runtime
