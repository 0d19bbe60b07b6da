#pragma once

#include "runtime/open_calls.hpp"
#include "runtime/runner.hpp"
#include "runtime/runner_process.hpp"
#include "runtime/type_table.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace distributo::runtime {

/// Runs calls in one child process, from its start to its end.
///
///     starting ──ready──▶ up ──stop, no call open──▶ stopping ──exit──▶ gone
///         │                └───────────crash───────────────────────────▶ gone
///         └──────────failed, stopped───────────────────────────────────▶ gone
///
/// Which calls were executing is read from memory that it shares with the process. When the
/// process dies while exactly one call executes, that one is to blame; when several do, none is.
class ProcessRunner final : RunnerProcess::Owner, OpenCalls::Owner {
public:
    /// How the process ended.
    struct Ending {
        enum class Kind : std::uint8_t {
            stopped,  ///< after stop()
            failed,   ///< it never became ready
            killed,   ///< a call in it did not end when it should
            crashed,  ///< by itself, or for breaking the protocol
        } kind = Kind::stopped;
        std::string why;                   ///< empty when it stopped as it should
        std::vector<std::uint64_t> tasks;  ///< that executed in it at that moment, by number
    };

    /// Called on the io_context; the constructor calls nothing.
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void on_ready(ProcessRunner& runner, const ModuleInfo& module) = 0;
        virtual void on_results(ProcessRunner& runner, std::vector<CallResult> results) = 0;
        virtual void on_log(CallId call, std::string_view stream, std::string_view text) = 0;
        virtual void on_progress(CallId call, double fraction, std::string_view text) = 0;
        virtual void on_capabilities_changed() = 0;
        /// Every open call has had its result. Last call.
        virtual void on_ended(ProcessRunner& runner, const Ending& ending) = 0;
    };

    /// Starts at once. `options` outlives this; `threads` stands instead of the one in there.
    ProcessRunner(boost::asio::io_context& io,
                  const RunnerOptions& options,
                  std::uint32_t threads,
                  Owner& owner);
    ProcessRunner(const ProcessRunner&) = delete;
    ProcessRunner& operator=(const ProcessRunner&) = delete;
    ~ProcessRunner() override;

    /// While it is up; `type` is the type's place in the module, `task` a number that tells tasks
    /// apart.
    void execute(const ExecuteCall& call, std::uint16_t type, std::uint64_t task);
    void install(const InstallCall& call, std::uint16_t type, std::uint64_t task);
    void probe(CallId call);
    /// Nothing when the call is not here.
    void cancel(CallId call);
    /// No more calls; teardown when the open ones are done, then on_ended.
    void stop();
    void flush();

    [[nodiscard]] bool up() const noexcept { return state_ == State::up && !stop_asked_; }
    [[nodiscard]] std::size_t open_calls() const noexcept { return calls_.size(); }
    /// Nothing when it could not be started, or has ended.
    [[nodiscard]] std::optional<ProcessUsage> usage() const { return meter_.read(); }
    /// From the start until it was ready.
    [[nodiscard]] base::Duration setup_time() const noexcept { return setup_time_; }

private:
    enum class State : std::uint8_t { starting, up, stopping, gone };

    /// Why we ended the process ourselves.
    struct Killed {
        std::string why;
        OpenCalls::Ticket call = 0;  ///< because of this one; 0: not because of a call
        bool its_fault = false;      ///< counts as a crash
    };

    // RunnerProcess::Owner
    void on_frames(FrameBuffer& frames) override;
    void on_last_words(std::string_view stream, std::string_view text) override;
    void on_ended(const ProcessEnd& end) override;
    // OpenCalls::Owner
    void ask_to_end(OpenCalls::Ticket call) override;
    void on_overdue(OpenCalls::Ticket call) override;
    [[nodiscard]] std::span<const CallSlot> slots() const override;

    void start(std::uint32_t threads);
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

    void kill(Killed reason, int signal);
    void kill_later(base::Duration delay);
    void close_all(const ProcessEnd& end, const std::string& how);
    [[nodiscard]] std::vector<OpenCalls::Ticket> executing() const;
    [[nodiscard]] std::string how_it_ended(const ProcessEnd& end) const;
    [[nodiscard]] Ending ending_of(State before, const ProcessEnd& end, std::string how) const;

    boost::asio::io_context& io_;
    const RunnerOptions& options_;
    Owner& owner_;
    OpenCalls calls_;
    boost::asio::steady_timer timer_;  // limits of setup and teardown, and from TERM to KILL
    std::unique_ptr<RunnerProcess> process_;
    ProcessMeter meter_;
    State state_ = State::starting;
    TypeTable types_;
    std::string out_;  // frames that wait for flush()
    std::vector<CallResult> results_;
    std::optional<Killed> killed_;
    std::string failure_;      // what the runner said about the plugin
    std::string error_lines_;  // the last ones
    std::filesystem::path work_dir_;
    base::TimePoint started_{};
    base::Duration setup_time_{};
    bool stop_asked_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::runtime
