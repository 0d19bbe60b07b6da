#include "runtime/process_runner.hpp"

#include "runtime/frame_messages.hpp"
#include "runtime/utf8.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <bit>
#include <csignal>
#include <utility>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using std::chrono::steady_clock;

/// Between SIGTERM and SIGKILL.
constexpr base::Duration term_time = std::chrono::milliseconds(300);
constexpr std::size_t crash_limit = 3;
constexpr base::Duration crash_window = std::chrono::seconds(60);
/// Of the process's error output, in the message about its end.
constexpr std::size_t error_lines_kept = 1000;

std::string seconds(base::Duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

ProcessRunner::ProcessRunner(asio::io_context& io, RunnerOptions options, RunnerEvents& events)
    : io_(io), options_(std::move(options)), events_(events), calls_(io, *this), timer_(io) {
    start(State::starting);
}

ProcessRunner::~ProcessRunner() {
    *alive_ = false;
    process_.reset();
    std::error_code ignored;
    if (!work_dir_.empty())
        fs::remove_all(work_dir_, ignored);
}

template <typename Function>
void ProcessRunner::later(Function function) {
    asio::post(io_, [alive = alive_, function = std::move(function)] {
        if (*alive)
            function();
    });
}

void ProcessRunner::start(State state) {
    state_ = state;
    killed_.reset();
    failure_.clear();
    error_lines_.clear();
    const std::uint32_t threads = std::max(options_.threads, 1U);
    auto started = RunnerProcess::start(io_,
                                        options_.runner_program,
                                        options_.library,
                                        threads + 1 + most_units,
                                        options_.sandbox,
                                        *this);
    if (!started)
        return later([this, why = started.error().message] { gone(false, why); });
    process_ = std::move(*started);
    work_dir_ = options_.work_root / std::to_string(process_->pid());

    std::string frame;
    write_start(frame,
                {.library = options_.library.string(),
                 .setup = {.data_dir = options_.data_dir,
                           .work_root = work_dir_,
                           .host_id = options_.host_id,
                           .config = options_.config,
                           .threads = threads},
                 .sandbox = options_.sandbox});
    process_->send(frame);
    timer_.expires_after(options_.setup_timeout);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive)
            kill({.why = "setup took longer than " + seconds(options_.setup_timeout)}, SIGKILL);
    });
}

// ---- calls -----------------------------------------------------------------------------------

std::optional<std::uint16_t> ProcessRunner::type_index(const std::string& type, CallId call) {
    if (state_ == State::gone || stop_asked_) {
        refuse(call, CallResult::Status::aborted, "the plugin was stopped before the call");
        return std::nullopt;
    }
    const auto found = types_.find(type);
    if (!found)
        refuse(call,
               CallResult::Status::permanent,
               "the plugin " + types_.module().name + " has no task type " + type);
    return found;
}

void ProcessRunner::refuse(CallId call, CallResult::Status status, std::string message) {
    CallResult result;
    result.call = call;
    result.status = status;
    result.message = std::move(message);
    results_.push_back(std::move(result));
    later([this] { deliver(); });
}

void ProcessRunner::accepted() {
    if (state_ == State::down)
        start(State::restarting);
}

void ProcessRunner::execute(ExecuteCall call) {
    const auto type = type_index(call.type, call.call);
    if (!type)
        return;
    const auto grace = types_.grace(*type, options_.cancel_grace);
    write_execute(out_, calls_.open(call.call, call.timeout, grace), *type, call);
    accepted();
}

void ProcessRunner::install(InstallCall call) {
    const auto type = type_index(call.type, call.call);
    if (!type)
        return;
    const auto grace = types_.grace(*type, options_.cancel_grace);
    write_install(out_, calls_.open(call.call, call.timeout, grace), *type, call);
    accepted();
}

void ProcessRunner::cancel(CallId call) {
    calls_.cancel(call);
}

void ProcessRunner::ask_to_end(OpenCalls::Ticket call) {
    FrameWriter(out_, {.size = 0, .kind = FrameKind::cancel, .status = 0, .type = 0, .id = call});
    flush();
}

void ProcessRunner::flush() {
    if (state_ == State::up && !out_.empty())
        process_->send(out_);
}

std::span<const CallSlot> ProcessRunner::slots() const {
    return process_ ? process_->slots() : std::span<const CallSlot>();
}

// ---- what the process says -------------------------------------------------------------------

