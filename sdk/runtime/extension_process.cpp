#include "runtime/extension_process.hpp"

#include "runtime/frame_messages.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

/// Of the process's error output, in the message about its end.
constexpr std::size_t error_lines_kept = 1000;

std::string text_of(base::Duration time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

void keep_last(std::string& lines, std::string_view text) {
    lines.append(text) += '\n';
    if (lines.size() > error_lines_kept)
        lines.erase(0, lines.size() - error_lines_kept);
}

}  // namespace

ExtensionProcess::ExtensionProcess(asio::io_context& io,
                                   ExtensionRunnerOptions options,
                                   ExtensionEvents& events)
    : io_(io), options_(std::move(options)), events_(events), timer_(io) {
    start();
}

ExtensionProcess::~ExtensionProcess() {
    *alive_ = false;
    process_.reset();
    std::error_code ignored;
    if (!work_dir_.empty())
        fs::remove_all(work_dir_, ignored);
}

void ExtensionProcess::start() {
    constexpr std::size_t slots = 2;  // none of them is used: calls do not overlap
    auto started = RunnerProcess::start(
        io_, options_.runner_program, options_.library, slots, options_.sandbox, *this);
    if (!started) {
        asio::post(io_, [this, alive = alive_, why = started.error().message] {
            if (!*alive)
                return;
            state_ = State::gone;
            events_.on_gone(false, why);
        });
        return;
    }
    process_ = std::move(*started);
    work_dir_ = options_.work_root / std::to_string(process_->pid());
    std::string frame;
    write_start(frame,
                {.library = options_.library.string(),
                 .setup = {.data_dir = options_.data_dir,
                           .work_root = work_dir_,
                           .host_id = options_.host_id},
                 .sandbox = options_.sandbox,
                 .extension = true,
                 .directory = options_.directory.string()});
    process_->send(frame);
    begin("loading", options_.open_timeout);
}

// ---- calls -----------------------------------------------------------------------------------

void ExtensionProcess::begin(const char* function, base::Duration limit) {
    function_ = function;
    limit_ = limit;
    after(limit, &ExtensionProcess::ask_to_end);
}

void ExtensionProcess::after(base::Duration time, void (ExtensionProcess::*step)()) {
    timer_.expires_after(time);
    timer_.async_wait([this, step, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive && process_)
            (this->*step)();
    });
}

/// Its time is over, or nobody wants to know any more.
void ExtensionProcess::ask_to_end() {
    if (state_ != State::up)
        return overdue();
    std::string frame;
    FrameWriter(frame, {.size = 0, .kind = FrameKind::cancel, .status = 0, .type = 0, .id = call_});
    process_->send(frame);
    after(options_.cancel_grace, &ExtensionProcess::overdue);
}

void ExtensionProcess::overdue() {
    kill(std::string(function_ ? function_ : "close") + " did not return within " +
         text_of(limit_));
}

void ExtensionProcess::open(ExtensionKind kind,
                            std::string_view config,
                            std::string_view checkpoint) {
    if (state_ != State::up)
        return;
    std::string frame;
    write_open(frame, ++call_, options_.open_timeout, kind, config, checkpoint);
    process_->send(frame);
    begin("open", options_.open_timeout);
}

void ExtensionProcess::call(FrameKind kind,
                            std::uint32_t room,
                            std::span<const OutcomeView> outcomes) {
    if (state_ != State::up)
        return;
    std::string frame;
    write_extension_call(frame, kind, ++call_, options_.call_timeout, room, outcomes);
    process_->send(frame);
    const char* const function = kind == FrameKind::next      ? "next_batch"
                                 : kind == FrameKind::deliver ? "on_result"
                                 : kind == FrameKind::write   ? "write"
                                                              : "flush";
    begin(function, options_.call_timeout);
}

void ExtensionProcess::next(std::uint32_t room) {
    call(FrameKind::next, room, {});
}

void ExtensionProcess::deliver(std::span<const OutcomeView> outcomes, std::uint32_t room) {
    call(FrameKind::deliver, room, outcomes);
}

void ExtensionProcess::write(std::span<const OutcomeView> outcomes) {
    call(FrameKind::write, 0, outcomes);
}

void ExtensionProcess::flush() {
    call(FrameKind::flush, 0, {});
}

void ExtensionProcess::close() {
    if (state_ == State::gone || std::exchange(close_asked_, true))
        return;
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            go_on();
    });
}

/// After close(): ends the process when no call is open, and asks an open one to end.
void ExtensionProcess::go_on() {
    if (!close_asked_ || !process_ || state_ == State::closing)
        return;
    if (state_ == State::starting)
        return kill_now();
    if (function_)
        return ask_to_end();
    state_ = State::closing;
    std::string frame;
    FrameWriter(frame, {.size = 0, .kind = FrameKind::stop, .status = 0, .type = 0, .id = 0});
    process_->send(frame);
    begin("close", options_.cancel_grace);
}

