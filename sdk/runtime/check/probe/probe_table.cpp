#include "base/version.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/check/probe/entered.hpp"
#include "runtime/check/probe/services.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <sys/eventfd.h>

namespace distributo::runtime::check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::int32_t DTO_CALL log_enabled(dto_call* call, dto_level) {
    return entered(call, "log_enabled", HostFunction::log_enabled, 0, [](ProbeCall&) { return 1; });
}

void DTO_CALL log(dto_call* call, dto_level, dto_str, dto_str) {
    entered(call, "log", HostFunction::none, 0, [](ProbeCall&) { return 0; });
}

void DTO_CALL set_error(dto_call* call, const dto_error* error) {
    entered(call, "set_error", HostFunction::none, 0, [&](ProbeCall& of) {
        const std::lock_guard lock(of.mutex);
        if (error)
            of.message = copy_text(error->message);
        return 0;
    });
}

void DTO_CALL progress(dto_call* call, double, dto_str) {
    entered(call, "progress", HostFunction::none, 0, [](ProbeCall&) { return 0; });
}

std::int32_t DTO_CALL cancelled(dto_call* call) {
    return entered(call, "cancelled", HostFunction::none, 1, [](ProbeCall& of) {
        return of.cancelled || steady_clock::now() >= of.deadline ? 1 : 0;
    });
}

dto_status DTO_CALL wait(dto_call* call, std::int64_t ms) {
    return status_of(call, "wait", HostFunction::wait, DTO_CANCELLED, [&](ProbeCall& of) {
        constexpr std::int64_t longest = 86'400'000;
        std::unique_lock lock(of.mutex);
        const auto until =
            std::min(of.deadline,
                     steady_clock::now() + milliseconds(std::clamp<std::int64_t>(ms, 0, longest)));
        while (!of.cancelled && steady_clock::now() < until)
            of.changed.wait_until(lock, until);
        return of.cancelled || steady_clock::now() >= of.deadline ? DTO_CANCELLED : DTO_OK;
    });
}

std::intptr_t DTO_CALL cancel_handle(dto_call* call) {
    return entered(
        call, "cancel_handle", HostFunction::cancel_handle, std::intptr_t{-1}, [](ProbeCall& of) {
            const std::lock_guard lock(of.mutex);
            if (of.cancel_event < 0)
                of.cancel_event = eventfd(of.cancelled ? 1 : 0, EFD_CLOEXEC);
            return of.cancel_event;
        });
}

std::int64_t DTO_CALL remaining_ms(dto_call* call) {
    return entered(
        call, "remaining_ms", HostFunction::remaining_ms, std::int64_t{-1}, [](ProbeCall& of) {
            if (of.deadline == steady_clock::time_point::max())
                return std::int64_t{-1};
            const auto left =
                std::chrono::duration_cast<milliseconds>(of.deadline - steady_clock::now());
            return std::max<std::int64_t>(left.count(), 0);
        });
}

dto_status DTO_CALL work_dir(dto_call* call, dto_str* path) {
    return status_of(
        call, "work_dir", HostFunction::work_dir, DTO_RETRY_ELSEWHERE, [&](ProbeCall& of) {
            if (of.is_root || !path)
                return DTO_UNSUPPORTED;
            const std::lock_guard lock(of.mutex);
            if (of.work_dir.empty())
                of.work_dir = of.host->new_folder().string();
            *path = abi_text(of.work_dir);
            return DTO_OK;
        });
}

/// Notes a result that the plugin was told has not been taken.
void lose_result(dto_call* raw, dto_status status) {
    if (!raw || status == DTO_OK)
        return;
    ProbeCall& call = ProbeCall::of(raw);
    const std::lock_guard lock(call.mutex);
    call.result_lost = true;
}

dto_status take_result(ProbeCall& call, std::string_view data) {
    if (call.is_root)
        return DTO_UNSUPPORTED;
    if (data.size() > wire::limits::inline_result)
        return DTO_PERMANENT;
    call.result = data;
    call.has_result = true;
    call.result_lost = false;
    return DTO_OK;
}

