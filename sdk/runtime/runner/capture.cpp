#include "runtime/runner/capture.hpp"

#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace distributo::runtime {
namespace {

bool has_data(int pipe) {
    int bytes = 0;
    return ioctl(pipe, FIONREAD, &bytes) == 0 && bytes > 0;
}

}  // namespace

Capture::Capture(int out, int error, std::span<const CallSlot> slots, Sink& sink)
    : slots_(slots),
      sink_(sink),
      streams_{Stream{.name = "stdout", .pipe = out, .lines = {}},
               Stream{.name = "stderr", .pipe = error, .lines = {}}} {}

void Capture::drain() {
    const std::lock_guard lock(mutex_);
    for (auto& stream : streams_)
        drain(stream, owner());
}

bool Capture::call_ended(CallId call) {
    std::fflush(stdout);
    const std::lock_guard lock(mutex_);
    for (auto& stream : streams_) {
        if (has_data(stream.pipe))
            drain(stream, owner());
        if (owner() != call)
            continue;
        if (const auto rest = stream.lines.finish(); !rest.empty())
            sink_.printed(call, stream.name, rest);
    }
    return std::exchange(printed_, false);
}

void Capture::drain(Stream& stream, CallId call) {
    char bytes[16 * 1024];
    for (;;) {
        const auto got = read(stream.pipe, bytes, sizeof bytes);
        if (got <= 0)
            return;
        printed_ = true;
        const auto lines = stream.lines.add({bytes, static_cast<std::size_t>(got)});
        if (!lines.empty())
            sink_.printed(call, stream.name, lines);
        if (static_cast<std::size_t>(got) < sizeof bytes)
            return;
    }
}

}  // namespace distributo::runtime
