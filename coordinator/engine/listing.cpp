#include "coordinator/core/list_query.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>

namespace distributo::coordinator::engine {
namespace {

// After so many steps a search gives what it has found: about 50 ms, others served between.
constexpr int max_scans = 64;  // of the scheduler's tasks
constexpr int max_reads = 16;  // of the store

}  // namespace

/// A list that is put together from what the scheduler and what the store know. The scheduler is
/// asked first: what ends meanwhile is found in the store, so nothing is missed.
class Engine::Impl::Listing : public std::enable_shared_from_this<Listing> {
public:
    Listing(Impl& engine, const store::ListQuery& query, Done<TaskPage> done)
        : engine_(engine), query_(query), done_(std::move(done)) {
        // One more than asked for tells whether there is another page.
        ++query_.limit;
    }

    void start() {
        live_query_ = ended_query_ = query_;
        scan_later();
    }

private:
    struct Entry {
        TaskId id = 0;
        std::optional<store::TaskRecord> ended;
    };

    void scan_later() {
        engine_.later([self = shared_from_this()] { self->scan(); });
    }

    void scan() {
        const auto page = engine_.scheduler->list(live_query_);
        live_.insert(live_.end(), page.ids.begin(), page.ids.end());
        live_query_.before = page.next_before;
        live_query_.limit = query_.limit - live_.size();
        if (page.next_before != 0 && live_query_.limit != 0 && ++scans_ < max_scans)
            return scan_later();
        if (!query_.states.empty() && std::ranges::none_of(query_.states, wire::is_terminal)) {
            ended_query_.before = 0;
            return merge();
        }
        read();
    }

    void read() {
        engine_.store->list(ended_query_,
                            [self = shared_from_this()](base::Result<store::ListPage> page) {
                                if (!page)
                                    return self->done_(page.error());
                                self->take(std::move(*page));
                            });
    }

    void take(store::ListPage page) {
        std::ranges::move(page.tasks, std::back_inserter(ended_));
        ended_query_.before = page.next_before;
        ended_query_.limit = query_.limit - std::min(query_.limit, ended_.size());
        if (page.next_before != 0 && ended_query_.limit != 0 && ++reads_ < max_reads)
            return read();
        add_newcomers();
        merge();
    }

    /// The store tells how tasks have ended that were not recorded at the scan. What is durable
    /// with such an end, like the tasks that it emitted, is live by now.
    void add_newcomers() {
        const auto page = engine_.scheduler->list(query_);
        std::vector<TaskId> all;
        all.reserve(live_.size() + page.ids.size());
        std::ranges::set_union(live_, page.ids, std::back_inserter(all), std::greater());
        live_ = std::move(all);
    }

    /// Both lists are complete down to the higher of the two ends.
    void merge() {
        const TaskId end = std::max(live_query_.before, ended_query_.before);
        auto ended = ended_.begin();
        for (auto live = live_.begin(); entries_.size() < query_.limit;) {
            const TaskId next_live = live == live_.end() ? 0 : *live;
            const TaskId next_ended = ended == ended_.end() ? 0 : ended->task.id;
            const TaskId next = std::max(next_live, next_ended);
            if (next == 0 || next < end)
                break;
            Entry& entry = entries_.emplace_back();
            entry.id = next;
            if (next_live == next)
                ++live;
            if (next_ended == next)
                entry.ended = std::move(*ended++);
        }
        next_before_ = end;
        if (entries_.size() == query_.limit) {
            entries_.pop_back();
            next_before_ = entries_.back().id;
        }
        find_the_vanished();
    }

    /// What is not live any more has ended since the store was asked.
    void find_the_vanished() {
        core::TaskView view;
        open_ = 1;
        for (auto& entry : entries_) {
            if (entry.ended || engine_.scheduler->find(entry.id, engine_.clock.now(), view))
                continue;
            ++open_;
            engine_.store->find(entry.id,
                                [self = shared_from_this(),
                                 &entry](base::Result<std::optional<store::TaskRecord>> found) {
                                    if (found && *found && (*found)->outcome)
                                        entry.ended = std::move(*found);
                                    self->finish();
                                });
        }
        finish();
    }

    void finish() {
        if (--open_ != 0)
            return;
        TaskPage page;
        page.next_before = next_before_;
        page.tasks.reserve(entries_.size());
        for (auto& entry : entries_) {
            TaskDetails task;
            if (entry.ended)
                task.record = std::move(*entry.ended);
            else if (auto live = engine_.live(entry.id))
                task = std::move(*live);
            else
                continue;
            if (query_.wants(task.state()))
                page.tasks.push_back(std::move(task));
        }
        done_(std::move(page));
    }

    Impl& engine_;
    store::ListQuery query_;
    Done<TaskPage> done_;
    store::ListQuery live_query_, ended_query_;  // `before`: how far that list goes; 0: to the end
    std::vector<TaskId> live_;
    std::vector<store::TaskRecord> ended_;
    int scans_ = 0;
    int reads_ = 0;
    std::vector<Entry> entries_;
    TaskId next_before_ = 0;
    std::size_t open_ = 0;
};

std::optional<TaskDetails> Engine::Impl::live(TaskId id) const {
    core::TaskView view;
    if (!scheduler->find(id, clock.now(), view))
        return std::nullopt;
    TaskDetails task;
    task.record.task.id = id;
    task.record.task.type = view.type;
    task.record.task.payload = *view.payload;
    task.record.task.created = view.created;
    task.record.task.options = view.options;
    task.record.task.generator = view.generator;
    task.live = view;
    return task;
}

std::optional<TaskDetails> Engine::live(TaskId id) const {
    return impl_->live(id);
}

void Engine::list(const store::ListQuery& query, Done<TaskPage> done) {
    std::make_shared<Impl::Listing>(*impl_, query, std::move(done))->start();
}

}  // namespace distributo::coordinator::engine
