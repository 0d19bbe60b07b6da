#pragma once

#include "base/clock.hpp"
#include "host/plugin_id.hpp"
#include "runtime/runner.hpp"
#include "wire/messages.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace distributo::host {

inline constexpr std::uint32_t no_slot = 0xFFFF'FFFF;

/// What this host does with a task at the moment.
enum class Stage : std::uint8_t {
    free,        ///< the slot holds no task
    queued,      ///< waits for capacity or for its plugin
    blocked,     ///< waits for an install that another task's call runs
    installing,  ///< its call runs the plugin's install
    executing,
    ended,  ///< its call is over, what follows is being decided
};

/// One assigned task, from the assign message to its outcome.
struct Task {
    wire::Token token;
    wire::Lease lease;
    std::string id;
    std::string payload;
    std::string install;
    std::string version_range;  ///< of the versions that may run it; empty: any
    std::uint32_t type = 0;     ///< index into the machine's types
    PluginId plugin = 0;        ///< which runs its current call
    std::uint32_t attempt = 1;
    std::uint32_t reruns = 0;  ///< calls that ended through no fault of the task
    std::uint32_t install_entry = no_slot;
    std::uint32_t cost = 0;  ///< capacity that its call occupies
    std::uint32_t next = no_slot;
    std::uint32_t generation = 0;
    Stage stage = Stage::free;
    wire::Phase phase = wire::Phase::assigned;
    wire::Phase reported = wire::Phase::assigned;
    bool alone = false;       ///< suspected of crashing: gets a process of its own
    bool cancelled = false;   ///< the coordinator asked
    bool disowned = false;    ///< it was another coordinator's: nobody hears of it any more
    bool given_back = false;  ///< we ended it ourselves (drain): interrupted, unless it succeeds
    std::int64_t timeout_ms = 0;
    base::TimePoint deadline{};  ///< zero: none
    base::TimePoint since{};     ///< start of the phase
    wire::PhaseTimes times;
};

/// Ends the task's phase, adds its time to the record, and begins `phase`.
void enter(Task& task, wire::Phase phase, base::TimePoint now);

/// The tasks of a host in numbered slots. A call's id is its slot and the slot's generation, so a
/// result is found without a search, and a late one of an earlier task is recognised.
class TaskSlab {
public:
    [[nodiscard]] std::uint32_t create();
    void release(std::uint32_t slot);

    [[nodiscard]] Task& operator[](std::uint32_t slot) noexcept { return tasks_[slot]; }
    [[nodiscard]] const Task& operator[](std::uint32_t slot) const noexcept { return tasks_[slot]; }

    [[nodiscard]] runtime::CallId call_id(std::uint32_t slot) const noexcept {
        return (runtime::CallId{tasks_[slot].generation} << 32U) | slot;
    }
    /// no_slot when the call's task is not there any more.
    [[nodiscard]] std::uint32_t slot_of(runtime::CallId call) const noexcept;
    [[nodiscard]] std::uint32_t slot_of(const wire::Token& token) const noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept { return live_; }
    [[nodiscard]] std::uint32_t slots() const noexcept {
        return static_cast<std::uint32_t>(tasks_.size());
    }

private:
    std::vector<Task> tasks_;
    std::uint32_t free_ = no_slot;
    std::uint32_t live_ = 0;
};

/// First in, first out, linked through the tasks themselves.
class TaskQueue {
public:
    [[nodiscard]] bool empty() const noexcept { return head_ == no_slot; }
    [[nodiscard]] std::uint32_t front() const noexcept { return head_; }
    void push_back(TaskSlab& tasks, std::uint32_t slot) noexcept;
    void push_front(TaskSlab& tasks, std::uint32_t slot) noexcept;
    std::uint32_t pop_front(TaskSlab& tasks) noexcept;
    void remove(TaskSlab& tasks, std::uint32_t slot) noexcept;

private:
    std::uint32_t head_ = no_slot;
    std::uint32_t tail_ = no_slot;
};

}  // namespace distributo::host
