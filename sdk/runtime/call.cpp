#include "runtime/call.hpp"

#include "runtime/abi_text.hpp"
#include "runtime/utf8.hpp"
#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::size_t longest_line = 16 * 1024;
constexpr std::size_t longest_detail = 64 * 1024;
constexpr base::Duration progress_interval = std::chrono::milliseconds(100);
/// Lines that a call may log at once, and per second after that.
constexpr double log_burst = 2000;
constexpr double log_rate = 500;

constexpr std::string_view json_type = "application/json";

std::string_view prefix_of(dto_level level) {
    if (level >= DTO_ERROR)
        return "error: ";
    return level == DTO_WARN ? "warn: " : std::string_view();
}

CallResult::Status status_of(dto_status status) {
    switch (status) {
        case DTO_RETRY_ELSEWHERE:
            return CallResult::Status::retry_elsewhere;
        case DTO_CANCELLED:
            return CallResult::Status::cancelled;
        default:
            return status >= 1 && status <= 63 ? CallResult::Status::retry
                                               : CallResult::Status::permanent;
    }
}

}  // namespace

Call::Call(CallReporter& reporter, fs::path work_root, Pending* pending)
    : reporter_(reporter), work_root_(std::move(work_root)), pending_owner_(pending) {
    for (auto& handle : handles_)
        handle.owner = this;
}

Call::~Call() {
    clean_up();
    if (cancel_event_ >= 0)
        close(cancel_event_);
}

dto_call* Call::begin(CallId id, base::TimePoint deadline, Kind kind) {
    dto_call& handle = handles_[next_handle_++ % handles];
    handle.cancelled.store(0, std::memory_order_relaxed);
    handle.reported.store(false, std::memory_order_relaxed);
    deadline_ = deadline;
    kind_ = kind;
    id_.store(id);
    current_.store(&handle, std::memory_order_release);
    return &handle;
}

dto_call* Call::begin_feed(CallId id, base::TimePoint deadline, FeedBook& book) {
    book_ = &book;
    return begin(id, deadline, Kind::feed);
}

bool Call::end(dto_status status, CallResult& result) {
    {
        std::unique_lock lock(mutex_);
        if (cancelling_)
            changed_.wait(lock, [this] { return !cancelling_; });
        if (completed_) {
            status = completion_;
        } else if (status == DTO_PENDING && kind_ == Kind::async_task) {
            pending_ = true;
            return false;
        }
        shut();
    }
    // Nobody else gets past accept() any more: the rest needs no lock.
    fill(status, result);
    clean_up();
    return true;
}

/// The mutex is held.
void Call::shut() {
    current_.load()->cancelled.store(1, std::memory_order_relaxed);
    current_.store(nullptr);
}

void Call::finish_pending() {
    CallResult result;
    fill(completion_, result);
    clean_up();
    // The next call may begin before this returns.
    pending_owner_->pending_ended(std::move(result));
}

dto_call* Call::begin_cancel(CallId id) {
    const std::lock_guard lock(mutex_);
    dto_call* const call = current_.load();
    if (id_ != id || !call || completed_ || cancelling_)
        return nullptr;
    cancelling_ = true;
    call->cancelled.store(1, std::memory_order_relaxed);
    if (cancel_event_ >= 0)
        eventfd_write(cancel_event_, 1);
    changed_.notify_all();
    return call;
}

void Call::end_cancel() {
    {
        const std::lock_guard lock(mutex_);
        cancelling_ = false;
        changed_.notify_all();
        if (!pending_ || !completed_)
            return;
        shut();
    }
    finish_pending();
}

void Call::clean_up() {
    if (artifacts_)
        artifacts_->end();
    if (!work_dir_.empty()) {
        std::error_code ignored;
        fs::remove_all(work_dir_, ignored);
        work_dir_.clear();
    }
    if (cancel_event_ >= 0) {
        eventfd_t ignored = 0;
        eventfd_read(cancel_event_, &ignored);
    }
    if (logs_dropped_ > 0)
        reporter_.log(id_,
                      "plugin",
                      std::to_string(std::exchange(logs_dropped_, 0)) +
                          " lines dropped: more than " +
                          std::to_string(static_cast<int>(log_rate)) + " a second");
    arena_.clear();
    result_.clear();
    reserved_.clear();
    follow_ups_.clear();
    has_result_ = has_reserved_ = failed_ = pending_ = completed_ = false;
    progress_at_ = log_filled_ = {};
}

// ---- how it ended ----------------------------------------------------------------------------

void Call::fill(dto_status status, CallResult& result) {
    result.call = id_;
    if (status == DTO_OK)
        fill_ok(result);
    else
        fill_failure(status, result);
    foreign_media_type_.clear();
}

