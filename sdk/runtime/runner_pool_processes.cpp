#include "runtime/runner_pool.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

/// After a process could not be started while others go on.
constexpr base::Duration start_pause = std::chrono::seconds(1);
/// After the successor of a process that was to be recycled could not be started.
constexpr base::Duration recycling_pause = std::chrono::minutes(1);
/// Single processes together, for each call that may run: one that runs it, one that is set up
/// meanwhile, one that takes its time to tear down.
constexpr std::size_t single_per_call = 3;

template <typename Number>
Number beyond(Number most, Number now) noexcept {
    return now > most ? now - most : 0;
}

bool same_types(const ModuleInfo& one, const ModuleInfo& other) {
    return std::ranges::equal(one.types, other.types, {}, &TypeInfo::name, &TypeInfo::name);
}

}  // namespace

RunnerPool::Process& RunnerPool::process_of(const ProcessRunner& runner) {
    return **std::ranges::find_if(all_,
                                  [&](const auto& one) { return one->runner.get() == &runner; });
}

std::unique_ptr<RunnerPool::Process> RunnerPool::take_out(const ProcessRunner& runner) {
    const auto place =
        std::ranges::find_if(all_, [&](const auto& one) { return one->runner.get() == &runner; });
    auto process = std::move(*place);
    all_.erase(place);
    for (const auto& other : all_)
        if (other->replaces == process.get())
            other->replaces = nullptr;
    return process;
}

// ---- starting --------------------------------------------------------------------------------

RunnerPool::Process& RunnerPool::start(Role role) {
    auto& process = *all_.emplace_back(std::make_unique<Process>());
    process.role = role;
    const auto threads = role == Role::shared ? slots_ : 1;
    process.runner = std::make_unique<ProcessRunner>(
        io_, options_, threads, static_cast<ProcessRunner::Owner&>(*this));
    return process;
}

/// How many processes of the role are to be started now.
std::size_t RunnerPool::missing(Role role) const {
    std::size_t alive = 0;    // all
    std::size_t open = 0;     // that take calls now or will do so
    std::size_t unready = 0;  // of these: that are being set up
    std::size_t running = 0;  // single: that have a call
    for (const auto& process : all_) {
        if (process->role != role)
            continue;
        ++alive;
        running += process->used && process->runner->open_calls() > 0 ? 1 : 0;
        if (process->draining || process->used || process->replaces)
            continue;
        ++open;
        unready += process->runner->up() ? 0 : 1;
    }
    const std::size_t waiting = waiting_[static_cast<std::size_t>(role)].size();
    switch (role) {
        case Role::shared:
            return waiting > 0 && open == 0 ? 1 : 0;
        case Role::exclusive:
            return std::min(beyond(unready, waiting), beyond<std::size_t>(open, processes_));
        case Role::single:
            break;
    }
    const auto next = std::min(waiting, beyond<std::size_t>(running, processes_));
    const auto spares =
        isolation_ != Isolation::task || stop_asked_
            ? 0
            : std::min<std::size_t>(std::clamp<std::size_t>(running + next, 1, processes_),
                                    options_.spares);
    return std::min(beyond(open, next + spares),
                    beyond(alive, single_per_call * std::size_t{processes_} + 1));
}

void RunnerPool::grow(Role role) {
    if (!known_ || given_up_ || told_gone_ || steady_clock::now() < no_start_before_)
        return;
    for (auto count = missing(role); count > 0; --count)
        start(role);
    watch();
}

void RunnerPool::on_ready(ProcessRunner& runner, const ModuleInfo& module) {
    const auto alive = alive_;
    Process& process = process_of(runner);
    process.was_ready = true;
    process.idle_since = steady_clock::now();
    process.ready = process.most = runner.usage().value_or(ProcessUsage());
    report({.kind = ProcessNews::Kind::ready, .setup = runner.setup_time()});
    if (!known_) {
        if (!know(process, module) || !*alive)
            return;
    } else if (!same_types(module, types_.module())) {
        end(process);
        return start_failed(process, "it offers other task types than before");
    }
    if (process.replaces)
        replace(*process.replaces);
    process.replaces = nullptr;
    serve(process.role);
    if (*alive)
        tend_soon();
    if (*alive)
        go_on();
}

