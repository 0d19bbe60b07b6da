#include "base/ids.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <utility>

namespace distributo::coordinator::engine {

using base::Errc;

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

base::Result<void> Engine::Impl::check_store() const {
    if (!healthy)
        return store_failed();
    // One request may be larger than that, or it could never be made.
    if (unstored_tasks >= settings.max_unstored_tasks ||
        unstored_bytes >= settings.max_unstored_bytes)
        return base::error(Errc::limit,
                           "the disk does not keep up: " + std::to_string(unstored_tasks) +
                               " tasks wait to become durable",
                           "submit again in a moment");
    return {};
}

base::Result<void> Engine::Impl::check_submit(const std::vector<Submit>& items) {
    if (auto keeps_up = check_store(); !keeps_up)
        return keeps_up;
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

void Engine::Impl::submit(std::vector<Submit> items,
                          std::optional<IdempotencyKey> key,
                          Done<std::vector<Submitted>> done) {
    if (auto checked = check_submit(items); !checked)
        return refuse(std::move(done), checked.error());
    event();
    Group group{std::move(done), {}, false};
    group.answers.reserve(items.size());
    const auto first = open.submits.size();
    if (open.submits.empty()) {
        open.submits.reserve(items.size());
        boarding.tasks.reserve(items.size());
    }
    for (auto& item : items) {
        if (number_is_taken(item.options.get())) {
            const auto number = base::parse_number_text(item.options->given_id);
            group.answers.push_back({Submitted::Kind::conflict, false, number.value_or(0)});
            continue;
        }
        const auto id =
            board(intern(item.type), std::move(item.payload), std::move(item.options), {});
        group.answers.push_back({Submitted::Kind::created, false, id});
    }
    if (key && open.submits.size() > first) {
        group.repeatable = true;
        open.submissions.push_back({std::move(key->key),
                                    std::move(key->content),
                                    first,
                                    open.submits.size() - first,
                                    moment.wall});
    }
    boarding.groups.push_back(std::move(group));
}

TaskId Engine::Impl::board(std::string_view type,
                           base::Bytes payload,
                           std::shared_ptr<const core::TaskOptions> options,
                           const Origin& origin) {
    core::NewTask task;
    task.id = allot();
    task.type = type;
    task.payload = std::move(payload);
    task.created = moment.wall;
    task.options = std::move(options);
    task.parent = origin.parent;
    task.generator = origin.generator;
    if (origin.generator != 0)
        ++unstored_of[origin.generator];
    boarding.bytes += task.payload.size();
    unstored_bytes += task.payload.size();
    ++unstored_tasks;
    boarding.tasks.push_back(task);
    open.submits.push_back(std::move(task));
    return boarding.tasks.back().id;
}

void Engine::Impl::take_in(Flight& flight, const store::Committed& committed) {
    const auto now = clock.now();
    const auto wall = clock.wall();
    auto duplicate = committed.duplicates.begin();
    auto stillborn = flight.stillborn.begin();
    for (std::size_t i = 0; i < flight.tasks.size(); ++i) {
        if (const auto generator = flight.tasks[i].generator; generator != 0)
            --unstored_of[generator];
        const bool ended = stillborn != flight.stillborn.end() && *stillborn == i;
        stillborn += ended ? 1 : 0;
        if (duplicate != committed.duplicates.end() && duplicate->index == i)
            ++duplicate;
        else if (!ended && !(committed.submits_refused && flight.tasks[i].parent == 0))
            scheduler->add(std::move(flight.tasks[i]), now, wall);
    }
}

void Engine::Impl::answer(Flight& flight, const store::Committed& committed) const {
    std::size_t stored = 0;
    std::size_t submission = 0;
    auto duplicate = committed.duplicates.begin();
    auto replay = committed.replays.begin();
    for (auto& group : flight.groups) {
        bool refused = group.feeds && committed.submits_refused;
        for (auto& one : group.answers) {
            if (one.kind == Submitted::Kind::conflict)
                continue;
            if (duplicate != committed.duplicates.end() && duplicate->index == stored) {
                one.kind =
                    duplicate->identical ? Submitted::Kind::repeated : Submitted::Kind::conflict;
                one.id = duplicate->existing;
                ++duplicate;
            } else {
                refused |= committed.submits_refused && flight.tasks[stored].parent == 0;
            }
            ++stored;
        }
        const bool replayed =
            group.repeatable && replay != committed.replays.end() && replay->index == submission;
        submission += group.repeatable ? 1 : 0;
        if (replayed && !(replay++)->same_content)
            group.done(base::error(Errc::conflict,
                                   "this Idempotency-Key was used for other tasks",
                                   "use a new key for every request that is not a repeat"));
        else if (refused)
            group.done(base::error(Errc::no_space,
                                   "the disk of the coordinator is full; nothing was stored",
                                   "free some space there, then submit again"));
        else {
            for (auto& one : group.answers)
                one.replayed = replayed;
            group.done(std::move(group.answers));
        }
    }
}

void Engine::submit(std::vector<Submit> items, Done<std::vector<Submitted>> done) {
    impl_->submit(std::move(items), std::nullopt, std::move(done));
}

void Engine::submit(std::vector<Submit> items,
                    std::optional<IdempotencyKey> key,
                    Done<std::vector<Submitted>> done) {
    impl_->submit(std::move(items), std::move(key), std::move(done));
}

}  // namespace distributo::coordinator::engine
