#include "coordinator/engine/engine_impl.hpp"

#include <memory>
#include <utility>

namespace distributo::coordinator::engine {
namespace {

// Of one request; who has more asks again.
constexpr std::size_t most_tasks = 1000;
// Of the scheduler's tasks, some thousand each.
constexpr int max_group_scans = 256;

std::vector<wire::TaskState> states_for(GroupAsk ask) {
    using enum wire::TaskState;
    switch (ask) {
        case GroupAsk::cancel:
            return {scheduled, pending, running, retrying, held};
        case GroupAsk::hold:
            return {scheduled, pending, retrying};
        case GroupAsk::release:
            return {held};
        case GroupAsk::retry:
            break;
    }
    return {failed, cancelled, expired};
}

}  // namespace

/// What a person asks of all tasks of a group, a slice per turn of the loop.
class Engine::Impl::GroupAction : public std::enable_shared_from_this<GroupAction> {
public:
    GroupAction(
        Impl& engine, std::string group, GroupAsk ask, std::string reason, Done<GroupAnswer> done)
        : engine_(engine), ask_(ask), reason_(std::move(reason)), done_(std::move(done)) {
        query_.states = states_for(ask);
        query_.group = std::move(group);
        query_.limit = most_tasks;
    }

    void start() {
        if (!engine_.healthy)
            return engine_.refuse(done_, engine_.store_failed());
        if (ask_ == GroupAsk::retry)
            return read();
        scan_later();
    }

private:
    void scan_later() {
        engine_.later([self = shared_from_this()] { self->scan(); });
    }

    void scan() {
        const auto page = engine_.scheduler->list(query_);
        for (const TaskId id : page.ids)
            count(ask_of(id));
        query_.before = page.next_before;
        query_.limit -= page.ids.size();
        answer_.more = page.next_before != 0;
        if (answer_.more && query_.limit != 0 && ++scans_ < max_group_scans)
            return scan_later();
        engine_.after_commit([self = shared_from_this()](base::Result<void> durable) {
            if (durable)
                self->done_(self->answer_);
            else
                self->done_(durable.error());
        });
    }

    [[nodiscard]] base::Result<void> ask_of(TaskId id) {
        const auto now = engine_.event().now;
        if (ask_ == GroupAsk::cancel)
            return engine_.scheduler->cancel(id, now);
        if (ask_ == GroupAsk::hold)
            return engine_.scheduler->hold(id, reason_, now);
        return engine_.scheduler->release(id, now);
    }

    void read() {
        engine_.store->list(query_,
                            [self = shared_from_this()](base::Result<store::ListPage> page) {
                                if (!page)
                                    return self->done_(page.error());
                                self->reopen(*page);
                            });
    }

    void reopen(const store::ListPage& page) {
        answer_.more = page.next_before != 0;
        open_ = page.tasks.size() + 1;
        for (const auto& record : page.tasks)
            engine_.reopen(record.task.id,
                           base::NumberText(record.task.id).str(),
                           [self = shared_from_this()](const base::Result<TaskDetails>& reopened) {
                               self->count(reopened ? base::Result<void>() : reopened.error());
                               self->finish_one();
                           });
        finish_one();
    }

    void finish_one() {
        if (--open_ == 0)
            done_(answer_);
    }

    void count(const base::Result<void>& done) { ++(done ? answer_.changed : answer_.refused); }

    Impl& engine_;
    GroupAsk ask_;
    std::string reason_;
    Done<GroupAnswer> done_;
    store::ListQuery query_;
    GroupAnswer answer_;
    int scans_ = 0;
    std::size_t open_ = 0;
};

void Engine::ask_group(const std::string& name,
                       GroupAsk ask,
                       std::string reason,
                       Done<GroupAnswer> done) {
    std::make_shared<Impl::GroupAction>(*impl_, name, ask, std::move(reason), std::move(done))
        ->start();
}

}  // namespace distributo::coordinator::engine