dto_status DTO_CALL result(dto_call* call, dto_bytes data, dto_str) {
    const auto status =
        status_of(call, "result", HostFunction::result, DTO_RETRY, [&](ProbeCall& of) {
            const std::lock_guard lock(of.mutex);
            return take_result(of, {static_cast<const char*>(data.ptr), data.len});
        });
    lose_result(call, status);
    return status;
}

dto_status DTO_CALL result_reserve(dto_call* call, std::uint64_t size, void** out) {
    const auto status = status_of(
        call, "result_reserve", HostFunction::result_reserve, DTO_RETRY, [&](ProbeCall& of) {
            if (of.is_root || !out || size > wire::limits::inline_result)
                return DTO_PERMANENT;
            const std::lock_guard lock(of.mutex);
            of.reserved.assign(static_cast<std::size_t>(size), '\0');
            *out = of.reserved.data();
            return DTO_OK;
        });
    lose_result(call, status);
    return status;
}

dto_status DTO_CALL result_commit(dto_call* call, std::uint64_t used, dto_str) {
    const auto status = status_of(
        call, "result_commit", HostFunction::result_commit, DTO_RETRY, [&](ProbeCall& of) {
            const std::lock_guard lock(of.mutex);
            if (used > of.reserved.size())
                return dto_status{DTO_PERMANENT};
            return take_result(of, std::string_view(of.reserved).substr(0, used));
        });
    lose_result(call, status);
    return status;
}

void* DTO_CALL scratch(dto_call* call, std::size_t size) {
    return entered(
        call, "scratch", HostFunction::scratch, static_cast<void*>(nullptr), [&](ProbeCall& of) {
            const std::lock_guard lock(of.mutex);
            constexpr std::size_t unit = sizeof(std::max_align_t);
            auto& block = of.arena.emplace_back(std::max<std::size_t>((size + unit - 1) / unit, 1));
            return static_cast<void*>(block.data());
        });
}

dto_status DTO_CALL complete(dto_call* raw, dto_status status) {
    if (!raw)
        return DTO_UNSUPPORTED;
    ProbeCall& call = ProbeCall::of(raw);
    const std::lock_guard lock(call.mutex);
    if (call.completed)
        call.host->blame(Offence::complete, "complete() for the second time");
    else if (!call.alive)
        call.host->blame(Offence::after_end, "complete() after the end of its call");
    else if (!call.is_async)
        call.host->blame(Offence::complete, "complete() of a type without DTO_TASK_ASYNC");
    if (call.completed || !call.alive || !call.is_async)
        return DTO_UNSUPPORTED;
    call.completed = true;
    call.completion = status;
    call.alive = false;
    call.changed.notify_all();
    return DTO_OK;
}

dto_status DTO_CALL notify(dto_call* call, dto_str what) {
    return status_of(call, "notify", HostFunction::notify, DTO_UNSUPPORTED, [&](ProbeCall&) {
        const auto text = view_text(what);
        return text == "capabilities" || text == "more" ? DTO_OK : DTO_UNSUPPORTED;
    });
}

const void* DTO_CALL get_service(const dto_host* host, const char* id) {
    if (!host || !host->root || !id)
        return nullptr;
    ProbeHost& of = *ProbeCall::of(host->root).host;
    return of.enter(HostFunction::get_service) ? nullptr : find_service(id);
}

}  // namespace

dto_host make_probe_table() {
    dto_host host{};
    host.struct_size = sizeof host;
    host.abi_minor = DTO_ABI_MINOR;
    host.name = abi_text("distributo-check");
    host.version = abi_text(base::version);
    host.log_enabled = &log_enabled;
    host.log = &log;
    host.set_error = &set_error;
    host.progress = &progress;
    host.cancelled = &cancelled;
    host.wait = &wait;
    host.cancel_handle = &cancel_handle;
    host.remaining_ms = &remaining_ms;
    host.work_dir = &work_dir;
    host.result = &result;
    host.result_reserve = &result_reserve;
    host.result_commit = &result_commit;
    host.scratch = &scratch;
    host.complete = &complete;
    host.notify = &notify;
    host.get_service = &get_service;
    return host;
}

}  // namespace distributo::runtime::check
