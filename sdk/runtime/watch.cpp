#include "runtime/watch.hpp"

#include <cerrno>
#include <cstdint>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

namespace distributo::runtime {
namespace {

void set(int timer, base::Duration delay) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
    itimerspec when{};
    when.it_value.tv_sec = seconds.count();
    when.it_value.tv_nsec = (delay - seconds).count();
    timerfd_settime(timer, 0, &when, nullptr);
}

}  // namespace

Watch::Watch() : timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
    if (timer_ < 0)
        throw std::system_error(errno, std::generic_category(), "cannot make a timer");
}

Watch::~Watch() {
    close(timer_);
}

void Watch::arm(base::Duration delay) {
    if (!armed_.load(std::memory_order_relaxed) && !armed_.exchange(true))
        set(timer_, delay);
}

void Watch::fire_now() {
    armed_.store(true);
    set(timer_, base::Duration(1));
}

void Watch::wait() {
    std::uint64_t times = 0;
    while (read(timer_, &times, sizeof times) < 0 && errno == EINTR) {
    }
    // Cleared before the caller looks at what there is to do: what comes later arms again.
    armed_.store(false);
}

}  // namespace distributo::runtime
