#include "runtime/runner_pool.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;

/// Calls of a type that is not reentrant are sent ahead to a process when that many microseconds
/// of work wait there; longer ones stay here until a process is free.
constexpr double sent_ahead_us = 2'000;
constexpr double most_sent_ahead = 256;
constexpr std::uint32_t samples_needed = 8;
constexpr double weight_of_sample = 1.0 / 16;

std::uint64_t number_of(std::string_view task) noexcept {
    return std::hash<std::string_view>{}(task);
}

std::uint32_t most_processes(const RunnerOptions& options) noexcept {
    const auto slots = std::max(options.threads, 1U);
    return options.processes == 0 ? slots : std::min(options.processes, slots);
}

}  // namespace

CallId RunnerPool::Waiting::id() const noexcept {
    return std::visit([](const auto& one) { return one.call; }, call);
}

RunnerPool::RunnerPool(asio::io_context& io,
                       Isolation isolation,
                       RunnerOptions options,
                       RunnerEvents& events)
    : io_(io),
      isolation_(isolation),
      options_(std::move(options)),
      slots_(std::max(options_.threads, 1U)),
      processes_(most_processes(options_)),
      events_(events),
      policy_(options_.recycle),
      timer_(io) {
    start(isolation == Isolation::task ? Role::single : Role::shared);
}

RunnerPool::~RunnerPool() {
    *alive_ = false;
}

// ---- taking ----------------------------------------------------------------------------------

template <typename Call>
void RunnerPool::take(Call&& call, bool alone) {
    if (stop_asked_ || given_up_ || told_gone_)
        return refuse(
            call.call, CallResult::Status::aborted, "the plugin was stopped before the call");
    if (!known_) {
        early_.push_back({std::forward<Call>(call), alone});
        return;
    }
    const auto type = types_.find(call.type);
    if (!type)
        return refuse(call.call,
                      CallResult::Status::permanent,
                      "the plugin " + types_.module().name + " has no task type " + call.type);
    const Role role = alone ? Role::single : role_of(*type);
    if (!alone && waiting_[static_cast<std::size_t>(role)].empty())
        if (Process* const process = free_process(role))
            return give(*process, call, *type);
    wait({std::forward<Call>(call), alone, *type}, role);
}

void RunnerPool::execute(ExecuteCall call) {
    take(std::move(call), false);
}

void RunnerPool::execute_alone(ExecuteCall call) {
    take(std::move(call), true);
}

void RunnerPool::install(InstallCall call) {
    take(std::move(call), false);
}

void RunnerPool::probe(CallId call) {
    take(ProbeCall{.call = call, .type = known_ ? types_.module().types.front().name : ""}, false);
}

void RunnerPool::wait(Waiting&& call, Role role) {
    waiting_[static_cast<std::size_t>(role)].push_back(std::move(call));
    tend_soon();
}

/// Looks after everything that waits, in a turn of its own: events must not come from inside a call
/// into the runner.
void RunnerPool::tend_soon() {
    if (std::exchange(tending_, true))
        return;
    asio::post(io_, [this, alive = alive_] {
        if (!*alive)
            return;
        tending_ = false;
        for (const Role role : roles) {
            serve(role);
            if (!*alive)
                return;
            grow(role);
        }
    });
}

void RunnerPool::release_early() {
    for (auto& call : std::exchange(early_, {})) {
        const bool alone = call.alone;
        std::visit([&](auto& one) { take(std::move(one), alone); }, call.call);
    }
    flush();
}

void RunnerPool::cancel(CallId call) {
    for (const auto& process : all_)
        process->runner->cancel(call);
    const auto is_it = [&](const Waiting& one) { return one.id() == call; };
    std::size_t found = std::erase_if(early_, is_it);
    for (auto& queue : waiting_)
        found += std::erase_if(queue, is_it);
    if (found != 0)
        refuse(call, CallResult::Status::cancelled, "cancelled before it started");
}

void RunnerPool::flush() {
    for (const auto& process : all_)
        process->runner->flush();
}

void RunnerPool::refuse(CallId call, CallResult::Status status, std::string message) {
    CallResult result;
    result.call = call;
    result.status = status;
    result.message = std::move(message);
    results_.push_back(std::move(result));
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            deliver();
    });
}

void RunnerPool::deliver() {
    const auto alive = alive_;
    if (!results_.empty())
        events_.on_results(std::exchange(results_, {}));
    if (*alive)
        go_on();
}

