#pragma once

#include "runtime/executor.hpp"
#include "runtime/open_calls.hpp"
#include "runtime/runner.hpp"
#include "runtime/type_table.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace distributo::runtime {

/// Runs calls on threads of this process.
///
/// Nothing here can be taken back: a plugin that crashes ends the process, a library stays loaded,
/// and a call that ignores its cancellation cannot be killed. Such a call is reported as ended
/// (timeout, or cancelled) and its thread is left behind; another thread takes its place, up to
/// 64 at a time. After that, as many calls as hang fewer run at once.
class InprocRunner final : public Runner, OpenCalls::Owner {
public:
    InprocRunner(boost::asio::io_context& io, RunnerOptions options, RunnerEvents& events);
    InprocRunner(const InprocRunner&) = delete;
    InprocRunner& operator=(const InprocRunner&) = delete;
    /// Asks what runs to end and waits a fraction of a second for it.
    ~InprocRunner() override;

    void execute(ExecuteCall call) override;
    void execute_alone(ExecuteCall call) override;
    void install(InstallCall call) override;
    void probe(CallId call) override;
    void cancel(CallId call) override;
    void stop() override;
    void flush() override;
    [[nodiscard]] Isolation isolation() const noexcept override { return Isolation::inproc; }

private:
    class Bridge;
    struct News;

    // OpenCalls::Owner
    void ask_to_end(OpenCalls::Ticket call) override;
    void on_overdue(OpenCalls::Ticket call) override;
    [[nodiscard]] std::span<const CallSlot> slots() const override;

    void add(const std::string& type, CallId call, base::Duration timeout, Work work);
    void refuse(CallId call, CallResult::Status status, std::string message);
    void deliver_refused();
    void on_news(News news);
    void on_loaded(const News& news);
    void limit(base::Duration time, bool expected, std::string why);
    void go_on();
    void gone(bool expected, const std::string& why);

    boost::asio::io_context& io_;
    const RunnerOptions options_;
    RunnerEvents& events_;
    OpenCalls calls_;
    boost::asio::steady_timer timer_;  // limits of setup and teardown
    std::shared_ptr<Bridge> bridge_;
    std::shared_ptr<Executor> executor_;
    TypeTable types_;
    std::vector<Work> waiting_;        // for flush()
    std::vector<CallResult> refused_;  // results of calls that no thread has seen
    const base::TimePoint started_ = std::chrono::steady_clock::now();
    bool ready_ = false;
    bool stop_asked_ = false;
    bool stopping_ = false;
    bool gone_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::runtime