/// The first process says what the plugin offers. False when it is not wanted any more.
bool RunnerPool::know(Process& process, const ModuleInfo& module) {
    types_.set(module);
    known_ = true;
    if (process.role == Role::shared && std::ranges::none_of(module.types, shares))
        process.role = Role::exclusive;
    const auto alive = alive_;
    if (!stop_asked_)
        events_.on_ready(as_reported(module, process.runner->setup_time()));
    if (!*alive)
        return false;
    release_early();
    return true;
}

/// With what all processes together can run.
ModuleInfo RunnerPool::as_reported(ModuleInfo module, base::Duration setup_time) const {
    for (auto& type : module.types) {
        if (isolation_ != Isolation::task) {
            if (!shares(type))
                type.max_concurrency = processes_;
            continue;
        }
        type.max_concurrency = processes_;
        type.max_batch = 1;
        type.async = false;  // the process is not free before its call has ended
        type.overhead_us =
            std::chrono::duration_cast<std::chrono::microseconds>(setup_time).count();
    }
    return module;
}

void RunnerPool::start_failed(const Process& process, const std::string& why) {
    report({.kind = ProcessNews::Kind::failed});
    if (!known_)
        return give_up(why);
    auto& alone = waiting_[static_cast<std::size_t>(Role::single)];
    if (isolation_ != Isolation::task && process.role == Role::single) {
        if (alone.empty())
            return;
        const CallId call = alone.front().id();
        alone.pop_front();
        return events_.on_unstartable(call, "cannot start a process for it alone: " + why);
    }
    const bool others = std::ranges::any_of(all_, [&](const auto& one) {
        return one.get() != &process && one->role == process.role && !one->draining;
    });
    if (!others)
        return give_up(why);
    no_start_before_ = steady_clock::now() + start_pause;
    watch();
}

// ---- ending ----------------------------------------------------------------------------------

void RunnerPool::end(Process& process) {
    process.draining = true;
    process.runner->stop();
}

/// After a call has ended: what is to become of its process.
void RunnerPool::settle(Process& process) {
    if (process.runner->open_calls() > 0 && !policy_.used_up(process.tasks))
        return;
    if (process.runner->open_calls() == 0) {
        process.idle_since = steady_clock::now();
        if (process.used || process.draining)
            return end(process);
    }
    if (process.role != Role::single && policy_.used_up(process.tasks))
        recycle(process, RecycleReason::tasks, process.most);
}

void RunnerPool::on_ended(ProcessRunner& runner, const ProcessRunner::Ending& ending) {
    using Kind = ProcessRunner::Ending::Kind;
    const auto alive = alive_;
    // It is on the call stack.
    const auto process = std::shared_ptr<Process>(take_out(runner));
    asio::post(io_, [process] {});
    if (process->replaces) {
        process->replaces->being_replaced = false;
        process->replaces->no_recycling_before = steady_clock::now() + recycling_pause;
    }
    switch (ending.kind) {
        case Kind::stopped:
            if (process->was_ready)
                report({.kind = ProcessNews::Kind::ended});
            last_words_ = ending.why;
            break;
        case Kind::failed:
            if (process->replaces)
                report({.kind = ProcessNews::Kind::failed});
            else
                start_failed(*process, ending.why);
            break;
        case Kind::killed:
            report({.kind = ProcessNews::Kind::killed});
            break;
        case Kind::crashed:
            report({.kind = ProcessNews::Kind::crashed});
            if (budget_.crashed(steady_clock::now(), ending.tasks))
                give_up("crashed " + std::to_string(CrashBudget::limit) +
                        " times in 60 s: " + ending.why);
            break;
    }
    if (!*alive)
        return;
    tend_soon();
    go_on();
}

void RunnerPool::stop() {
    if (told_gone_ || std::exchange(stop_asked_, true))
        return;
    flush();
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            go_on();
    });
}

/// After stop(), or when the pool has given up: ends what has nothing to do.
void RunnerPool::go_on() {
    if ((!stop_asked_ && !given_up_) || told_gone_ || !nothing_waits())
        return;
    for (const auto& process : all_)
        if (!process->draining && process->runner->open_calls() == 0)
            end(*process);
    if (all_.empty())
        gone(!given_up_.has_value(), given_up_.value_or(last_words_));
}

