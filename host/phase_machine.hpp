#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/semver.hpp"
#include "host/call_counts.hpp"
#include "host/credit.hpp"
#include "host/install_table.hpp"
#include "host/outcome.hpp"
#include "host/plugin_id.hpp"
#include "host/task_slab.hpp"
#include "runtime/runner.hpp"
#include "wire/messages.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace distributo::host {

struct PhaseSettings {
    std::uint32_t slots = 1;
    std::string installs_dir;  ///< finished installs live in <installs_dir>/<content key>
    base::Duration report_after = std::chrono::milliseconds(50);
    base::Duration install_timeout = std::chrono::minutes(30);  ///< when the type names none
};

/// What the machine wants done. Must not call back into the machine.
class PhaseActions {
public:
    virtual ~PhaseActions() = default;
    virtual void execute(PluginId plugin, runtime::ExecuteCall&& call) = 0;
    /// In a process that runs nothing else and ends with the call.
    virtual void execute_alone(PluginId plugin, runtime::ExecuteCall&& call) = 0;
    /// Makes an empty staging directory for `call.content_key` and runs the install in it.
    virtual base::Result<void> install(PluginId plugin, runtime::InstallCall call) = 0;
    /// Moves the staging directory to its place; from here on the install exists.
    virtual base::Result<void> keep_install(const std::string& content_key) = 0;
    virtual void drop_install(const std::string& content_key) = 0;
    /// Asks the plugin whether the finished install is still good; the result comes like that of
    /// an install.
    virtual void verify_install(PluginId plugin, runtime::InstallCall call) = 0;
    /// A finished install turned out to be of no use any more.
    virtual void remove_install(const std::string& content_key) = 0;
    virtual void cancel_call(PluginId plugin, runtime::CallId call) = 0;
    virtual void report_phase(const wire::PhaseItem& item) = 0;
    virtual void finish(Outcome&& outcome) = 0;
};

/// The life of every task on this host.
///
///   assigned ──► (install: once per content key) ──► (setup) ──► execute ──► outcome
///
/// A plugin is set up before its types are offered, so only a suspect, which gets a process of its
/// own, waits for a setup.
///
/// Events come in with the time, actions go out; no I/O, no clock, no timers. Tasks start only in
/// dispatch(), so that everything which arrived in one turn of the loop is started together.
class PhaseMachine {
public:
    PhaseMachine(PhaseSettings settings, PhaseActions& actions);

    // ---- what plugins offer
    /// `plugin` has these types from now on. Tasks go to the highest version that they accept, also
    /// those that are waiting; the same version of a type that another plugin had goes to this one.
    void offer(PluginId plugin,
               std::string digest,
               const std::vector<runtime::TypeInfo>& types,
               base::TimePoint now);
    /// `plugin` is not offered any more. It still runs what comes and no other one may run.
    void drain(PluginId plugin, base::TimePoint now);
    /// Does a task wait for `plugin`, or run in it?
    [[nodiscard]] bool needs(PluginId plugin) const noexcept;
    [[nodiscard]] CallCounts calls_of(PluginId plugin) const noexcept {
        return plugin < plugins_.size() ? plugins_[plugin].calls : CallCounts{};
    }
    /// `plugin` takes no more tasks; those that wait for it go to another one, or are given back.
    /// Calls go on.
    void withdraw(PluginId plugin, std::string_view why, base::TimePoint now);
    /// The same, and its calls are cancelled: they end as interrupted, unless they succeed.
    void give_back(PluginId plugin, std::string_view why, base::TimePoint now);
    void add_install(std::string content_key) { installs_.add_ready(std::move(content_key)); }

    // ---- what the coordinator asks
    void assign(const wire::AssignItem& item, base::TimePoint now);
    void cancel(const wire::Token& token, base::TimePoint now);
    /// Ends everything, and nobody hears how: the coordinator that wanted it is not there any more.
    void disown_all(base::TimePoint now);

    // ---- how calls begin and end
    /// The process of a call that runs alone is ready.
    void call_started(runtime::CallId call, base::TimePoint now);
    void call_ended(runtime::CallResult&& result, base::TimePoint now);
    /// A process of its own could not be started for this call.
    void call_unstartable(runtime::CallId call, std::string_view why, base::TimePoint now);

    // ---- time and shutdown
    void dispatch(base::TimePoint now);
    /// Reports phases that last longer than report_after; true while others may become so long.
    bool report_phases(base::TimePoint now);
    /// No new task is accepted and those that have not started go back at once.
    void close(std::string_view why, base::TimePoint now);
    /// Cancels what still runs; it ends as interrupted, unless it succeeds after all.
    void cancel_all(base::TimePoint now);
    /// Everything ends as interrupted now, whatever its calls do.
    void abandon_all(std::string_view why, base::TimePoint now);

