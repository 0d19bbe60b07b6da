#pragma once

#include <distributo/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace script {

[[nodiscard]] inline dto_str abi_text(std::string_view text) {
    return {text.data(), text.size()};
}
[[nodiscard]] inline std::string copy_text(dto_str text) {
    return text.len == 0 ? std::string() : std::string(text.ptr, text.len);
}

/// How a call of a script ended.
struct Outcome {
    dto_status status = DTO_OK;
    std::string result;   ///< JSON, with DTO_OK
    std::string message;  ///< one line, otherwise
    std::string detail;   ///< JSON or empty
    std::int64_t after_ms = 0;
};

/// The table of the host: members that it lacks do nothing. Any thread.
class Host {
public:
    explicit Host(const dto_host* offered);

    /// Reports how the call ended and returns the status for execute() and its like.
    dto_status end(dto_call* call, const Outcome& outcome) const;
    void log(dto_call* call, dto_level level, std::string_view text, std::string_view fields) const;
    void progress(dto_call* call, double fraction, std::string_view text) const;
    [[nodiscard]] bool cancelled(dto_call* call) const;
    /// False when the call was cancelled meanwhile. Blocks.
    [[nodiscard]] bool wait(dto_call* call, std::int64_t ms) const;
    /// Below 0: there is no deadline.
    [[nodiscard]] std::int64_t remaining_ms(dto_call* call) const;
    /// Empty when the host cannot make one.
    [[nodiscard]] std::string work_dir(dto_call* call) const;
    /// DTO_UNSUPPORTED when the host takes no follow-up tasks.
    dto_status emit(dto_call* call, const dto_task_spec& task) const;

private:
    dto_status fail(dto_call* call, const Outcome& outcome) const;

    const dto_host* offered_;
    dto_host table_{};
};

}  // namespace script
