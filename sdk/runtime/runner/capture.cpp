#include "runtime/runner/capture.hpp"

#include "runtime/utf8.hpp"

#include <cstdio>
#include <cstring>
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

Capture::Capture(int out, int error, const SharedPage& page, Sink& sink)
    : slots_(page.slots),
      sink_(sink),
      streams_{Stream{.name = "stdout", .pipe = out, .kept = page.prints[0]},
               Stream{.name = "stderr", .pipe = error, .kept = page.prints[1]}} {}

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
        if (const auto rest = stream.kept.view().size(); rest > 0 && owner() == call)
            report(stream, call, rest, 0);
    }
    return std::exchange(printed_, false);
}

void Capture::drain(Stream& stream, CallId call) {
    PrintArea& kept = stream.kept;
    for (;;) {
        const std::size_t before = kept.view().size();
        const std::size_t room = PrintArea::capacity - before;
        const auto got = read(stream.pipe, kept.text + before, room);
        if (got <= 0)
            return;
        printed_ = true;
        const std::size_t size = before + static_cast<std::size_t>(got);
        kept.size.store(static_cast<std::uint32_t>(size), std::memory_order_release);
        const auto last = kept.view().rfind('\n');
        if (last != std::string_view::npos)
            report(stream, call, last, 1);
        else if (size == PrintArea::capacity)
            report(stream, call, cut_utf8(kept.view(), size - 1).size(), 0);
        if (size < PrintArea::capacity)
            return;
    }
}

/// Reports the first bytes of what is kept and forgets them, and `skip` more. In this order: when
/// the process dies in between they are known twice, and not never. Behind what is kept there are
/// zeros, so that the supervisor finds what was read by a process that died before it said so.
void Capture::report(Stream& stream, CallId call, std::size_t bytes, std::size_t skip) {
    PrintArea& kept = stream.kept;
    sink_.printed(call, stream.name, kept.view().substr(0, bytes));
    const std::size_t before = kept.view().size();
    const std::size_t left = before - bytes - skip;
    std::memmove(kept.text, kept.text + bytes + skip, left);
    kept.size.store(static_cast<std::uint32_t>(left), std::memory_order_release);
    std::memset(kept.text + left, 0, before - left);
}

}  // namespace distributo::runtime
