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
/// Of the process's error output, in the message about its end.
constexpr std::size_t error_lines_kept = 1000;

std::string seconds(base::Duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

ProcessRunner::ProcessRunner(asio::io_context& io,
                             const RunnerOptions& options,
                             std::uint32_t threads,
                             Owner& owner)
    : io_(io),
      options_(options),
      owner_(owner),
      calls_(io, *this),
      timer_(io),
      started_(steady_clock::now()) {
    start(std::max(threads, 1U));
}

ProcessRunner::~ProcessRunner() {
    *alive_ = false;
    process_.reset();
    std::error_code ignored;
    if (!work_dir_.empty())
        fs::remove_all(work_dir_, ignored);
}

void ProcessRunner::start(std::uint32_t threads) {
    auto started = RunnerProcess::start(io_,
                                        options_.runner_program,
                                        options_.library,
                                        threads + 1 + most_units,
                                        options_.sandbox,
                                        *this);
    if (!started) {
        asio::post(io_, [this, alive = alive_, why = started.error().message] {
            if (!*alive)
                return;
            state_ = State::gone;
            owner_.on_ended(*this, {.kind = Ending::Kind::failed, .why = why, .tasks = {}});
        });
        return;
    }
    process_ = std::move(*started);
    meter_ = ProcessMeter(process_->pid());  // before it gets its first frame, and confines itself
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

void ProcessRunner::execute(const ExecuteCall& call, std::uint16_t type, std::uint64_t task) {
    const auto grace = types_.grace(type, options_.cancel_grace);
    write_execute(out_, calls_.open(call.call, call.timeout, grace, task), type, call);
}

void ProcessRunner::install(const InstallCall& call, std::uint16_t type, std::uint64_t task) {
    const auto grace = types_.grace(type, options_.cancel_grace);
    write_install(out_, calls_.open(call.call, call.timeout, grace, task), type, call);
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
    kill({.why = "wrote something else than answers to descriptor 3", .its_fault = true}, SIGKILL);
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
    owner_.on_log(calls_.find(frame.header.id).value_or(0), stream, text);
}

void ProcessRunner::on_progress(Frame& frame) {
    const auto fraction = std::bit_cast<double>(frame.number());
    const auto text = frame.text();
    if (frame.bad)
        return protocol_broken();
    if (const auto call = calls_.find(frame.header.id))
        owner_.on_progress(*call, fraction, text);
}

void ProcessRunner::on_ready(Frame& frame) {
    auto module = read_ready(frame);
    if (!module || module->types.size() > 0xFFFF)
        return protocol_broken();
    if (state_ != State::starting)
        return;
    process_->complete(module->sandbox);
    timer_.cancel();
    state_ = State::up;
    setup_time_ = steady_clock::now() - started_;
    types_.set(std::move(*module));
    if (!stop_asked_)
        owner_.on_ready(*this, types_.module());
}

void ProcessRunner::deliver() {
    if (!results_.empty())
        owner_.on_results(*this, std::exchange(results_, {}));
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
    owner_.on_log(call.value_or(0), stream, text);
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

ProcessRunner::Ending ProcessRunner::ending_of(State before,
                                               const ProcessEnd& end,
                                               std::string how) const {
    using Kind = Ending::Kind;
    const bool by_itself = !killed_ || killed_->its_fault;
    if (before == State::stopping)
        return {Kind::stopped, end.text() == ProcessEnd().text() ? std::string() : how, {}};
    if (before != State::starting)
        return {by_itself ? Kind::crashed : Kind::killed, std::move(how), {}};
    if (stop_asked_)
        return {Kind::stopped, {}, {}};
    if (!failure_.empty())
        return {Kind::failed, failure_, {}};
    return {Kind::failed, by_itself ? "crashed while loading: " + how : std::move(how), {}};
}

void ProcessRunner::on_ended(const ProcessEnd& end) {
    const auto alive = alive_;
    timer_.cancel();
    calls_.disarm();
    const std::string how = how_it_ended(end);
    auto ending = ending_of(state_, end, how);
    if (ending.kind == Ending::Kind::crashed)
        for (const auto ticket : executing())
            if (const auto task = calls_.task_of(ticket))  // not of a probe
                ending.tasks.push_back(task);
    close_all(end, how);
    process_.reset();
    meter_ = {};
    std::error_code ignored;
    fs::remove_all(work_dir_, ignored);
    work_dir_.clear();
    state_ = State::gone;
    deliver();
    if (*alive)
        owner_.on_ended(*this, ending);
}

void ProcessRunner::stop() {
    if (state_ == State::gone || std::exchange(stop_asked_, true))
        return;
    flush();
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            go_on();
    });
}

/// After stop(): ends the process as soon as no call is open.
void ProcessRunner::go_on() {
    if (!stop_asked_ || calls_.size() > 0 || state_ == State::stopping || state_ == State::gone)
        return;
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

}  // namespace distributo::runtime
