#include "coordinator/engine/engine.hpp"

#include "base/ids.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <boost/asio/post.hpp>

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
    scheduler =
        std::make_unique<core::Scheduler>(settings, opened->term, random_seed, opened->lease_key);
    const auto at = event();
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

bool Engine::Impl::number_is_taken(const core::TaskOptions* options) {
    if (!options || options->given_id.empty())
        return false;
    const auto number = base::parse_number_text(options->given_id);
    if (!number || reserved.contains(*number))
        return false;
    if (*number < next_id)
        return true;
    reserved.insert(*number);
    return false;
}

TaskId Engine::Impl::allot() {
    while (!reserved.empty() && reserved.contains(next_id))
        ++next_id;
    return next_id++;
}

base::Result<void> Engine::Impl::check_submit(const std::vector<Submit>& items) {
    if (!healthy)
        return base::error(Errc::unavailable,
                           "the task store has failed; nothing is accepted any more",
                           "see the coordinator's log, then restart it");
    std::uint64_t bytes = 0;
    for (const auto& item : items) {
        bytes += item.payload.size();
        if (intern(item.type).empty())
            return base::error(Errc::limit,
                               "more than " + std::to_string(core::TypeNames::max_names) +
                                   " different task types have been used",
                               "task types name kinds of work; put what varies into the payload");
    }
    return scheduler->check_room(unstored_tasks + items.size(), unstored_bytes + bytes);
}

void Engine::Impl::submit(std::vector<Submit> items, Done<std::vector<Submitted>> done) {
    if (auto checked = check_submit(items); !checked) {
        boost::asio::post(io,
                          [done = std::move(done), failure = checked.error()] { done(failure); });
        return;
    }
    event();
    Group group{std::move(done), {}};
    group.answers.reserve(items.size());
    if (open.submits.empty()) {
        open.submits.reserve(items.size());
        boarding.tasks.reserve(items.size());
    }
    for (auto& item : items) {
        if (number_is_taken(item.options.get())) {
            const auto number = base::parse_number_text(item.options->given_id);
            group.answers.push_back({Submitted::Kind::conflict, number.value_or(0)});
            continue;
        }
        const auto id = board(intern(item.type), std::move(item.payload), std::move(item.options));
        group.answers.push_back({Submitted::Kind::created, id});
    }
    boarding.groups.push_back(std::move(group));
}

TaskId Engine::Impl::board(std::string_view type,
                           base::Bytes payload,
                           std::shared_ptr<const core::TaskOptions> options,
                           TaskId parent) {
    core::NewTask task;
    task.parent = parent;
    task.id = allot();
    task.type = type;
    task.payload = std::move(payload);
    task.created = moment.wall;
    task.options = std::move(options);
    boarding.bytes += task.payload.size();
    unstored_bytes += task.payload.size();
    ++unstored_tasks;
    boarding.tasks.push_back(task);
    open.submits.push_back(std::move(task));
    return boarding.tasks.back().id;
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

void Engine::submit(std::vector<Submit> items, Done<std::vector<Submitted>> done) {
    impl_->submit(std::move(items), std::move(done));
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

}  // namespace distributo::coordinator::engine
