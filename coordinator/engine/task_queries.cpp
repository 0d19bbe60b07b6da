#include "base/ids.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace distributo::coordinator::engine {

using base::Errc;

namespace {

// Long polls are cheap, but each holds a response open that somebody may never fetch.
constexpr std::size_t max_waits = 64 * 1024;

base::Error too_many_waits() {
    return base::error(Errc::limit,
                       "more than " + std::to_string(max_waits) + " requests wait already",
                       "ask without waiting, or wait for results instead of single tasks");
}

}  // namespace

base::Error Engine::Impl::unknown(const std::string& id) {
    return base::error(Errc::not_found,
                       "no task has the id '" + id + "'",
                       "list tasks with: distributo task list");
}

void Engine::Impl::locate(const std::string& id, Located next) {
    const auto number = base::parse_number_text(id);
    if (number && *number < next_id && !reserved.contains(*number))
        return next(*number);
    store->resolve(id, [id, next = std::move(next)](base::Result<TaskId> found) {
        if (found && *found == 0)
            return next(unknown(id));
        next(std::move(found));
    });
}

TaskDetails Engine::Impl::details(store::TaskRecord record) const {
    TaskDetails task;
    task.record = std::move(record);
    core::TaskView view;
    if (!task.record.outcome && scheduler->find(task.record.task.id, clock.now(), view))
        task.live = view;
    return task;
}

void Engine::Impl::describe(TaskId id,
                            const std::string& shown,
                            const Done<TaskDetails>& done,
                            int asks) {
    const auto answered = [this, id, shown, done, asks](auto found) {
        if (!found)
            return done(found.error());
        if (!*found)
            return done(unknown(shown));
        auto task = details(std::move(**found));
        if (!task.live && !task.record.outcome && asks > 1)
            return describe(id, shown, done, asks - 1);
        done(std::move(task));
    };
    store->find(id, answered);
}

void Engine::Impl::wait(TaskId id,
                        const std::string& shown,
                        base::TimePoint deadline,
                        Done<TaskDetails> done) {
    describe(id,
             shown,
             [this, id, shown, deadline, done = std::move(done)](base::Result<TaskDetails> found) {
                 if (!found || wire::is_terminal(found->state()) || deadline <= clock.now())
                     return done(std::move(found));
                 if (task_waits.size() >= max_waits)
                     return done(too_many_waits());
                 task_waits.add(
                     id, deadline, [this, id, shown, done](bool) { describe(id, shown, done); });
                 arm_timer(clock.now());
             });
}

void Engine::Impl::results(const store::ResultsQuery& query,
                           base::TimePoint deadline,
                           Done<store::ResultsPage> done) {
    store->results(query, [this, query, deadline, done](base::Result<store::ResultsPage> page) {
        if (!page || !page->tasks.empty())
            return done(std::move(page));
        auto next = query;
        next.after = page->next_after;
        if (page->next_after < page->newest)
            return results(next, deadline, done);
        if (deadline <= clock.now())
            return done(std::move(page));
        if (result_waits.size() >= max_waits)
            return done(too_many_waits());
        result_waits.add(0, deadline, [this, next, deadline, done](bool expired) {
            results(next, expired ? base::TimePoint::min() : deadline, done);
        });
        arm_timer(clock.now());
    });
}

void Engine::Impl::explain(TaskId id,
                           const std::string& shown,
                           const Done<core::Explanation>& done) {
    core::TaskView view;
    if (scheduler->find(id, clock.now(), view)) {
        boost::asio::post(io, [done, explanation = scheduler->explain(id, clock.now())]() mutable {
            done(std::move(explanation));
        });
        return;
    }
    describe(id, shown, [done](base::Result<TaskDetails> found) {
        if (!found)
            return done(found.error());
        core::Explanation explanation;
        explanation.summary =
            "the task does not wait: it is " + std::string(to_string(found->state()));
        done(std::move(explanation));
    });
}

void Engine::find(const std::string& id, Done<TaskDetails> done) {
    impl_->with_task(id, std::move(done), [impl = impl_.get()](auto task, auto& shown, auto& then) {
        impl->describe(task, shown, then);
    });
}

void Engine::wait(const std::string& id, base::Duration timeout, Done<TaskDetails> done) {
    impl_->with_task(
        id,
        std::move(done),
        [impl = impl_.get(), deadline = now() + timeout](auto task, auto& shown, auto& then) {
            impl->wait(task, shown, deadline, then);
        });
}

void Engine::results(const store::ResultsQuery& query,
                     base::Duration timeout,
                     Done<store::ResultsPage> done) {
    impl_->results(query, now() + timeout, std::move(done));
}

void Engine::explain(const std::string& id, Done<core::Explanation> done) {
    impl_->with_task(id, std::move(done), [impl = impl_.get()](auto task, auto& shown, auto& then) {
        impl->explain(task, shown, then);
    });
}

void Engine::logs(const std::string& id, Done<std::vector<LogLine>> done) {
    impl_->with_task(id, std::move(done), [impl = impl_.get()](auto task, auto& shown, auto& then) {
        impl->describe(task, shown, [impl, then](base::Result<TaskDetails> found) {
            if (!found)
                return then(found.error());
            then(impl->log_book.lines(found->record.task.id));
        });
    });
}

}  // namespace distributo::coordinator::engine
