#pragma once

#include "base/clock.hpp"
#include "runtime/arena.hpp"
#include "runtime/calls.hpp"

#include <distributo/abi.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
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
};

/// The context of one call after another, on one thread. begin() and end() belong to that thread;
/// everything else may come from any thread, also late.
class Call {
public:
    /// `work_root`: where private directories are made on demand.
    Call(CallReporter& reporter, std::filesystem::path work_root);
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call();

    enum class Kind : std::uint8_t {
        task,
        async_task,  ///< the plugin may end it by complete()
        root,        ///< nobody's: log, notify, cancelled and wait only
    };

    /// `deadline`: TimePoint::max() for none.
    dto_call* begin(CallId id, base::TimePoint deadline, Kind kind);
    /// Closes the call to the plugin and says how it ended. Waits for complete() after DTO_PENDING,
    /// and for the plugin's cancel function when that is running.
    void end(dto_status status, CallResult& result);

    /// If `id` is what runs here: makes cancelled() true, wakes wait(), and calls `wake(call)`
    /// while the call cannot end.
    template <typename Wake>
    bool cancel(CallId id, const Wake& wake) {
        const std::lock_guard ending(ending_);
        dto_call* const call = current_.load();
        if (id_ != id || !call)
            return false;
        raise(*call);
        wake(call);
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
    bool accept_media_type(std::string_view media_type);
    bool may_log(base::TimePoint now);
    void raise(dto_call& call);
    void await_completion(dto_status& status);
    void fill(dto_status status, CallResult& result);
    void fill_ok(CallResult& result);
    void fill_failure(dto_status status, CallResult& result);
    void clean_up();

    CallReporter& reporter_;
    const std::filesystem::path work_root_;
    std::array<dto_call, handles> handles_;
    std::size_t next_handle_ = 0;
    std::atomic<dto_call*> current_{nullptr};
    std::atomic<CallId> id_{0};
    base::TimePoint deadline_{};
    Kind kind_ = Kind::task;

    std::mutex ending_;  // held while the plugin's cancel function runs, and to end the call

    std::mutex mutex_;  // of everything below
    std::condition_variable changed_;
    std::string result_;
    std::string reserved_;
    std::string foreign_media_type_;
    Failure failure_;
    Arena arena_;
    std::string work_dir_;
    int cancel_event_ = -1;
    bool has_result_ = false;
    bool has_reserved_ = false;
    bool failed_ = false;
    bool completed_ = false;
    dto_status completion_ = DTO_OK;
    base::TimePoint progress_at_{};
    base::TimePoint log_filled_{};
    double log_tokens_ = 0;
    std::uint64_t logs_dropped_ = 0;
};

}  // namespace distributo::runtime
