#pragma once

#include "runtime/crash_budget.hpp"
#include "runtime/process_runner.hpp"
#include "runtime/recycling.hpp"
#include "runtime/runner.hpp"
#include "runtime/type_table.hpp"

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace distributo::runtime {

/// A plugin version in as many child processes as its calls need:
///
///   shared     one, for the types that are reentrant: many calls at once
///   exclusive  up to `processes`, for the types that are not: one call at a time in each
///   single     one per call and used up with it: isolation `task`, and execute_alone(). With
///              isolation `task` there are spares that were set up before their call came
///
/// Processes are started when a call waits for one. They are replaced between tasks when they have
/// run many or have grown: the fresh one is ready before the old one gets no more calls. One that
/// dies is replaced when a call wants it; the pool gives up when they crash too often.
class RunnerPool final : public Runner, ProcessRunner::Owner {
public:
    RunnerPool(boost::asio::io_context& io,
               Isolation isolation,
               RunnerOptions options,
               RunnerEvents& events);
    RunnerPool(const RunnerPool&) = delete;
    RunnerPool& operator=(const RunnerPool&) = delete;
    ~RunnerPool() override;

    void execute(ExecuteCall call) override;
    void execute_alone(ExecuteCall call) override;
    void install(InstallCall call) override;
    void probe(CallId call) override;
    void cancel(CallId call) override;
    void stop() override;
    void flush() override;
    [[nodiscard]] Isolation isolation() const noexcept override { return isolation_; }

private:
    enum class Role : std::uint8_t { shared, exclusive, single };
    static constexpr std::array roles{Role::shared, Role::exclusive, Role::single};

    struct Process {
        std::unique_ptr<ProcessRunner> runner;
        Role role = Role::shared;
        bool was_ready = false;
        bool used = false;            // single: it has had its call
        bool draining = false;        // gets no more calls, and ends when it has none
        bool being_replaced = false;  // a fresh one is being set up
        Process* replaces = nullptr;
        std::uint64_t tasks = 0;
        std::uint64_t measured_tasks = 0;
        ProcessUsage ready;  // what it held when it was ready
        ProcessUsage most;   // since then
        base::TimePoint idle_since{};
        base::TimePoint no_recycling_before{};
        RecycleReason reason = RecycleReason::tasks;
        std::string why;  // it is being replaced
    };
    struct ProbeCall {
        CallId call = 0;
        std::string type;  // the process of these calls is asked
    };
    struct Waiting {
        std::variant<ExecuteCall, InstallCall, ProbeCall> call;
        bool alone = false;
        std::uint16_t type = 0;

        [[nodiscard]] CallId id() const noexcept;
    };

    // ProcessRunner::Owner
    void on_ready(ProcessRunner& runner, const ModuleInfo& module) override;
    void on_results(ProcessRunner& runner, std::vector<CallResult> results) override;
    void on_log(CallId call, std::string_view stream, std::string_view text) override;
    void on_progress(CallId call, double fraction, std::string_view text) override;
    void on_capabilities_changed() override;
    void on_ended(ProcessRunner& runner, const ProcessRunner::Ending& ending) override;

    // calls: runner_pool.cpp
    template <typename Call>
    void take(Call&& call, bool alone);
    void wait(Waiting&& call, Role role);
    void give(Process& process, const ExecuteCall& call, std::uint16_t type);
    void give(Process& process, const InstallCall& call, std::uint16_t type);
    void give(Process& process, const ProbeCall& call, std::uint16_t type);
    void given(Process& process);
    void serve(Role role);
    void tend_soon();
    void release_early();
    void refuse(CallId call, CallResult::Status status, std::string message);
    void deliver();
    void abort_waiting(const std::string& why);
    [[nodiscard]] bool nothing_waits() const noexcept;
    /// Its calls run together in one process.
    [[nodiscard]] static bool shares(const TypeInfo& type) noexcept {
        return type.reentrant || type.async || type.max_batch > 1;
    }
    [[nodiscard]] Role role_of(std::uint16_t type) const;
    [[nodiscard]] Process* free_process(Role role);
    [[nodiscard]] std::size_t most_calls() const noexcept;
    void learn(const std::vector<CallResult>& results) noexcept;

    // processes: runner_pool_processes.cpp
    Process& start(Role role);
    void grow(Role role);
    [[nodiscard]] std::size_t missing(Role role) const;
    void settle(Process& process);
    [[nodiscard]] bool know(Process& process, const ModuleInfo& module);
    [[nodiscard]] ModuleInfo as_reported(ModuleInfo module, base::Duration setup_time) const;
    [[nodiscard]] Process& process_of(const ProcessRunner& runner);
    [[nodiscard]] std::unique_ptr<Process> take_out(const ProcessRunner& runner);
    void start_failed(const Process& process, const std::string& why);
    void end(Process& process);
    void recycle(Process& process, RecycleReason reason, const ProcessUsage& usage);
    void replace(Process& old);
    void measure(Process& process);
    void keep_house();
    void end_idle(base::TimePoint now);
    void watch();
    void go_on();
    void give_up(const std::string& why);
    void gone(bool expected, const std::string& why);
    void report(ProcessNews news) { events_.on_process(news); }

    boost::asio::io_context& io_;
    const Isolation isolation_;
    const RunnerOptions options_;
    const std::uint32_t slots_;      // calls at once
    const std::uint32_t processes_;  // most exclusive ones, and most single ones that run
    RunnerEvents& events_;
    std::vector<std::unique_ptr<Process>> all_;
    std::array<std::deque<Waiting>, roles.size()> waiting_;
    std::vector<Waiting> early_;  // came before the types were known
    std::vector<CallResult> results_;
    TypeTable types_;
    bool known_ = false;
    CrashBudget budget_;
    RecyclePolicy policy_;
    boost::asio::steady_timer timer_;
    bool watching_ = false;
    bool tending_ = false;
    double mean_us_ = 0;  // of exclusive calls
    std::uint32_t samples_ = 0;
    base::TimePoint no_start_before_{};
    std::string last_words_;
    std::optional<std::string> given_up_;
    bool stop_asked_ = false;
    bool told_gone_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace distributo::runtime
