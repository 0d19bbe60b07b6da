#include "host/reconnect.hpp"

#include <algorithm>

namespace distributo::host {
namespace {

constexpr base::Duration base_delay = std::chrono::milliseconds(500);
constexpr base::Duration longest_delay = std::chrono::seconds(30);
/// A sixth of the time for which a restarted coordinator waits: on average a host finds it after
/// half of this, and ten thousand hosts make four tries per millisecond at most.
constexpr base::Duration longest_delay_if_known = std::chrono::seconds(5);
/// Keeps an unlucky draw from hammering a coordinator that refuses at once.
constexpr base::Duration shortest_delay = std::chrono::milliseconds(50);

base::Duration scaled(base::Duration range, double factor) {
    return std::chrono::duration_cast<base::Duration>(range * factor);
}

}  // namespace

void ReconnectSchedule::connected(base::Duration window) noexcept {
    window_ = window;
    tries_ = 0;
}

base::Duration ReconnectSchedule::next() {
    const bool first_after_drop = tries_ == 0 && window_ > base::Duration::zero();
    const auto doublings = std::min(tries_, 6U);
    tries_ = std::min(tries_ + 1, 1U << 30U);
    if (first_after_drop)
        return scaled(window_, random_());
    const auto range =
        std::min(known_ ? longest_delay_if_known : longest_delay, base_delay * (1U << doublings));
    return std::max(shortest_delay, scaled(range, random_()));
}

}  // namespace distributo::host
