#pragma once

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <sys/types.h>

namespace distributo::runtime {

/// Looks at the resident memory of a process every 50 ms, and tells once when it is above a limit.
/// A process that touches 2.5 GB/s is noticed at most 126 MB late. Lives on the io_context.
class MemoryWatch {
public:
    /// `on_passed` gets the bytes in use; it may destroy the watch.
    MemoryWatch(boost::asio::io_context& io,
                pid_t process,
                std::uint64_t limit,
                std::function<void(std::uint64_t)> on_passed);

private:
    void look_later();

    boost::asio::steady_timer timer_;
    pid_t process_;
    std::uint64_t limit_;
    std::function<void(std::uint64_t)> on_passed_;
};

}  // namespace distributo::runtime
