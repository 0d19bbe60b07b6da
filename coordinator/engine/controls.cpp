#include "coordinator/engine/engine_impl.hpp"

#include <utility>

namespace distributo::coordinator::engine {

using base::Errc;

template <typename Then>
void Engine::Impl::with_serving(const std::string& id, Done<TaskDetails> done, Then then) {
    if (healthy)
        return with_task(id, std::move(done), std::move(then));
    refuse(std::move(done), store_failed());
}

void Engine::Impl::confirm(Asked asked,
                           TaskId id,
                           const std::string& shown,
                           const Done<TaskDetails>& done) {
    if (asked)
        return after_commit([this, id, shown, done](base::Result<void> durable) {
            if (!durable)
                return done(durable.error());
            describe(id, shown, done);
        });
    describe(id, shown, [shown, done, why = asked.error()](base::Result<TaskDetails> found) {
        if (!found)
            return done(std::move(found));
        if (!found->record.outcome)
            return done(why);
        done(base::error(Errc::conflict,
                         "task '" + shown + "' has already ended: it is " +
                             std::string(to_string(found->state()))));
    });
}

void Engine::Impl::cancel(TaskId id, const std::string& shown, const Done<TaskDetails>& done) {
    confirm(
        scheduler->cancel(id, event().now), id, shown, [=, this](base::Result<TaskDetails> found) {
            if (found || found.error().code != Errc::conflict)
                return done(std::move(found));
            // Asking twice is fine.
            describe(id, shown, [done, why = found.error()](base::Result<TaskDetails> ended) {
                if (ended && ended->state() == wire::TaskState::cancelled)
                    return done(std::move(ended));
                done(why);
            });
        });
}

void Engine::Impl::retry(TaskId id, const std::string& shown, const Done<TaskDetails>& done) {
    auto released = scheduler->release(id, event().now);
    if (!released && released.error().code == Errc::not_found)
        return reopen(id, shown, done);
    confirm(std::move(released), id, shown, done);
}

void Engine::Impl::reopen(TaskId id, const std::string& shown, const Done<TaskDetails>& done) {
    if (auto room = scheduler->check_room(unstored_tasks + 1, unstored_bytes); !room)
        return refuse(done, room.error());
    store->reopen(id, clock.wall(), [this, shown, done](base::Result<store::TaskRecord> reopened) {
        if (!healthy)
            return done(store_failed());
        if (!reopened && reopened.error().code == Errc::not_found)
            return done(unknown(shown));
        if (!reopened && reopened.error().code == Errc::conflict)
            return done(reopened.error());
        if (!reopened) {
            store_broke(reopened.error());
            done(store_failed());
            Flight nobody;
            return stop_serving(nobody);
        }
        auto task = reopened->task;
        task.type = intern(task.type);
        scheduler->add(std::move(task), clock.now(), clock.wall());
        turn();
        done(details(std::move(*reopened)));
    });
}

void Engine::cancel(const std::string& id, Done<TaskDetails> done) {
    impl_->with_serving(
        id, std::move(done), [impl = impl_.get()](auto task, auto& shown, auto& then) {
            impl->cancel(task, shown, then);
        });
}

void Engine::retry(const std::string& id, Done<TaskDetails> done) {
    impl_->with_serving(
        id, std::move(done), [impl = impl_.get()](auto task, auto& shown, auto& then) {
            impl->retry(task, shown, then);
        });
}

void Engine::hold(const std::string& id, std::string reason, Done<TaskDetails> done) {
    impl_->with_serving(
        id,
        std::move(done),
        [impl = impl_.get(), reason = std::move(reason)](auto task, auto& shown, auto& then) {
            auto held = impl->scheduler->hold(task, reason, impl->event().now);
            impl->confirm(std::move(held), task, shown, then);
        });
}

void Engine::release(const std::string& id, Done<TaskDetails> done) {
    impl_->with_serving(
        id, std::move(done), [impl = impl_.get()](auto task, auto& shown, auto& then) {
            impl->confirm(impl->scheduler->release(task, impl->event().now), task, shown, then);
        });
}

void Engine::release_host(const std::string& host_id, Done<void> done) {
    const auto released = impl_->healthy
                              ? impl_->scheduler->release_host(host_id, impl_->event().now)
                              : impl_->store_failed();
    if (released)
        return impl_->after_commit(std::move(done));
    impl_->refuse(std::move(done), released.error());
}

}  // namespace distributo::coordinator::engine