void RunnerPool::give_up(const std::string& why) {
    if (given_up_ || told_gone_)
        return;
    const auto alive = alive_;
    const bool wanted = !stop_asked_;
    given_up_ = why;
    abort_waiting("its plugin was given up: " + why);
    for (const auto& process : all_)
        if (process->runner->open_calls() == 0)
            end(*process);
    if (!all_.empty() && known_ && wanted)
        events_.on_giving_up(why);
    if (*alive)
        deliver();
}

void RunnerPool::gone(bool expected, const std::string& why) {
    if (std::exchange(told_gone_, true))
        return;
    timer_.cancel();
    events_.on_gone(expected, why);
}

// ---- recycling -------------------------------------------------------------------------------

void RunnerPool::recycle(Process& process, RecycleReason reason, const ProcessUsage& usage) {
    if (process.draining || process.being_replaced || stop_asked_ || given_up_ ||
        steady_clock::now() < process.no_recycling_before)
        return;
    process.being_replaced = true;
    process.reason = reason;
    process.why = describe(reason, process.ready, usage, process.tasks);
    start(process.role).replaces = &process;
}

/// The successor is ready.
void RunnerPool::replace(Process& old) {
    report({.kind = ProcessNews::Kind::recycled, .reason = old.reason, .why = old.why});
    old.being_replaced = false;
    old.draining = true;
    if (old.runner->open_calls() == 0)
        end(old);
}

void RunnerPool::measure(Process& process) {
    const auto usage = process.runner->usage();
    if (!usage)
        return;
    auto& most = process.most;
    report({.kind = ProcessNews::Kind::measured,
            .tasks = process.tasks - process.measured_tasks,
            .growth = {.memory = beyond(most.memory, usage->memory),
                       .descriptors = beyond(most.descriptors, usage->descriptors),
                       .threads = beyond(most.threads, usage->threads)}});
    process.measured_tasks = process.tasks;
    most.memory = std::max(most.memory, usage->memory);
    most.descriptors = std::max(most.descriptors, usage->descriptors);
    most.threads = std::max(most.threads, usage->threads);
    if (const auto reason = policy_.judge(process.ready, *usage, process.tasks))
        recycle(process, *reason, *usage);
}

// ---- housekeeping ----------------------------------------------------------------------------

/// Runs only while there is something to look after: an idle plugin costs no wake-ups.
void RunnerPool::watch() {
    if (told_gone_ || std::exchange(watching_, true))
        return;
    timer_.expires_after(options_.housekeeping);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive)
            return;
        watching_ = false;
        keep_house();
    });
}

void RunnerPool::keep_house() {
    const auto now = steady_clock::now();
    bool again = now < no_start_before_ || !nothing_waits();
    // Recycling adds processes at the end.
    for (std::size_t i = 0, count = all_.size(); i < count; ++i) {
        Process& process = *all_[i];
        if (process.role == Role::single || !process.runner->up())
            continue;
        again = again || process.runner->open_calls() > 0;
        if (process.tasks == process.measured_tasks)
            continue;
        again = true;
        measure(process);
    }
    end_idle(now);
    std::array<std::size_t, roles.size()> idle{};
    for (const auto& process : all_)
        again = again || (process->role != Role::shared &&
                          ++idle[static_cast<std::size_t>(process->role)] > 1);
    if (!again)
        return;
    tend_soon();
    watch();
}

/// Ends what has been idle for long, but for one process of each role.
void RunnerPool::end_idle(base::TimePoint now) {
    for (const Role role : {Role::exclusive, Role::single}) {
        std::vector<Process*> idle;
        std::size_t ready = 0;
        for (const auto& process : all_) {
            if (process->role != role || process->draining || process->used ||
                !process->runner->up())
                continue;
            ++ready;
            if (process->runner->open_calls() == 0 && !process->being_replaced &&
                now - process->idle_since >= options_.idle_time)
                idle.push_back(process.get());
        }
        if (idle.size() == ready && !idle.empty())
            idle.pop_back();
        for (Process* const process : idle)
            end(*process);
    }
}

}  // namespace distributo::runtime