void Call::fill_ok(CallResult& result) {
    if (!foreign_media_type_.empty()) {
        result.status = CallResult::Status::permanent;
        result.message =
            "the result is " + foreign_media_type_ + ", but results must be JSON in this version";
        return;
    }
    if (!has_result_) {
        result.result = "null";
        result.emitted = follow_ups_.take();
        return;
    }
    if (const auto parsed = wire::json::parse(result_); !parsed) {
        result.status = CallResult::Status::permanent;
        result.message = "the result is not one JSON value: " + parsed.error().message;
        return;
    }
    result.result = std::move(result_);
    result.emitted = follow_ups_.take();
}

void Call::fill_failure(dto_status status, CallResult& result) {
    if (status == DTO_PENDING)
        reporter_.log(id_,
                      "plugin",
                      "PLUGIN_MISBEHAVING: DTO_PENDING by a task type that is not DTO_TASK_ASYNC");
    result.status = status_of(failed_ && failure_.code != DTO_OK ? failure_.code : status);
    if (!failed_) {
        result.message = result.status == CallResult::Status::cancelled
                             ? "cancelled"
                             : "the plugin gave no reason (status " + std::to_string(status) + ")";
        return;
    }
    result.message = std::move(failure_.message);
    if (!failure_.detail.empty() && wire::json::parse(failure_.detail))
        result.detail = std::move(failure_.detail);
    result.retry_after_ms =
        std::clamp<std::int64_t>(failure_.retry_after_ms, 0, wire::limits::max_duration_ms);
}

// ---- what the plugin asks for ----------------------------------------------------------------

bool Call::accept(dto_call* call, const char* function) {
    if (current_.load(std::memory_order_relaxed) == call && !completed_)
        return true;
    // The plugin's cancel function may still hold what another thread completes meanwhile.
    const bool overtaken = current_.load(std::memory_order_relaxed) == call && cancelling_;
    if (!overtaken && !call->reported.exchange(true))
        reporter_.log(
            0,
            "plugin",
            "PLUGIN_MISBEHAVING: " + std::string(function) + "() with a call that has ended");
    return false;
}

dto_status Call::accept_task(dto_call* call, const char* function) {
    if (!accept(call, function))
        return DTO_CANCELLED;
    return kind_ == Kind::root ? DTO_UNSUPPORTED : DTO_OK;
}

bool Call::is_current(dto_call* call, const char* function) {
    const std::lock_guard lock(mutex_);
    return accept(call, function);
}

bool Call::may_log(base::TimePoint now) {
    if (log_filled_ == base::TimePoint())
        log_tokens_ = log_burst;
    else
        log_tokens_ = std::min(
            log_burst,
            log_tokens_ + std::chrono::duration<double>(now - log_filled_).count() * log_rate);
    log_filled_ = now;
    if (log_tokens_ < 1) {
        ++logs_dropped_;
        return false;
    }
    --log_tokens_;
    return true;
}

void Call::log(dto_call* call, dto_level level, std::string_view text, std::string_view fields) {
    if (level < DTO_INFO)
        return;
    CallId id = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!accept(call, "log") || !may_log(steady_clock::now()))
            return;
        id = id_;
    }
    std::string line(prefix_of(level));
    line += cut_utf8(text, longest_line);
    if (!fields.empty() && line.size() < longest_line) {
        line += ' ';
        line += cut_utf8(fields, longest_line - line.size());
    }
    reporter_.log(id, "plugin", line);
}

void Call::set_error(dto_call* call, const dto_error& error) {
    const std::lock_guard lock(mutex_);
    if (!accept(call, "set_error"))
        return;
    failed_ = true;
    failure_.code = error.code;
    failure_.message = cut_utf8(view_text(error.message), wire::limits::error_length);
    const auto detail =
        DTO_HAS(dto_error, &error, detail_json) ? view_text(error.detail_json) : std::string_view();
    failure_.detail = detail.size() <= longest_detail ? detail : std::string_view();
    failure_.retry_after_ms = DTO_HAS(dto_error, &error, retry_after_ms) ? error.retry_after_ms : 0;
}

void Call::progress(dto_call* call, double fraction, std::string_view text) {
    CallId id = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!accept(call, "progress"))
            return;
        const auto now = steady_clock::now();
        if (progress_at_ != base::TimePoint() && now - progress_at_ < progress_interval)
            return;
        progress_at_ = now;
        id = id_;
    }
    fraction = std::isnan(fraction) || fraction < 0 ? -1 : std::min(fraction, 1.0);
    reporter_.progress(id, fraction, cut_utf8(text, wire::limits::progress_length));
}