    /// Disowned ones included, until they have ended.
    [[nodiscard]] std::uint32_t open_tasks() const noexcept { return tasks_.size(); }
    /// Versions of types that are remembered, and places of such that were.
    [[nodiscard]] std::size_t type_entries() const noexcept { return types_.size(); }
    [[nodiscard]] std::vector<wire::Claim> claims() const;
    /// The token and the live call behind it, for logs and progress; null: nobody hears of it.
    [[nodiscard]] const Task* find(runtime::CallId call) const noexcept;

    /// 0 when it is not on offer.
    [[nodiscard]] std::uint32_t credit(std::string_view type,
                                       std::string_view version) const noexcept;
    /// Types whose credit is worth a message; `closed` announces 0 until it is false again.
    void collect_credit(bool closed, std::vector<wire::Credit>& out);
    /// What the coordinator has just been told about all types by a capabilities message.
    void credit_announced();

private:
    /// One version of a task type.
    struct Type {
        runtime::TypeInfo info;
        std::optional<base::SemanticVersion> semantic;
        PluginId route = 0;       // 0: nobody runs it
        bool offered = false;     // else its plugin drains
        bool several = false;     // other versions of the type are on offer too
        std::uint32_t users = 0;  // tasks that refer to it
        std::uint32_t running = 0;
        bool touched = false;  // its credit may have changed
        bool closed = false;   // 0 was announced
        CreditMeter meter;
        TaskQueue queue;
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    /// The highest version on offer that is in the range, else one that drains, else no_slot.
    std::uint32_t choose(std::string_view name, std::string_view version_range) const;
    /// The entry of this version of the type; made when there is none.
    std::uint32_t claim(const runtime::TypeInfo& info);
    static bool is_higher(const Type& a, const Type& b);
    /// Shares out anew what waits for any version of the type; `why` is for what goes back.
    void redistribute(const std::string& name, std::string_view why, base::TimePoint now);
    void assign_to(Task& task, std::uint32_t type);
    void forget_if_unused(std::uint32_t type);
    std::uint32_t concurrency(const Type& type) const noexcept;
    std::uint32_t window(const Type& type) const noexcept;
    std::uint32_t credit(const Type& type) const noexcept;
    static std::uint32_t in_tasks(const Type& type, std::uint32_t calls) noexcept;
    static bool has_room(const Type& type, std::uint32_t most) noexcept;

    void cancel_slot(std::uint32_t slot, base::TimePoint now);
    void dispatch_type(Type& type, base::TimePoint now);
    void start(std::uint32_t slot, Type& type, std::uint32_t cost, base::TimePoint now);
    void start_execute(std::uint32_t slot, Type& type, std::uint32_t cost, base::TimePoint now);
    void start_install(std::uint32_t slot, Type& type, base::TimePoint now);
    void start_verify(std::uint32_t slot, Type& type);
    [[nodiscard]] runtime::InstallCall install_call(std::uint32_t slot, const Type& type);
    void occupy(Task& task, Type& type, Stage stage, std::uint32_t cost);
    void vacate(Task& task);

    void execute_ended(std::uint32_t slot, runtime::CallResult& result, base::TimePoint now);
    void install_ended(std::uint32_t slot, runtime::CallResult& result, base::TimePoint now);
    void verify_ended(std::uint32_t slot, const runtime::CallResult& result, base::TimePoint now);
    void go_on(std::uint32_t slot, base::TimePoint now);
    void fail_install(std::uint32_t slot, const std::string& why, base::TimePoint now);
    void run_again(std::uint32_t slot, const runtime::CallResult& result, base::TimePoint now);
    void requeue(std::uint32_t slot, base::TimePoint now);
    void release_waiting(InstallTable::Entry& entry, base::TimePoint now);
    void finish(std::uint32_t slot, Outcome&& outcome, base::TimePoint now);
    void finish(std::uint32_t slot,
                wire::AttemptStatus status,
                std::string_view message,
                base::TimePoint now);

    PhaseSettings settings_;
    PhaseActions& actions_;
    std::uint64_t capacity_;
    std::uint64_t used_ = 0;
    std::size_t turn_ = 0;  // type that dispatch begins with
    /// Of the last task without a range: the next one is mostly of the same.
    std::uint32_t last_type_ = no_slot;
    bool closed_ = false;
    TaskSlab tasks_;
    InstallTable installs_;
    std::vector<Type> types_;  // never shrinks: tasks refer to types by index
    std::vector<std::uint32_t> free_types_;
    struct PluginUse {
        std::string digest;
        std::uint32_t open_calls = 0;
        CallCounts calls;
    };
    std::vector<PluginUse> plugins_;  // by PluginId
    /// Indices into types_, the highest version first.
    std::unordered_map<std::string, std::vector<std::uint32_t>, TextHash, std::equal_to<>>
        versions_;
};

}  // namespace distributo::host