// ---- what the process says -------------------------------------------------------------------

void ExtensionProcess::on_frames(FrameBuffer& frames) {
    const auto alive = alive_;
    Frame frame;
    while (frames.next(frame)) {
        on_frame(frame);
        if (!*alive)
            return;
    }
    if (frames.corrupt())
        return protocol_broken();
    if (!function_)  // an open call was asked already, and its grace must run out
        go_on();
}

void ExtensionProcess::on_frame(Frame& frame) {
    switch (frame.header.kind) {
        case FrameKind::extension:
            return on_ready(frame);
        case FrameKind::opened:
            return on_answer(frame, read_opened(frame), &ExtensionEvents::on_opened);
        case FrameKind::batch:
            return on_answer(frame, read_batch(frame), &ExtensionEvents::on_batch);
        case FrameKind::written:
            return on_answer(frame, read_written(frame), &ExtensionEvents::on_written);
        case FrameKind::log:
            return on_log(frame);
        case FrameKind::more:
            return events_.on_more();
        case FrameKind::failed:
            failure_ = frame.text();
            return;
        case FrameKind::cache_get: {
            // There is no cache here: every question is answered with nothing.
            std::string answer;
            FrameWriter(answer,
                        {.size = 0,
                         .kind = FrameKind::cache_value,
                         .status = 0,
                         .type = 0,
                         .id = frame.header.id})
                .text({});
            return process_->send(answer);
        }
        case FrameKind::cache_put:
        case FrameKind::capabilities_changed:
        case FrameKind::progress:
        case FrameKind::stopped:
            return;  // says nothing to a coordinator
        default:
            return protocol_broken();
    }
}

void ExtensionProcess::on_ready(Frame& frame) {
    const auto module = read_extension(frame);
    if (!module)
        return protocol_broken();
    if (state_ != State::starting)
        return;
    state_ = State::up;
    function_ = nullptr;
    timer_.cancel();
    if (!close_asked_)
        events_.on_ready(*module);
}

template <typename Message>
void ExtensionProcess::on_answer(const Frame& frame,
                                 std::optional<Message> message,
                                 void (ExtensionEvents::*tell)(Message)) {
    if (!message || frame.header.id != call_ || !function_)
        return protocol_broken();
    function_ = nullptr;
    timer_.cancel();
    (events_.*tell)(std::move(*message));
}

void ExtensionProcess::on_log(Frame& frame) {
    const auto stream = frame.text();
    const auto text = frame.text();
    if (frame.bad)
        return protocol_broken();
    if (stream == "stderr")
        keep_last(error_lines_, text);
    events_.on_log(stream, text);
}

void ExtensionProcess::on_last_words(std::string_view stream, std::string_view text) {
    if (stream == "stderr")
        keep_last(error_lines_, text);
    events_.on_log(stream, text);
}

void ExtensionProcess::protocol_broken() {
    kill("wrote something else than answers to descriptor 3");
}

// ---- the end of the process ------------------------------------------------------------------

void ExtensionProcess::kill(std::string why) {
    if (killed_.empty())
        killed_ = std::move(why);
    kill_now();
}

void ExtensionProcess::kill_now() {
    if (process_)
        process_->signal(SIGKILL);
}

std::string ExtensionProcess::how_it_ended(const ProcessEnd& end) const {
    if (!killed_.empty())
        return killed_;
    if (!failure_.empty())
        return failure_;
    std::string how = end.text();
    if (end.signal == SIGKILL && end.cause.empty() && process_->hung_up())
        how = "closed descriptor 3, its connection to the coordinator";
    else if (end.signal == 0)
        how += " without answering";
    if (function_)
        how += " in " + std::string(function_);
    if (error_lines_.empty())
        return how;
    return how + "; stderr: " + error_lines_.substr(0, error_lines_.size() - 1);
}

void ExtensionProcess::on_ended(const ProcessEnd& end) {
    timer_.cancel();
    const bool in_order = close_asked_ && killed_.empty();
    const auto how = how_it_ended(end);
    process_.reset();
    std::error_code ignored;
    fs::remove_all(work_dir_, ignored);
    work_dir_.clear();
    state_ = State::gone;
    events_.on_gone(in_order, in_order ? std::string() : how);
}

std::unique_ptr<ExtensionRunner> make_extension_runner(asio::io_context& io,
                                                       ExtensionRunnerOptions options,
                                                       ExtensionEvents& events) {
    return std::make_unique<ExtensionProcess>(io, std::move(options), events);
}

}  // namespace distributo::runtime
