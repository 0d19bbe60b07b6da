#include "coordinator/engine/engine_impl.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::engine {

using wire::TaskState;

namespace {

/// Until their extensions say what they want, everything is kept that any of them could.
std::uint64_t needed_by(const std::vector<core::ExtensionRecord>& extensions,
                        const std::vector<core::Cursor>& cursors) {
    std::uint64_t needed = ~std::uint64_t{0};
    for (const auto& cursor : cursors) {
        const auto owner =
            std::ranges::find(extensions, cursor.extension, &core::ExtensionRecord::number);
        if (owner != extensions.end() && !owner->removed)
            needed = std::min(needed, cursor.sequence);
    }
    return needed;
}

Fed fed(const std::vector<Submitted>& stored) {
    Fed result;
    for (const auto& one : stored)
        ++(one.kind == Submitted::Kind::created ? result.created : result.duplicates);
    return result;
}

}  // namespace

void Engine::Impl::know_extensions(std::vector<core::ExtensionRecord> extensions,
                                   std::vector<core::Cursor> cursors) {
    known_extensions = std::move(extensions);
    known_cursors = std::move(cursors);
    std::ranges::sort(known_extensions, {}, &core::ExtensionRecord::number);
    for (const auto& extension : known_extensions)
        last_extension = std::max(last_extension, extension.number);
    retention.needed_after = needed_by(known_extensions, known_cursors);
}

void Engine::Impl::know(const core::ExtensionRecord& extension) {
    const auto place = std::ranges::lower_bound(
        known_extensions, extension.number, {}, &core::ExtensionRecord::number);
    if (place != known_extensions.end() && place->number == extension.number)
        *place = extension;
    else
        known_extensions.insert(place, extension);
}

base::Result<void> Engine::Impl::check_feed(const std::vector<FollowUp>& tasks) const {
    if (auto keeps_up = check_store(); !keeps_up)
        return keeps_up;
    std::uint64_t bytes = 0;
    for (const auto& task : tasks)
        bytes += task.payload.size();
    return scheduler->check_room(unstored_tasks + tasks.size(), unstored_bytes + bytes);
}

void Engine::Impl::feed(Feed feed, Done<Fed> done) {
    std::vector<FollowUp> tasks;
    if (!feed.tasks.empty())
        tasks = read_follow_ups(feed.tasks, {max_feed, std::move(feed.group)});
    if (auto checked = check_feed(tasks); !checked)
        return refuse(std::move(done), checked.error());
    event();
    auto boarded = board_all(std::move(tasks), {0, feed.cursor.extension});
    boarded.faulty += boarded.lost.size();
    if (boarded.fault.empty() && !boarded.lost.empty())
        boarded.fault = "task of a generator: " + boarded.lost.front();
    feed.cursor.feeds = true;
    open.cursors.push_back(std::move(feed.cursor));
    Group group;
    group.feeds = true;
    group.answers = std::move(boarded.answers);
    group.done = [faulty = boarded.faulty,
                  fault = std::move(boarded.fault),
                  done = std::move(done)](base::Result<std::vector<Submitted>> stored) {
        if (!stored)
            return done(stored.error());
        Fed result = fed(*stored);
        result.faulty = faulty;
        result.fault = fault;
        done(std::move(result));
    };
    boarding.groups.push_back(std::move(group));
}

GeneratorLoad Engine::Impl::load_of(core::ExtensionNumber generator) const {
    const auto live = scheduler->live_of_generator(generator);
    GeneratorLoad load;
    load.running = live[TaskState::running] + live[TaskState::cancelling];
    load.waiting = live.total() - load.running;
    if (const auto found = unstored_of.find(generator); found != unstored_of.end())
        load.waiting += found->second;
    return load;
}

void Engine::Impl::wake_generators() {
    for (auto watch = load_watches.begin(); watch != load_watches.end();) {
        if (load_of(watch->first).waiting >= watch->second.level) {
            ++watch;
            continue;
        }
        later(std::move(watch->second.call));
        watch = load_watches.erase(watch);
    }
}

const std::vector<core::ExtensionRecord>& Engine::known_extensions() const noexcept {
    return impl_->known_extensions;
}

const core::ExtensionRecord* Engine::extension(core::ExtensionNumber number) const noexcept {
    const auto& known = impl_->known_extensions;
    const auto found = std::ranges::lower_bound(known, number, {}, &core::ExtensionRecord::number);
    return found != known.end() && found->number == number ? &*found : nullptr;
}

const std::vector<core::Cursor>& Engine::known_cursors() const noexcept {
    return impl_->known_cursors;
}

void Engine::keep_extension(core::ExtensionRecord record, Done<core::ExtensionNumber> done) {
    Impl& s = *impl_;
    if (!s.healthy)
        return s.refuse(std::move(done), s.store_failed());
    s.event();
    if (record.number == 0)
        record.number = ++s.last_extension;
    s.know(record);
    s.boarding.afterwards.push_back(
        [number = record.number, done = std::move(done)](base::Result<void> kept) {
            kept ? done(number) : done(kept.error());
        });
    s.open.extensions.push_back(std::move(record));
}

void Engine::keep_cursor(core::Cursor cursor, Done<void> done) {
    Impl& s = *impl_;
    if (!s.healthy)
        return s.refuse(std::move(done), s.store_failed());
    s.event();
    cursor.feeds = false;
    s.open.cursors.push_back(std::move(cursor));
    s.boarding.afterwards.push_back(std::move(done));
}

void Engine::feed(Feed feed, Done<Fed> done) {
    impl_->feed(std::move(feed), std::move(done));
}

GeneratorLoad Engine::load_of(core::ExtensionNumber generator) const {
    return impl_->load_of(generator);
}

void Engine::when_waiting_below(core::ExtensionNumber generator,
                                std::uint64_t level,
                                std::function<void()> call) {
    if (!call) {
        impl_->load_watches.erase(generator);
        return;
    }
    impl_->load_watches.insert_or_assign(generator, Impl::LoadWatch{level, std::move(call)});
    impl_->event();
}

void Engine::keep_outcomes_after(std::uint64_t sequence) {
    impl_->retention.needed_after = sequence;
}

}  // namespace distributo::coordinator::engine
