#pragma once

#include "alarm.hpp"
#include "host.hpp"
#include "python_object.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace script {

/// A function that a script offers.
struct Type {
    std::string name, version, summary, payload_schema, result_schema;
    std::int64_t timeout_ms = 0;
};

/// A script that is loaded and set up. All members, the destructor too, need the interpreter's
/// lock and the script's own thread, cancel() excepted.
class Script {
public:
    /// Null, with the reason in `fault`, when it cannot be used.
    [[nodiscard]] static std::unique_ptr<Script> load(const std::filesystem::path& file,
                                                      const std::string& config,
                                                      std::string& fault);
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;
    ~Script() = default;

    [[nodiscard]] const std::vector<Type>& types() const noexcept { return types_; }
    [[nodiscard]] Outcome run(const Host& host, dto_call* call, const dto_execute& task);
    void tear_down();
    /// Any thread, never waits: the call is to end.
    void cancel(const dto_call* call) { alarm_->ring(call); }
    /// Without the lock, after tear_down(): ends the thread that cancels.
    void silence() { alarm_.reset(); }

private:
    Script(Object object, Object exception);
    [[nodiscard]] bool describe();
    [[nodiscard]] Outcome call(PyObject* native, const dto_execute& task);

    Object object_;
    std::unique_ptr<Alarm> alarm_;
    std::vector<Type> types_;
};

}  // namespace script
