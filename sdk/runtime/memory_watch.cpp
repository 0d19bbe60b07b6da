#include "runtime/memory_watch.hpp"

#include <fstream>
#include <string>
#include <unistd.h>
#include <utility>

namespace distributo::runtime {
namespace {

constexpr std::chrono::milliseconds period{50};

std::uint64_t resident_bytes(pid_t process) {
    std::ifstream statm("/proc/" + std::to_string(process) + "/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryWatch::MemoryWatch(boost::asio::io_context& io,
                         pid_t process,
                         std::uint64_t limit,
                         std::function<void(std::uint64_t)> on_passed)
    : timer_(io), process_(process), limit_(limit), on_passed_(std::move(on_passed)) {
    look_later();
}

void MemoryWatch::look_later() {
    timer_.expires_after(period);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error)
            return;  // it is gone
        if (const auto bytes = resident_bytes(process_); bytes > limit_)
            return on_passed_(bytes);
        look_later();
    });
}

}  // namespace distributo::runtime
