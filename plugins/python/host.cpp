#include "host.hpp"

#include <algorithm>
#include <cstring>

namespace script {

Host::Host(const dto_host* offered) : offered_(offered) {
    std::memcpy(&table_, offered, std::min<std::size_t>(offered->struct_size, sizeof table_));
}

dto_status Host::end(dto_call* call, const Outcome& outcome) const {
    if (outcome.status != DTO_OK)
        return fail(call, outcome);
    const auto size = outcome.result.size();
    const dto_status status = table_.result ? table_.result(call, {outcome.result.data(), size}, {})
                                            : dto_status{DTO_UNSUPPORTED};
    if (status == DTO_OK)
        return status;
    return fail(call,
                {.status = status,
                 .result = {},
                 .message = "the host does not take a result of " + std::to_string(size) + " bytes",
                 .detail = {}});
}

dto_status Host::fail(dto_call* call, const Outcome& outcome) const {
    if (table_.set_error) {
        dto_error error{};
        error.struct_size = sizeof error;
        error.code = outcome.status;
        error.message = abi_text(outcome.message);
        error.detail_json = abi_text(outcome.detail);
        error.retry_after_ms = outcome.after_ms;
        table_.set_error(call, &error);
    }
    return outcome.status;
}

void Host::log(dto_call* call,
               dto_level level,
               std::string_view text,
               std::string_view fields) const {
    if (table_.log && (!table_.log_enabled || table_.log_enabled(call, level) != 0))
        table_.log(call, level, abi_text(text), abi_text(fields));
}

void Host::progress(dto_call* call, double fraction, std::string_view text) const {
    if (table_.progress)
        table_.progress(call, fraction, abi_text(text));
}

bool Host::cancelled(dto_call* call) const {
    return table_.cancelled && table_.cancelled(call) != 0;
}

bool Host::wait(dto_call* call, std::int64_t ms) const {
    return !table_.wait || table_.wait(call, ms) == DTO_OK;
}

std::int64_t Host::remaining_ms(dto_call* call) const {
    return table_.remaining_ms ? table_.remaining_ms(call) : -1;
}

std::string Host::work_dir(dto_call* call) const {
    dto_str path{};
    return table_.work_dir && table_.work_dir(call, &path) == DTO_OK ? copy_text(path)
                                                                     : std::string();
}

dto_status Host::emit(dto_call* call, const dto_task_spec& task) const {
    const auto* const service =
        table_.get_service
            ? static_cast<const dto_emit*>(table_.get_service(offered_, DTO_SERVICE_EMIT))
            : nullptr;
    return service ? service->task(call, &task) : dto_status{DTO_UNSUPPORTED};
}

}  // namespace script