void RunnerPool::abort_waiting(const std::string& why) {
    const auto abort = [&](const Waiting& call) {
        CallResult result;
        result.call = call.id();
        result.status = CallResult::Status::aborted;
        result.message = why;
        results_.push_back(std::move(result));
    };
    std::ranges::for_each(std::exchange(early_, {}), abort);
    for (auto& queue : waiting_)
        std::ranges::for_each(std::exchange(queue, {}), abort);
}

bool RunnerPool::nothing_waits() const noexcept {
    return early_.empty() && results_.empty() &&
           std::ranges::all_of(waiting_, [](const auto& queue) { return queue.empty(); });
}

// ---- giving ----------------------------------------------------------------------------------

RunnerPool::Role RunnerPool::role_of(std::uint16_t type) const {
    if (isolation_ == Isolation::task)
        return Role::single;
    return shares(types_.module().types[type]) ? Role::shared : Role::exclusive;
}

/// That may be sent to one exclusive process, running and queued ones together.
std::size_t RunnerPool::most_calls() const noexcept {
    if (samples_ < samples_needed || mean_us_ >= sent_ahead_us)
        return 1;
    return static_cast<std::size_t>(
        std::clamp(sent_ahead_us / std::max(mean_us_, 1.0), 1.0, most_sent_ahead));
}

void RunnerPool::learn(const std::vector<CallResult>& results) noexcept {
    for (const auto& result : results) {
        if (result.status > CallResult::Status::permanent)
            continue;
        samples_ = std::min(samples_ + 1, samples_needed);
        mean_us_ += (static_cast<double>(result.elapsed_us) - mean_us_) * weight_of_sample;
    }
}

RunnerPool::Process* RunnerPool::free_process(Role role) {
    Process* best = nullptr;
    std::size_t running = 0;
    const std::size_t most = role == Role::exclusive ? most_calls() : 0;
    for (const auto& process : all_) {
        if (process->role != role)
            continue;
        running += process->used && process->runner->open_calls() > 0 ? 1 : 0;
        if (process->draining || process->used || !process->runner->up())
            continue;
        if (role == Role::shared)
            return process.get();
        const auto open = process->runner->open_calls();
        if (role == Role::exclusive && open >= most)
            continue;
        if (!best || open < best->runner->open_calls())
            best = process.get();
    }
    return role == Role::single && running >= processes_ ? nullptr : best;
}

void RunnerPool::give(Process& process, const ExecuteCall& call, std::uint16_t type) {
    process.runner->execute(call, type, number_of(call.task_id));
    given(process);
}

void RunnerPool::give(Process& process, const InstallCall& call, std::uint16_t type) {
    process.runner->install(call, type, number_of(call.content_key));
    given(process);
}

void RunnerPool::give(Process& process, const ProbeCall& call, std::uint16_t) {
    process.runner->probe(call.call);
    given(process);
}

void RunnerPool::given(Process& process) {
    watch();
    if (process.role != Role::single)
        return;
    process.used = true;
    tend_soon();  // the next spare
}

void RunnerPool::serve(Role role) {
    auto& queue = waiting_[static_cast<std::size_t>(role)];
    const auto alive = alive_;
    while (!queue.empty()) {
        Process* const process = free_process(role);
        if (!process)
            return;
        const Waiting call = std::move(queue.front());
        queue.pop_front();
        std::visit([&](const auto& one) { give(*process, one, call.type); }, call.call);
        process->runner->flush();
        if (call.alone)
            events_.on_started(call.id());
        if (!*alive)
            return;
    }
}

// ---- what the processes say ------------------------------------------------------------------

void RunnerPool::on_results(ProcessRunner& runner, std::vector<CallResult> results) {
    const auto alive = alive_;
    Process& process = process_of(runner);
    process.tasks += results.size();
    if (process.role == Role::exclusive)
        learn(results);
    events_.on_results(std::move(results));
    if (!*alive)
        return;
    settle(process);
    serve(process.role);
    if (!*alive)
        return;
    if (!waiting_[static_cast<std::size_t>(process.role)].empty())
        tend_soon();
    go_on();
}

void RunnerPool::on_log(CallId call, std::string_view stream, std::string_view text) {
    events_.on_log(call, stream, text);
}

void RunnerPool::on_capabilities_changed() {
    events_.on_capabilities_changed();
}

void RunnerPool::on_progress(CallId call, double fraction, std::string_view text) {
    events_.on_progress(call, fraction, text);
}

}  // namespace distributo::runtime
