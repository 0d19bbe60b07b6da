#include "base/log.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::engine {

using base::Errc;

namespace {

constexpr base::Duration prune_interval = std::chrono::seconds(1);
// A group commit takes some milliseconds; when they queue up, the disk has enough to do.
constexpr base::Duration late_commit = std::chrono::milliseconds(100);

constexpr base::Duration shortest_wait = std::chrono::seconds(1);
constexpr base::Duration longest_wait = std::chrono::seconds(60);
constexpr double share_to_end = 0.01;

}  // namespace

bool Engine::Impl::is_behind(base::TimePoint now) const {
    return !flights.empty() && now - flights.front().begun > late_commit;
}

void Engine::Impl::prune(base::TimePoint now) {
    prune_due = now + prune_interval;
    if (!healthy || is_behind(now))
        return;
    prune_due = base::TimePoint::max();  // until this slice is done
    store->prune(retention, clock.wall(), [this](base::Result<bool> more) {
        if (!more)
            base::log::warn("retention.failed", {{"error", more.error().message}});
        prune_due = clock.now() + (more && *more ? base::Duration::zero() : prune_interval);
        arm_timer(clock.now());
    });
}

void Engine::keep(const store::Retention& rules) {
    const auto needed_after = impl_->retention.needed_after;
    impl_->retention = rules;
    impl_->retention.needed_after = needed_after;
    impl_->prune_due = now();
    impl_->arm_timer(now());
}

void Engine::backup(const std::string& file, Done<std::uint64_t> done) {
    if (std::exchange(impl_->backing_up, true))
        return impl_->refuse(
            std::move(done),
            base::error(Errc::conflict, "a backup is being written", "wait for its end"));
    impl_->store->backup(
        file, [impl = impl_.get(), done = std::move(done)](base::Result<std::uint64_t> written) {
            impl->backing_up = false;
            done(std::move(written));
        });
}

store::Health Engine::store_health() const {
    return impl_->store->health();
}

base::Duration Engine::time_until_room() const {
    if (impl_->scheduler->check_room(1, 0))
        return shortest_wait;  // only what is not durable yet stood in the way
    const double rate = impl_->ends.rate(now());
    const auto live = static_cast<double>(impl_->scheduler->counts().live());
    if (rate * std::chrono::duration<double>(longest_wait).count() <= live * share_to_end)
        return longest_wait;
    const std::chrono::duration<double> wait(live * share_to_end / rate);
    return std::max(shortest_wait, std::chrono::duration_cast<base::Duration>(wait));
}

}  // namespace distributo::coordinator::engine
