#include "runtime/runner/extension_main.hpp"

#include "runtime/extension_frames.hpp"
#include "runtime/extension_plugin.hpp"
#include "runtime/runner/last_sweep.hpp"
#include "runtime/sandbox.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>

namespace distributo::runtime {
namespace {

/// A frame with a body of its own.
struct OwnFrame {
    FrameHeader header;
    std::string body;

    [[nodiscard]] Frame view() const { return {.header = header, .body = body}; }
};

/// Reads what the supervisor sends, for the thread that calls the plugin.
class Inbox {
public:
    explicit Inbox(Link& link) : link_(link) {}

    /// Reads for ever; cancels and answers to questions reach a call that runs.
    [[noreturn]] void read() {
        while (auto frame = link_.next_frame()) {
            if (frame->header.kind == FrameKind::cache_value)
                link_.answer(*frame);
            else if (frame->header.kind == FrameKind::cancel)
                cancel(frame->header.id);
            else
                push({frame->header, std::string(frame->body)});
        }
        end_everything();  // the stream makes no sense
    }

    void cancel_by(ExtensionPlugin* plugin) {
        const std::lock_guard lock(mutex_);
        plugin_ = plugin;
    }

    [[nodiscard]] OwnFrame next() {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [this] { return !frames_.empty(); });
        OwnFrame frame = std::move(frames_.front());
        frames_.pop_front();
        return frame;
    }

private:
    void cancel(CallId call) {
        const std::lock_guard lock(mutex_);
        if (plugin_)
            plugin_->cancel(call);
    }
    void push(OwnFrame frame) {
        const std::lock_guard lock(mutex_);
        frames_.push_back(std::move(frame));
        arrived_.notify_one();
    }

    Link& link_;
    std::mutex mutex_;  // of everything below
    std::condition_variable arrived_;
    std::deque<OwnFrame> frames_;
    ExtensionPlugin* plugin_ = nullptr;
};

void explain(const Link& link, ExtensionAnswer& answer) {
    if (!answer.message.empty())
        link.explain(answer.message);
}

void serve(ExtensionPlugin& plugin, Link& link, const ExtensionWork& work) {
    const auto deadline = std::chrono::steady_clock::now() + work.timeout;
    std::string out;
    if (work.kind == FrameKind::open) {
        auto opened =
            plugin.open(work.call, deadline, work.extension, work.config, work.checkpoint);
        explain(link, opened.answer);
        write_opened(out, work.call, opened);
    } else if (work.kind == FrameKind::next || work.kind == FrameKind::deliver) {
        auto batch = work.kind == FrameKind::next
                         ? plugin.next(work.call, deadline, work.room)
                         : plugin.deliver(work.call, deadline, work.outcomes, work.room);
        explain(link, batch.answer);
        write_batch(out, work.call, batch);
    } else {
        auto written = work.kind == FrameKind::write
                           ? plugin.write(work.call, deadline, work.outcomes)
                           : plugin.flush(work.call, deadline);
        explain(link, written.answer);
        write_written(out, work.call, written);
    }
    link.drain();
    link.send(out);
}

}  // namespace

int run_extension(Link& link, const StartMessage& start) {
    // It goes with the process, so it needs no end. Before the plugin is loaded: what that prints
    // is read.
    auto* const inbox = new Inbox(link);
    std::thread([inbox] { inbox->read(); }).detach();
    limit_memory(start.sandbox);
    auto plugin = ExtensionPlugin::load(start.library, start.setup.work_root, link);
    if (!plugin) {
        report_failure(link, plugin.error().message);
        return 1;
    }
    inbox->cancel_by(plugin->get());
    link.drain();
    std::string ready;
    write_extension(ready, (*plugin)->info());
    link.send(ready);
    for (;;) {
        const auto frame = inbox->next();
        if (frame.header.kind == FrameKind::stop)
            break;
        auto view = frame.view();
        const auto work = read_extension_work(view);
        if (!work)
            end_everything();
        serve(**plugin, link, *work);
    }
    inbox->cancel_by(nullptr);
    (*plugin)->close();
    link.stopped();
    return 0;
}

}  // namespace distributo::runtime
