#include "coordinator/core/scheduler.hpp"

#include "coordinator/core/scheduler_impl.hpp"

namespace distributo::coordinator::core {

void Actions::clear() {
    assigns.clear();
    cancels.clear();
    acks.clear();
    outcomes.clear();
    failed_attempts.clear();
    controls.clear();
    hosts.clear();
    changed.clear();
    shown_ids.clear();
}

bool Actions::empty() const noexcept {
    return assigns.empty() && cancels.empty() && acks.empty() && outcomes.empty() &&
           failed_attempts.empty() && controls.empty() && hosts.empty() && changed.empty();
}

Scheduler::Scheduler(const Settings& settings,
                     std::uint32_t term,
                     std::uint32_t random_seed,
                     const std::optional<LeaseKey>& lease_key)
    : impl_(std::make_unique<Impl>(settings, term, random_seed, lease_key)) {}

Scheduler::~Scheduler() = default;

Actions& Scheduler::actions() noexcept {
    return impl_->actions;
}

const Counts& Scheduler::counts() const noexcept {
    return impl_->counts;
}

std::uint32_t Scheduler::term() const noexcept {
    return impl_->term;
}

}  // namespace distributo::coordinator::core
