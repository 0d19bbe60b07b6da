#pragma once

#include "coordinator/api/members.hpp"
#include "coordinator/api/submit_reader.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::api {

/// Reads tasks as the routes /addTask and /addTasks take them:
/// {"projectName":"p","options":{"taskType":"t",…}}. Unknown members are ignored, and what is
/// falsy in JavaScript counts as missing. A problem's `detail` is the text for {"error":…}.
class OriginalForm {
public:
    /// `missing_project` is the text for a task without projectName.
    OriginalForm(Context& context, std::string_view missing_project)
        : reader_(context), missing_project_(missing_project) {}

    [[nodiscard]] Checked<engine::Submit> read(std::string_view text);

    /// projectName of the task that was read last, as JSON; "undefined" when it had none.
    [[nodiscard]] const std::string& project_json() const noexcept { return project_json_; }

private:
    using Options = std::shared_ptr<const core::TaskOptions>;

    [[nodiscard]] Checked<> read_task_options(const wire::json::Value* options);
    [[nodiscard]] Checked<std::string> project_name(const wire::json::Value* value);
    [[nodiscard]] Checked<std::string> task_type() const;
    [[nodiscard]] Checked<Options> options(const std::string& project);
    void warn_of_directory(const std::string& project);

    SubmitReader reader_;
    std::string missing_project_;
    std::string project_json_;
    std::vector<Member> members_;
    std::vector<Member> options_;
    Options plain_;  ///< options of the last project's tasks that say nothing but their type
    bool warned_ = false;
};

}  // namespace distributo::coordinator::api
