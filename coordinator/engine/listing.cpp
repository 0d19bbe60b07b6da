#include "coordinator/engine/engine_impl.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace distributo::coordinator::engine {
namespace {

/// A list that is put together from several pages of the store. The store knows live tasks only as
/// such, so what depends on their state or host is sorted out here.
class Listing : public std::enable_shared_from_this<Listing> {
public:
    using Describe = std::function<TaskDetails(store::TaskRecord)>;
    using Done = Engine::Done<std::vector<TaskDetails>>;

    Listing(store::Store& store, store::ListQuery query, Describe describe, Done done)
        : store_(store),
          query_(std::move(query)),
          states_(query_.states),
          host_(query_.host),
          describe_(std::move(describe)),
          done_(std::move(done)) {
        if (!std::ranges::all_of(states_, wire::is_terminal) || states_.empty())
            query_.host.clear();
    }

    void next_page() {
        store_.list(query_, [self = shared_from_this()](base::Result<store::ListPage> page) {
            if (!page)
                return self->done_(page.error());
            self->take(std::move(*page));
        });
    }

private:
    void take(store::ListPage page) {
        for (auto& record : page.tasks)
            if (found_.size() < query_.limit && wants(describe_(record)))
                found_.push_back(std::move(record));
        if (found_.size() < query_.limit && page.next_before != 0) {
            query_.before = page.next_before;
            return next_page();
        }
        finish();
    }

    [[nodiscard]] bool wants(const TaskDetails& task) const {
        if (!states_.empty() && std::ranges::find(states_, task.state()) == states_.end())
            return false;
        if (host_.empty())
            return true;
        return task.live ? task.live->host == host_
                         : task.record.outcome && task.record.outcome->attempt.host == host_;
    }

    /// Views of live tasks hold for this moment only, so they are taken now. A task that ended
    /// while later pages were read is left out: its record is of the past.
    void finish() {
        std::vector<TaskDetails> tasks;
        tasks.reserve(found_.size());
        for (auto& record : found_) {
            auto task = describe_(std::move(record));
            if (task.live || task.record.outcome)
                tasks.push_back(std::move(task));
        }
        done_(std::move(tasks));
    }

    store::Store& store_;
    store::ListQuery query_;
    std::vector<wire::TaskState> states_;
    std::string host_;
    Describe describe_;
    Done done_;
    std::vector<store::TaskRecord> found_;
};

}  // namespace

void Engine::list(const store::ListQuery& query, Done<std::vector<TaskDetails>> done) {
    const auto describe = [impl = impl_.get()](store::TaskRecord record) {
        return impl->details(std::move(record));
    };
    std::make_shared<Listing>(*impl_->store, query, describe, std::move(done))->next_page();
}

}  // namespace distributo::coordinator::engine
