#pragma once

#include "base/clock.hpp"
#include "runtime/arena.hpp"
#include "runtime/artifacts.hpp"
#include "runtime/calls.hpp"
#include "runtime/follow_ups.hpp"

#include <distributo/abi.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::runtime {
class Call;
}

/// What a plugin holds while it is called. Outlives the call as a number that no longer fits, so
/// that a late use is noticed; see Call.
struct dto_call {
    distributo::runtime::Call* owner = nullptr;
    std::atomic<std::int32_t> cancelled{1};
    std::atomic<bool> reported{false};
};

namespace distributo::runtime {

/// Where calls report to while they run. Any thread.
class CallReporter {
public:
    virtual ~CallReporter() = default;
    virtual void log(CallId call, std::string_view stream, std::string_view text) = 0;
    virtual void progress(CallId call, double fraction, std::string_view text) = 0;

    // What plugins of a host share; where nobody answers, there is nothing.
    /// False when there is no such value. May take a moment.
    virtual bool cache_get(std::string_view, std::string&) { return false; }
    virtual void cache_put(std::string_view, std::string_view, std::int64_t /*ttl_ms*/) {}
    /// The plugin's probe would answer differently.
    virtual void capabilities_changed() {}
    /// A generator would have something now.
    virtual void more() {}
};

/// Where a generator puts what it makes in one call after another.
struct FeedBook {
    FollowUps tasks;
    std::optional<std::string> checkpoint;  ///< nothing: as it was
};

/// The context of one call after another. begin() and end() belong to one thread at a time;
/// everything else may come from any thread, also late.
///
///     idle ─begin─▶ running ─end─▶ idle
///                      └─end: DTO_PENDING─▶ pending ─complete─▶ idle, told to the Pending
class Call {
public:
    /// Hears of a call that was left pending and has ended now; on the thread that completed it,
    /// or that was just cancelling it. The Call is idle again.
    class Pending {
    public:
        virtual ~Pending() = default;
        virtual void pending_ended(CallResult&& result) = 0;
    };

    /// `work_root`: where private directories are made on demand. Without `pending` no call may
    /// be an async_task.
    Call(CallReporter& reporter, std::filesystem::path work_root, Pending* pending = nullptr);
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call();

    enum class Kind : std::uint8_t {
        task,
        async_task,  ///< the plugin may end it by complete()
        service,     ///< setup, install and the like: everything but follow-up tasks
        feed,        ///< of a generator: likewise, but it has a FeedBook
        root,        ///< nobody's: log, notify, cancelled and wait only
    };

    /// `deadline`: TimePoint::max() for none.
    dto_call* begin(CallId id, base::TimePoint deadline, Kind kind);
    /// The same for a feed; `book` outlives the call.
    dto_call* begin_feed(CallId id, base::TimePoint deadline, FeedBook& book);
    /// The plugin's function has returned. True: the call is closed to the plugin, and `result`
    /// says how it ended. False: it stays pending, and may already be over when this returns.
    /// Waits for the plugin's cancel function when that is running.
    bool end(dto_status status, CallResult& result);

    /// If `id` is what runs here: makes cancelled() true, wakes wait(), and calls `wake(call)`
    /// while the call cannot end. No lock is held meanwhile: what `wake` waits for may be a thread
    /// that is inside complete().
    template <typename Wake>
    bool cancel(CallId id, const Wake& wake) {
        dto_call* const call = begin_cancel(id);
        if (!call)
            return false;
        wake(call);
        end_cancel();
        return true;
    }

