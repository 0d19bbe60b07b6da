#pragma once

#include "runtime/shared_page.hpp"

#include <array>
#include <mutex>
#include <span>
#include <string_view>

namespace distributo::runtime {

/// What this process itself prints on stdout and stderr, read back from the pipes that these are,
/// so that it can be attributed to the call that printed it: to the one that runs, or, when
/// several run, to the one that was started last. The supervisor holds the same pipes and reads
/// what is left in them when this process dies. Any thread.
class Capture {
public:
    struct Sink {
        virtual ~Sink() = default;
        virtual void printed(CallId call, std::string_view stream, std::string_view text) = 0;
    };

    /// Takes the read ends of the pipes, non-blocking.
    Capture(int out, int error, const SharedPage& page, Sink& sink);

    [[nodiscard]] std::array<int, 2> descriptors() const noexcept {
        return {streams_[0].pipe, streams_[1].pipe};
    }
    /// Reads what is there.
    void drain();
    /// `call` has returned: what is there now belongs to it, if it is the only one. True when
    /// something was printed since the last time.
    bool call_ended(CallId call);

private:
    struct Stream {
        std::string_view name;
        int pipe;
        PrintArea& kept;  // what has no line feed yet, and what is being reported
    };
    void drain(Stream& stream, CallId call);
    void report(Stream& stream, CallId call, std::size_t bytes, std::size_t skip);
    [[nodiscard]] CallId owner() const noexcept { return newest_call(slots_.live()); }

    SlotTable slots_;
    Sink& sink_;
    std::mutex mutex_;  // of the following
    bool printed_ = false;
    std::array<Stream, 2> streams_;
};

}  // namespace distributo::runtime
