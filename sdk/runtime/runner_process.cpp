#include "runtime/runner_process.hpp"

#include "runtime/sandbox_hints.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace distributo::runtime {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;
using boost::system::error_code;

}  // namespace

base::Result<std::unique_ptr<RunnerProcess>> RunnerProcess::start(
    asio::io_context& io,
    const std::filesystem::path& program,
    const std::filesystem::path& library,
    std::size_t slots,
    const SandboxPolicy& policy,
    Owner& owner) {
    auto child = ChildProcess::spawn(program, library, slots);
    if (!child)
        return child.error();
    return std::make_unique<RunnerProcess>(io, std::move(*child), policy, owner);
}

RunnerProcess::RunnerProcess(asio::io_context& io,
                             ChildProcess child,
                             const SandboxPolicy& policy,
                             Owner& owner)
    : owner_(owner),
      child_(std::move(child)),
      policy_(policy),
      orphans_(asio::use_service<Orphans>(io)),
      mark_(orphans_.adopt(child_.pid(), policy.memory)),
      socket_(io, asio::local::stream_protocol(), child_.socket.release()),
      process_(io, child_.process.release()) {
    wait_for_frames();
    wait_for_end();
    if (policy.memory == 0 || policy.memory_by != MemoryBy::rss)
        return;
    memory_watch_ =
        std::make_unique<MemoryWatch>(io, child_.pid(), policy.memory, [this](std::uint64_t bytes) {
            cause_ = "killed because it used " + size_text(bytes) + " of memory";
            signal(SIGKILL);
        });
}

RunnerProcess::~RunnerProcess() {
    *alive_ = false;
    static_cast<void>(child_.reap());
    orphans_.release(mark_);
}

// ---- reading ---------------------------------------------------------------------------------

void RunnerProcess::wait_for_frames() {
    socket_.async_wait(Socket::wait_read, [this, alive = alive_](const error_code& error) {
        if (!error && *alive)
            on_readable();
    });
}

bool RunnerProcess::receive() {
    for (;;) {
        const auto space = in_.space();
        const auto got = recv(socket_.native_handle(), space.data, space.size, MSG_DONTWAIT);
        if (got > 0)
            in_.filled(static_cast<std::size_t>(got));
        else
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        if (static_cast<std::size_t>(got) < space.size)
            return true;
    }
}

void RunnerProcess::on_readable() {
    const auto alive = alive_;
    const bool open = receive();
    owner_.on_frames(in_);
    if (!*alive)
        return;
    if (open) {
        wait_for_frames();
    } else {
        // Usually it is dying, and keeps the status that it dies with.
        hung_up_ = true;
        signal(SIGKILL);
    }
}

// ---- writing ---------------------------------------------------------------------------------

void RunnerProcess::send(std::string& frames) {
    if (out_.empty())
        std::swap(out_, frames);
    else
        out_ += frames;
    frames.clear();
    if (!waiting_to_write_)
        write();
}

void RunnerProcess::write() {
    while (written_ < out_.size()) {
        const auto sent = ::send(socket_.native_handle(),
                                 out_.data() + written_,
                                 out_.size() - written_,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            written_ += static_cast<std::size_t>(sent);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            break;  // it is dying; on_exit tells
        waiting_to_write_ = true;
        socket_.async_wait(Socket::wait_write, [this, alive = alive_](const error_code& error) {
            if (error || !*alive)
                return;
            waiting_to_write_ = false;
            write();
        });
        return;
    }
    out_.clear();
    written_ = 0;
}

void RunnerProcess::complete(SandboxReport& report) const {
    if (orphans_.no_groups().empty())
        report.active.add(wire::Layer::cgroup);
    else
        report.missing.push_back({wire::Layer::cgroup, orphans_.no_groups()});
}

// ---- the end ---------------------------------------------------------------------------------

void RunnerProcess::wait_for_end() {
    process_.async_wait(asio::posix::stream_descriptor::wait_read,
                        [this, alive = alive_](const error_code& error) {
                            if (!error && *alive)
                                on_exit();
                        });
}

void RunnerProcess::on_exit() {
    const auto alive = alive_;
    ProcessEnd end = child_.reap();
    memory_watch_.reset();
    orphans_.release(mark_);
    end.cause = cause_;
    end.hint = hint_for_signal(policy_, cause_.empty() ? end.signal : SIGSEGV);
    receive();
    owner_.on_frames(in_);
    if (*alive)
        read_last_words(0, "stdout", child_.out.get());
    if (*alive)
        read_last_words(1, "stderr", child_.error.get());
    if (*alive)
        owner_.on_ended(end);
}

/// What it had read from the pipe and not reported, and what is still in the pipe.
void RunnerProcess::read_last_words(std::size_t number, std::string_view stream, int pipe) {
    constexpr std::size_t most = 64 * 1024;  // what a pipe holds
    const PrintArea& kept = child_.memory.page().prints[number];
    std::string text(kept.view());
    // It may have died between reading and saying so.
    text.append(kept.text + text.size(),
                strnlen(kept.text + text.size(), PrintArea::capacity - text.size()));
    std::size_t size = text.size();
    text.resize(size + most);
    while (size < text.size()) {
        const auto got = read(pipe, text.data() + size, text.size() - size);
        if (got <= 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    if (size > 0 && text[size - 1] == '\n')
        --size;
    if (size > 0)
        owner_.on_last_words(stream, std::string_view(text).substr(0, size));
}

}  // namespace distributo::runtime