    // What the host table offers; `call` has been passed by the plugin.
    void log(dto_call* call, dto_level level, std::string_view text, std::string_view fields);
    void set_error(dto_call* call, const dto_error& error);
    void progress(dto_call* call, double fraction, std::string_view text);
    dto_status wait(dto_call* call, std::int64_t milliseconds);
    std::intptr_t cancel_handle(dto_call* call);
    std::int64_t remaining_ms(dto_call* call);
    dto_status work_dir(dto_call* call, dto_str& path);
    dto_status result(dto_call* call, std::string_view data, std::string_view media_type);
    dto_status reserve(dto_call* call, std::uint64_t size, void*& out);
    dto_status commit(dto_call* call, std::uint64_t used, std::string_view media_type);
    void* scratch(dto_call* call, std::size_t size);
    dto_status complete(dto_call* call, dto_status status);
    dto_status emit(dto_call* call, const dto_task_spec& spec);
    dto_status cache_get(dto_call* call, std::string_view key, dto_bytes& value);
    dto_status cache_put(dto_call* call,
                         std::string_view key,
                         std::string_view value,
                         std::int64_t ttl_ms);
    dto_status notify(dto_call* call, std::string_view what);
    dto_status feed(dto_call* call, const dto_task_spec& spec);
    dto_status checkpoint(dto_call* call, std::string_view token);
    /// Runs `use(artifacts, why)` on the artifacts of this call and logs why it was refused.
    template <typename Use>
    dto_status with_artifacts(dto_call* call, const char* function, const Use& use) {
        Artifacts* const artifacts = artifacts_of(call, function);
        std::string why;
        if (!artifacts)
            return accept_for(call, function) == DTO_OK ? DTO_RETRY_ELSEWHERE : DTO_CANCELLED;
        const dto_status status = use(*artifacts, why);
        if (!why.empty())
            log(call, DTO_ERROR, std::string(function) + ": " + why, {});
        return status;
    }
    /// Memory that is the call's until it ends, with these bytes; null when there is none.
    const char* keep(dto_call* call, std::string_view bytes);
    /// For functions that need nothing else of the call.
    bool is_current(dto_call* call, const char* function);

private:
    /// Handles rotate, so that one that is used after its call is not mistaken for the next call's.
    static constexpr std::size_t handles = 64;

    struct Failure {
        dto_status code = 0;
        std::string message, detail;
        std::int64_t retry_after_ms = 0;
    };

    bool accept(dto_call* call, const char* function);
    dto_status accept_task(dto_call* call, const char* function);
    dto_status accept_for(dto_call* call, const char* function);
    Artifacts* artifacts_of(dto_call* call, const char* function);
    bool accept_media_type(std::string_view media_type);
    bool may_log(base::TimePoint now);
    dto_call* begin_cancel(CallId id);
    void end_cancel();
    void shut();
    void finish_pending();
    void fill(dto_status status, CallResult& result);
    void fill_ok(CallResult& result);
    void fill_failure(dto_status status, CallResult& result);
    void clean_up();

    CallReporter& reporter_;
    const std::filesystem::path work_root_;
    Pending* const pending_owner_;
    std::array<dto_call, handles> handles_;
    std::size_t next_handle_ = 0;
    std::atomic<dto_call*> current_{nullptr};
    std::atomic<CallId> id_{0};
    base::TimePoint deadline_{};
    Kind kind_ = Kind::task;
    FeedBook* book_ = nullptr;  // of a feed

    std::mutex mutex_;  // of everything below
    std::condition_variable changed_;
    std::string result_;
    std::string reserved_;
    std::string foreign_media_type_;
    Failure failure_;
    FollowUps follow_ups_;
    std::unique_ptr<Artifacts> artifacts_;  // made by the first call that uses them
    Arena arena_;
    std::string work_dir_;
    int cancel_event_ = -1;
    bool has_result_ = false;
    bool has_reserved_ = false;
    bool failed_ = false;
    bool cancelling_ = false;  // the plugin's cancel function runs
    bool pending_ = false;     // execute has returned DTO_PENDING
    bool completed_ = false;   // complete() was called; the plugin is done with the handle
    dto_status completion_ = DTO_OK;
    base::TimePoint progress_at_{};
    base::TimePoint log_filled_{};
    double log_tokens_ = 0;
    std::uint64_t logs_dropped_ = 0;
};

}  // namespace distributo::runtime
