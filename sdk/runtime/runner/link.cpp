#include "runtime/runner/link.hpp"

#include "runtime/frame_messages.hpp"
#include "runtime/runner/last_sweep.hpp"
#include "runtime/sandbox_hints.hpp"

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace distributo::runtime {
namespace {

constexpr std::string_view lost = "error: descriptor 3, the connection to the host, was closed\n";
constexpr std::string_view garbled = "error: what came from the host makes no sense\n";

/// A cache that does not answer has forgotten. Usually it takes as long as a message and back.
constexpr base::Duration longest_question = std::chrono::seconds(2);

/// Buffered results are written at once when they reach this.
constexpr std::size_t much = 256 * 1024;

/// Nobody is left to run for, or the stream makes no sense: what the plugin has started does not
/// stay behind.
[[noreturn]] void end_all(std::string_view why = {}) {
    if (!why.empty())
        static_cast<void>(!::write(STDERR_FILENO, why.data(), why.size()));
    end_everything();
}

void write_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno != EINTR)
            end_all(errno == EPIPE ? std::string_view() : lost);
    }
}

}  // namespace

Link::Link(int socket, int out, int error, const SharedPage& page)
    : socket_(socket), capture_(out, error, page, *this) {}

// ---- input -----------------------------------------------------------------------------------

bool Link::receive() {
    const auto space = in_.space();
    const auto got = recv(socket_, space.data, space.size, MSG_DONTWAIT);
    if (got > 0) {
        in_.filled(static_cast<std::size_t>(got));
        return true;
    }
    if (got == 0)
        end_all();
    if (errno != EAGAIN && errno != EINTR)
        end_all(lost);
    return false;
}

void Link::wait_for_input() {
    const auto pipes = capture_.descriptors();
    pollfd events[] = {{.fd = socket_, .events = POLLIN, .revents = 0},
                       {.fd = pipes[0], .events = POLLIN, .revents = 0},
                       {.fd = pipes[1], .events = POLLIN, .revents = 0}};
    if (poll(events, std::size(events), -1) <= 0)
        return;
    if (events[1].revents != 0 || events[2].revents != 0)
        capture_.drain();
}

std::optional<Frame> Link::next_frame() {
    Frame frame;
    while (!in_.next(frame)) {
        if (in_.corrupt())
            return std::nullopt;
        if (!receive())
            wait_for_input();
    }
    return frame;
}

void Link::read(Executor& executor) {
    if (!receive()) {
        wait_for_input();
        if (!receive())
            return;
    }
    Frame frame;
    while (in_.next(frame))
        hand_over(executor, frame);
    if (in_.corrupt())
        end_all(garbled);
    if (!calls_.empty())
        executor.enqueue(calls_);
}

void Link::hand_over(Executor& executor, const Frame& received) {
    Frame frame = received;
    switch (frame.header.kind) {
        case FrameKind::execute:
        case FrameKind::install:
        case FrameKind::verify:
        case FrameKind::probe:
            if (auto work = read_work(frame))
                calls_.push_back(std::move(*work));
            else
                end_all(garbled);
            break;
        case FrameKind::cancel:
            executor.enqueue(calls_);
            executor.cancel(frame.header.id);
            break;
        case FrameKind::cache_value:
            answer(frame);
            break;
        case FrameKind::stop:
            executor.enqueue(calls_);
            executor.stop();
            break;
        default:
            end_all(garbled);
    }
}

// ---- output ----------------------------------------------------------------------------------

void Link::explain(std::string& message) const {
    if (const auto hint = hint_for_message(policy_, message); !hint.empty())
        message += " (" + hint + ")";
}

void Link::result(CallResult&& result) {
    if (result.status != CallResult::Status::ok)
        explain(result.message);
    bool full = false;
    {
        const std::lock_guard lock(mutex_);
        write_result(out_, result);
        full = out_.size() >= much;
    }
    if (full)
        flush();
}

void Link::flush() {
    std::unique_lock lock(mutex_);
    // One thread writes; what the others add meanwhile goes out with its next write.
    if (!writing_)
        write_out(lock);
}

/// Returns when everything that was added before has left this process, whichever thread writes it.
void Link::flush_for_certain() {
    std::unique_lock lock(mutex_);
    written_.wait(lock, [this] { return !writing_; });
    write_out(lock);
}

void Link::write_out(std::unique_lock<std::mutex>& lock) {
    writing_ = true;
    while (!out_.empty()) {
        writing_out_.clear();
        std::swap(out_, writing_out_);
        lock.unlock();
        write_all(socket_, writing_out_);
        lock.lock();
    }
    writing_ = false;
    written_.notify_all();
}

void Link::send(const std::string& frames) {
    {
        const std::lock_guard lock(mutex_);
        out_ += frames;
    }
    flush();
}

void Link::stopped() {
    capture_.drain();
    signal(FrameKind::stopped);
}

void Link::log(CallId call, std::string_view stream, std::string_view text) {
    {
        const std::lock_guard lock(mutex_);
        write_log(out_, call, stream, text);
    }
    // At once: when the plugin crashes next, its last words are known. Another thread that writes
    // would be gone then as well.
    flush_for_certain();
}

void Link::progress(CallId call, double fraction, std::string_view text) {
    {
        const std::lock_guard lock(mutex_);
        write_progress(out_, call, fraction, text);
    }
    flush();
}

// ---- what plugins share ----------------------------------------------------------------------

bool Link::cache_get(std::string_view key, std::string& value) {
    const auto question = questions_.ask();
    std::string frame;
    FrameWriter(frame,
                {.size = 0, .kind = FrameKind::cache_get, .status = 0, .type = 0, .id = question})
        .text(key);
    send(frame);
    return questions_.wait(question, longest_question, value);
}

void Link::cache_put(std::string_view key, std::string_view value, std::int64_t ttl_ms) {
    std::string frame;
    FrameWriter(frame, {.size = 0, .kind = FrameKind::cache_put, .status = 0, .type = 0, .id = 0})
        .number(ttl_ms)
        .text(key)
        .text(value);
    send(frame);
}

void Link::answer(Frame& frame) {
    questions_.answer(frame.header.id, frame.header.status != 0, frame.text());
}

void Link::signal(FrameKind kind) {
    std::string frame;
    FrameWriter(frame, {.size = 0, .kind = kind, .status = 0, .type = 0, .id = 0});
    send(frame);
}

void Link::capabilities_changed() {
    signal(FrameKind::capabilities_changed);
}

void Link::more() {
    signal(FrameKind::more);
}

void Link::printed(CallId call, std::string_view stream, std::string_view text) {
    log(call, stream, text);
}

void report_failure(Link& link, std::string why) {
    link.drain();
    link.explain(why);
    std::string frame;
    FrameWriter(frame, {.size = 0, .kind = FrameKind::failed, .status = 0, .type = 0, .id = 0})
        .text(why);
    link.send(frame);
}

}  // namespace distributo::runtime