dto_status Call::wait(dto_call* call, std::int64_t milliseconds) {
    constexpr std::int64_t longest = std::int64_t{1000} * 3600 * 24 * 365;
    const auto until = steady_clock::now() + std::chrono::milliseconds(std::clamp<std::int64_t>(
                                                 milliseconds, 0, longest));
    std::unique_lock lock(mutex_);
    if (!accept(call, "wait"))
        return DTO_CANCELLED;
    const bool cancelled = changed_.wait_until(
        lock, until, [call] { return call->cancelled.load(std::memory_order_relaxed) != 0; });
    return cancelled ? DTO_CANCELLED : DTO_OK;
}

std::intptr_t Call::cancel_handle(dto_call* call) {
    const std::lock_guard lock(mutex_);
    if (!accept(call, "cancel_handle"))
        return 0;
    if (cancel_event_ < 0)
        cancel_event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cancel_event_ >= 0 && call->cancelled.load(std::memory_order_relaxed) != 0)
        eventfd_write(cancel_event_, 1);
    return cancel_event_;
}

std::int64_t Call::remaining_ms(dto_call* call) {
    const std::lock_guard lock(mutex_);
    if (!accept(call, "remaining_ms"))
        return 0;
    if (deadline_ == base::TimePoint::max())
        return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - steady_clock::now());
    return std::max<std::int64_t>(left.count(), 0);
}

dto_status Call::work_dir(dto_call* call, dto_str& path) {
    const std::lock_guard lock(mutex_);
    if (const auto refused = accept_task(call, "work_dir"))
        return refused;
    if (work_dir_.empty()) {
        std::error_code error;
        fs::create_directories(work_root_, error);
        std::string pattern = (work_root_ / "call-XXXXXX").string();
        if (error || !mkdtemp(pattern.data()))
            return DTO_RETRY_ELSEWHERE;
        work_dir_ = std::move(pattern);
    }
    path = abi_text(work_dir_);
    return DTO_OK;
}

// ---- results ---------------------------------------------------------------------------------

bool Call::accept_media_type(std::string_view media_type) {
    foreign_media_type_.clear();
    if (media_type.empty() || media_type == json_type)
        return true;
    foreign_media_type_ = cut_utf8(media_type, 100);
    return false;
}

dto_status Call::result(dto_call* call, std::string_view data, std::string_view media_type) {
    const std::lock_guard lock(mutex_);
    if (const auto refused = accept_task(call, "result"))
        return refused;
    if (data.size() > wire::limits::inline_result)
        return DTO_PERMANENT;
    if (!accept_media_type(media_type))
        return DTO_UNSUPPORTED;
    result_.assign(data);
    has_result_ = true;
    return DTO_OK;
}

dto_status Call::reserve(dto_call* call, std::uint64_t size, void*& out) {
    out = nullptr;
    const std::lock_guard lock(mutex_);
    if (const auto refused = accept_task(call, "result_reserve"))
        return refused;
    if (size > wire::limits::inline_result)
        return DTO_PERMANENT;
    reserved_.resize(static_cast<std::size_t>(size));
    has_reserved_ = true;
    out = reserved_.data();
    return DTO_OK;
}

dto_status Call::commit(dto_call* call, std::uint64_t used, std::string_view media_type) {
    const std::lock_guard lock(mutex_);
    if (const auto refused = accept_task(call, "result_commit"))
        return refused;
    if (!has_reserved_ || used > reserved_.size())
        return DTO_PERMANENT;
    if (!accept_media_type(media_type))
        return DTO_UNSUPPORTED;
    reserved_.resize(static_cast<std::size_t>(used));
    result_ = std::move(reserved_);
    reserved_.clear();
    has_reserved_ = false;
    has_result_ = true;
    return DTO_OK;
}

void* Call::scratch(dto_call* call, std::size_t size) {
    const std::lock_guard lock(mutex_);
    return accept_task(call, "scratch") == DTO_OK ? arena_.take(size) : nullptr;
}

dto_status Call::complete(dto_call* call, dto_status status) {
    {
        const std::lock_guard lock(mutex_);
        if (!accept(call, "complete") || kind_ != Kind::async_task)
            return DTO_UNSUPPORTED;
        completed_ = true;
        completion_ = status == DTO_PENDING ? DTO_RETRY : status;
        call->cancelled.store(1, std::memory_order_relaxed);
        // Who is inside the plugin with this call, in execute or in cancel, ends it afterwards.
        if (!pending_ || cancelling_)
            return DTO_OK;
        shut();
    }
    finish_pending();
    return DTO_OK;
}

}  // namespace distributo::runtime
