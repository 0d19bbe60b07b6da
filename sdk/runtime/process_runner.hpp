#pragma once

#include "runtime/open_calls.hpp"
#include "runtime/runner.hpp"
#include "runtime/runner_process.hpp"
#include "runtime/type_table.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace distributo::runtime {

/// Runs calls in a child process; starts another one when it dies.
///
///     starting ──ready──▶ up ──crash──▶ down ──call──▶ restarting ──ready──▶ up
///         │                │ stop, no call open           │
///         │                ▼                              │
///         │            stopping ──exit──▶ gone            │
///         └──────────failed─────────────▶ gone ◀──failed──┘
///
/// Which calls were executing is read from memory that it shares with the process. When the
/// process dies while exactly one call executes, that one is to blame; when several do, none is.
class ProcessRunner final : public Runner, RunnerProcess::Owner, OpenCalls::Owner {
public:
    ProcessRunner(boost::asio::io_context& io, RunnerOptions options, RunnerEvents& events);
    ProcessRunner(const ProcessRunner&) = delete;
    ProcessRunner& operator=(const ProcessRunner&) = delete;
    ~ProcessRunner() override;

    void execute(ExecuteCall call) override;
    void install(InstallCall call) override;
    void probe(CallId call) override;
    void cancel(CallId call) override;
    void stop() override;
    void flush() override;
    [[nodiscard]] Isolation isolation() const noexcept override { return Isolation::process; }

private:
    enum class State : std::uint8_t { starting, up, down, restarting, stopping, gone };

    /// Why we ended the process ourselves.
    struct Killed {
        std::string why;
        OpenCalls::Ticket call = 0;  ///< because of this one; 0: not because of a call
    };

    // RunnerProcess::Owner
    void on_frames(FrameBuffer& frames) override;
    void on_last_words(std::string_view stream, std::string_view text) override;
    void on_ended(const ProcessEnd& end) override;
    // OpenCalls::Owner
    void ask_to_end(OpenCalls::Ticket call) override;
    void on_overdue(OpenCalls::Ticket call) override;
    [[nodiscard]] std::span<const CallSlot> slots() const override;

    void start(State state);
    void on_frame(Frame& frame);
    void on_result(Frame& frame);
    void on_log(Frame& frame);
    void on_progress(Frame& frame);
    void on_ready(Frame& frame);
    void on_service_frame(Frame& frame);
    void answer_cache(Frame& frame);
    void protocol_broken();
    void deliver();
    void go_on();

    [[nodiscard]] std::optional<std::uint16_t> type_index(const std::string& type, CallId call);
    void refuse(CallId call, CallResult::Status status, std::string message);
    void accepted();

    void kill(Killed reason, int signal);
    void kill_later(base::Duration delay);
    void close_all(const ProcessEnd& end, const std::string& how);
    [[nodiscard]] std::vector<OpenCalls::Ticket> executing() const;
    [[nodiscard]] std::string how_it_ended(const ProcessEnd& end) const;
    [[nodiscard]] bool crashed_too_often();
    void gone(bool expected, const std::string& why);
    template <typename Function>
    void later(Function function);

    boost::asio::io_context& io_;
    const RunnerOptions options_;
    RunnerEvents& events_;
    OpenCalls calls_;
    boost::asio::steady_timer timer_;  // limits of setup and teardown, and from TERM to KILL
    std::unique_ptr<RunnerProcess> process_;
    State state_ = State::starting;
    TypeTable types_;
    std::string out_;  // frames that wait for flush(), or for the process
    std::vector<CallResult> results_;
    std::optional<Killed> killed_;
    std::string failure_;      // what the runner said about the plugin
    std::string error_lines_;  // the last ones of this process
    std::deque<base::TimePoint> crashes_;
    std::filesystem::path work_dir_;  // of this process
    bool stop_asked_ = false;
    bool told_gone_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::runtime