void ProcessRunner::on_frames(FrameBuffer& frames) {
    const auto alive = alive_;
    Frame frame;
    while (frames.next(frame)) {
        on_frame(frame);
        if (!*alive)
            return;
    }
    if (frames.corrupt())
        protocol_broken();
    deliver();
    if (*alive)
        go_on();
}

void ProcessRunner::on_frame(Frame& frame) {
    switch (frame.header.kind) {
        case FrameKind::result:
            return on_result(frame);
        case FrameKind::log:
            return on_log(frame);
        case FrameKind::progress:
            return on_progress(frame);
        case FrameKind::ready:
            return on_ready(frame);
        case FrameKind::failed:
            failure_ = frame.text();
            return;
        case FrameKind::stopped:
            return;  // it exits next
        default:
            return on_service_frame(frame);
    }
}

void ProcessRunner::protocol_broken() {
    kill({.why = "wrote something else than answers to descriptor 3"}, SIGKILL);
}

void ProcessRunner::on_result(Frame& frame) {
    auto result = read_result(frame);
    if (!result)
        return protocol_broken();
    const auto ticket = result->call;
    if (calls_.close(ticket, *result))
        results_.push_back(std::move(*result));
}

void ProcessRunner::on_log(Frame& frame) {
    const auto stream = frame.text();
    const auto text = frame.text();
    if (frame.bad)
        return protocol_broken();
    if (stream == "stderr") {
        error_lines_ += text;
        error_lines_ += '\n';
        if (error_lines_.size() > 2 * error_lines_kept)
            error_lines_.erase(0, error_lines_.size() - error_lines_kept);
    }
    events_.on_log(calls_.find(frame.header.id).value_or(0), stream, text);
}

void ProcessRunner::on_progress(Frame& frame) {
    const auto fraction = std::bit_cast<double>(frame.number());
    const auto text = frame.text();
    if (frame.bad)
        return protocol_broken();
    if (const auto call = calls_.find(frame.header.id))
        events_.on_progress(*call, fraction, text);
}

void ProcessRunner::on_ready(Frame& frame) {
    auto module = read_ready(frame);
    if (!module || module->types.size() > 0xFFFF)
        return protocol_broken();
    process_->complete(module->sandbox);
    timer_.cancel();
    const bool first = state_ == State::starting;
    if (state_ != State::starting && state_ != State::restarting)
        return;
    state_ = State::up;
    types_.set(std::move(*module));
    flush();
    if (first && !stop_asked_)
        events_.on_ready(types_.module());
}

void ProcessRunner::deliver() {
    if (!results_.empty())
        events_.on_results(std::exchange(results_, {}));
}

// ---- the end of a process --------------------------------------------------------------------

void ProcessRunner::kill(Killed reason, int signal) {
    if (!process_ || killed_)
        return;
    killed_ = std::move(reason);
    process_->signal(signal);
    if (signal != SIGKILL)
        kill_later(term_time);
}

void ProcessRunner::kill_later(base::Duration delay) {
    timer_.expires_after(delay);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive && process_)
            process_->signal(SIGKILL);
    });
}

void ProcessRunner::on_overdue(OpenCalls::Ticket call) {
    const bool timed_out = calls_.ending(call) == OpenCalls::Ending::timed_out;
    kill({.why = timed_out ? "a call ran past its limit and did not end when it was asked to"
                           : "a cancelled call did not end within its grace time",
          .call = call},
         SIGTERM);
}

void ProcessRunner::on_last_words(std::string_view stream, std::string_view text) {
    const auto running = executing();
    if (stream == "stderr") {
        error_lines_ += text;
        error_lines_ += '\n';
    }
    const auto call = running.empty() ? std::nullopt : calls_.find(newest_call(slots()));
    events_.on_log(call.value_or(0), stream, text);
}

std::vector<OpenCalls::Ticket> ProcessRunner::executing() const {
    std::vector<OpenCalls::Ticket> running;
    for (const auto& slot : slots())
        if (const auto found = look_at(slot); found.call != 0 && calls_.find(found.call))
            running.push_back(found.call);
    return running;
}

std::string ProcessRunner::how_it_ended(const ProcessEnd& end) const {
    std::string how = end.text();
    if (killed_)
        how = killed_->why;
    else if (end.signal == SIGKILL && end.cause.empty() && process_->hung_up())
        how = "closed descriptor 3, its connection to the host";
    else if (end.signal == SIGABRT)
        how = "aborted (SIGABRT)" + (end.hint.empty() ? "" : ", " + end.hint);
    else if (end.signal == 0)
        how += " without answering";
    if (killed_ || error_lines_.empty())
        return how;
    std::string_view last = error_lines_;
    last.remove_suffix(1);
    if (last.size() > error_lines_kept)
        last.remove_prefix(last.size() - error_lines_kept);
    return how + "; stderr: " + std::string(last);
}

