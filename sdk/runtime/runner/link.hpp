#pragma once

#include "runtime/executor.hpp"
#include "runtime/frame.hpp"
#include "runtime/runner/capture.hpp"
#include "runtime/runner/questions.hpp"
#include "runtime/sandbox_policy.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace distributo::runtime {

/// The runner's end of the socket: reads calls for the executor, writes what they report.
/// When the supervisor goes, the process and everything that it has started goes at once.
class Link final : public ExecutorOutput, public ExecutorSource, Capture::Sink {
public:
    Link(int socket, int out, int error, const SharedPage& page);

    /// The policy in force, to be named in the messages of calls that failed for it. Before any
    /// call.
    void confined_by(const SandboxPolicy& policy) { policy_ = policy; }
    /// Adds to a failure's message which limit it was, when it was one.
    void explain(std::string& message) const;
    /// Waits for a frame; its body is valid until the next one is asked for. Nothing: the stream is
    /// corrupt. For the first frame, and for who has no executor that reads.
    [[nodiscard]] std::optional<Frame> next_frame();
    /// Answers a question of cache_get(), for who reads frames itself.
    void answer(Frame& frame);
    /// Writes a frame that is no call's result.
    void send(const std::string& frames);
    /// Reports what was printed until now.
    void drain() { capture_.drain(); }

    void read(Executor& executor) override;

    void result(CallResult&& result) override;
    void flush() override;
    bool long_call_ended(CallId call) override { return capture_.call_ended(call); }
    void stopped() override;
    void log(CallId call, std::string_view stream, std::string_view text) override;
    void progress(CallId call, double fraction, std::string_view text) override;
    bool cache_get(std::string_view key, std::string& value) override;
    void cache_put(std::string_view key, std::string_view value, std::int64_t ttl_ms) override;
    void capabilities_changed() override;
    void more() override;

private:
    void printed(CallId call, std::string_view stream, std::string_view text) override;
    void wait_for_input();
    bool receive();
    void hand_over(Executor& executor, const Frame& frame);
    void signal(FrameKind kind);
    void flush_for_certain();
    void write_out(std::unique_lock<std::mutex>& lock);

    const int socket_;
    SandboxPolicy policy_;
    Capture capture_;
    Questions questions_;
    FrameBuffer in_;           // of the one thread that reads
    std::vector<Work> calls_;  // likewise

    std::mutex mutex_;  // of the following
    std::string out_;
    std::string writing_out_;
    std::condition_variable written_;
    bool writing_ = false;
};

/// Says why the plugin cannot be used; the process ends next.
void report_failure(Link& link, std::string why);

}  // namespace distributo::runtime
