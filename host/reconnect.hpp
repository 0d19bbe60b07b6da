#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <functional>

namespace distributo::host {

/// When to try the coordinator again.
///
/// After a drop all hosts of a coordinator come back at once, so the first try is spread evenly
/// over the window that the coordinator asked for; later ones back off with full jitter. A host
/// that was connected before does not back off far: a coordinator that has been restarted hands
/// out nothing of before until the hosts are back that may be working on it.
class ReconnectSchedule {
public:
    /// `random` gives numbers in [0, 1).
    explicit ReconnectSchedule(std::function<double()> random) : random_(std::move(random)) {}

    /// A connection was complete; the next drop starts over.
    void connected(base::Duration window) noexcept;

    /// Time to wait before the next try.
    [[nodiscard]] base::Duration next();

    /// A coordinator has welcomed this host once, even if not for long.
    void welcomed() noexcept { known_ = true; }

    /// Failed tries since the last complete connection.
    [[nodiscard]] std::uint32_t tries() const noexcept { return tries_; }
    /// True for the tries 1, 2, 4, 8 …: a host may wait for days without filling its log.
    [[nodiscard]] bool worth_logging() const noexcept { return (tries_ & (tries_ - 1)) == 0; }

private:
    std::function<double()> random_;
    base::Duration window_{};
    bool known_ = false;
    std::uint32_t tries_ = 0;
};

}  // namespace distributo::host
