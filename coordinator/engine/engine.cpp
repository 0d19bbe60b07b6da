#include "coordinator/engine/engine.hpp"

#include "base/ids.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace distributo::coordinator::engine {

using base::Errc;

wire::TaskState TaskDetails::state() const noexcept {
    if (live)
        return live->state;
    return record.outcome ? record.outcome->state : wire::TaskState::pending;
}

std::string TaskDetails::shown_id() const {
    if (record.task.options && !record.task.options->given_id.empty())
        return record.task.options->given_id;
    return base::NumberText(record.task.id).str();
}

Engine::Impl::Impl(boost::asio::io_context& the_io,
                   const base::Clock& the_clock,
                   const core::Settings& the_settings,
                   std::unique_ptr<store::Store> the_store,
                   std::uint32_t the_random_seed)
    : io(the_io),
      clock(the_clock),
      settings(the_settings),
      store(std::move(the_store)),
      timer(the_io),
      random_seed(the_random_seed) {}

base::Result<void> Engine::Impl::start() {
    auto opened = store->open();
    if (!opened)
        return opened.error();
    coordinator_id = std::move(opened->coordinator_id);
    next_id = opened->next_id;
    reserved.insert(opened->reserved.begin(), opened->reserved.end());
    is_durable = store->health().durable;
    const auto lease_key = is_durable ? std::optional(opened->lease_key) : std::nullopt;
    scheduler = std::make_unique<core::Scheduler>(settings, opened->term, random_seed, lease_key);
    const auto at = event();
    know_extensions(std::move(opened->extensions), std::move(opened->cursors));
    scheduler->await_hosts(
        std::move(opened->hosts), at.now + settings.return_grace, at.now, at.wall);
    for (auto& recovered : opened->live) {
        recovered.task.type = intern(recovered.task.type);
        scheduler->recover(std::move(recovered), at.now, at.wall);
    }
    return {};
}

std::string_view Engine::Impl::intern(std::string_view type) {
    if (type != last_type)
        last_type = types.intern(type);
    return last_type;
}

Engine::Engine(boost::asio::io_context& io,
               const base::Clock& clock,
               const core::Settings& settings,
               std::unique_ptr<store::Store> store)
    : impl_(std::make_unique<Impl>(io, clock, settings, std::move(store), std::random_device{}())) {
}

Engine::Engine(boost::asio::io_context& io,
               const base::Clock& clock,
               const core::Settings& settings,
               std::unique_ptr<store::Store> store,
               const Replayable& replayable)
    : impl_(std::make_unique<Impl>(io, clock, settings, std::move(store), replayable.random_seed)) {
    impl_->by_hand = true;
}

Engine::~Engine() = default;

base::Result<void> Engine::start() {
    return impl_->start();
}
void Engine::run_due() {
    impl_->turn();
}
base::TimePoint Engine::next_due() const {
    return impl_->next_due();
}
boost::asio::io_context& Engine::io() const noexcept {
    return impl_->io;
}

const core::Scheduler& Engine::scheduler() const noexcept {
    return *impl_->scheduler;
}
base::TimePoint Engine::now() const {
    return impl_->clock.now();
}
const std::string& Engine::coordinator_id() const noexcept {
    return impl_->coordinator_id;
}
TaskId Engine::next_id() const noexcept {
    return impl_->next_id;
}
bool Engine::healthy() const noexcept {
    return impl_->healthy;
}
void Engine::on_store_failed(std::function<void(const base::Error&)> call) {
    impl_->on_store_failed = std::move(call);
}

}  // namespace distributo::coordinator::engine