/// Every open call gets its result: the one that is to blame, those that may be, and the others.
void ProcessRunner::close_all(const ProcessEnd& end, const std::string& how) {
    const auto running = executing();
    const base::TimePoint now = steady_clock::now();
    for (const auto ticket : calls_.tickets()) {
        CallResult result;
        const bool ran = std::find(running.begin(), running.end(), ticket) != running.end();
        result.status = CallResult::Status::aborted;
        if (killed_) {
            if (killed_->call == ticket)
                result.status = CallResult::Status::cancelled;
            result.message = "its process was ended: " + killed_->why;
        } else if (ran && running.size() == 1) {
            result.status = CallResult::Status::crashed;
            result.message = "plugin crashed: " + how;
        } else if (ran) {
            result.suspect = true;
            result.message = "its process died (" + end.text() + ") while " +
                             std::to_string(running.size()) + " calls ran; each runs alone now";
        } else {
            result.message = "its process died (" + end.text() + ") before it started";
        }
        for (const auto& slot : slots())
            if (const auto found = look_at(slot); found.call == ticket)
                result.elapsed_us = (now - found.started).count() / 1000;
        if (calls_.close(ticket, result))
            results_.push_back(std::move(result));
    }
}

bool ProcessRunner::crashed_too_often() {
    const base::TimePoint now = steady_clock::now();
    crashes_.push_back(now);
    while (now - crashes_.front() > crash_window)
        crashes_.pop_front();
    return crashes_.size() >= crash_limit;
}

void ProcessRunner::on_ended(const ProcessEnd& end) {
    const auto alive = alive_;
    const auto before = state_;
    timer_.cancel();
    const std::string how = how_it_ended(end);
    close_all(end, how);
    const bool loading = before == State::starting || before == State::restarting;
    const bool by_itself = !killed_;
    const std::string failure = std::move(failure_);
    process_.reset();
    std::error_code ignored;
    fs::remove_all(work_dir_, ignored);
    work_dir_.clear();
    out_.clear();

    const bool too_often = by_itself && before == State::up && crashed_too_often();
    // Whoever gets the results may make new calls: only if we go on do these start a process.
    state_ = loading || too_often ? State::gone : State::down;
    deliver();
    if (!*alive)
        return;
    if (stop_asked_ && !process_)
        return gone(true,
                    before == State::stopping && end.text() != ProcessEnd().text() ? how : "");
    if (loading)
        return gone(false,
                    !failure.empty() ? failure
                    : by_itself      ? "crashed while loading: " + how
                                     : how);
    if (too_often)
        return gone(false, "crashed 3 times in 60 s: " + how);
}

void ProcessRunner::stop() {
    if (state_ == State::gone || stop_asked_)
        return;
    stop_asked_ = true;
    flush();
    later([this] { go_on(); });
}

/// After stop(): ends the process as soon as no call is open.
void ProcessRunner::go_on() {
    if (!stop_asked_ || calls_.size() > 0 || state_ == State::stopping || state_ == State::gone)
        return;
    if (state_ == State::down)
        return gone(true, {});
    if (state_ != State::up)
        return kill({.why = "stopped before it was ready"}, SIGKILL);
    state_ = State::stopping;
    FrameWriter(out_, {.size = 0, .kind = FrameKind::stop, .status = 0, .type = 0, .id = 0});
    process_->send(out_);
    timer_.expires_after(options_.cancel_grace);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive)
            kill({.why = "teardown took longer than " + seconds(options_.cancel_grace)}, SIGKILL);
    });
}

void ProcessRunner::gone(bool expected, const std::string& why) {
    if (std::exchange(told_gone_, true))
        return;
    const auto alive = alive_;
    state_ = State::gone;
    calls_.disarm();
    timer_.cancel();
    // Calls that were waiting for a process that could not be started.
    for (const auto ticket : calls_.tickets()) {
        CallResult result;
        result.status = CallResult::Status::aborted;
        result.message = "the plugin's process cannot be started: " + why;
        if (calls_.close(ticket, result))
            results_.push_back(std::move(result));
    }
    deliver();
    if (*alive)
        events_.on_gone(expected, why);
}

}  // namespace distributo::runtime
