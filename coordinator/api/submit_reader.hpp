#pragma once

#include "coordinator/api/members.hpp"
#include "coordinator/api/request.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace distributo::coordinator::api {

/// Reads the tasks of one request. Made for thousands of tasks that differ in little: a task
/// without options costs no allocation but its payload's, and neighbours with equal options share
/// them. What it returns refers to the reader.
class SubmitReader {
public:
    /// No text of a task is longer than this.
    static constexpr std::size_t max_text = 3 * 1024 * 1024;

    explicit SubmitReader(Context& context);

    /// A task as /v1 writes it: {"type","payload",…}.
    [[nodiscard]] Checked<engine::Submit> read(std::string_view text);

    /// A task whose parts were found elsewhere; checks its type's name and range of versions
    /// ("render@^1.2"), its size and its schema.
    [[nodiscard]] Checked<engine::Submit> make(std::string_view type,
                                               std::string_view payload,
                                               std::shared_ptr<const core::TaskOptions> options);

private:
    struct Type {
        std::string text;  ///< as it was given, with the range
        std::string name;
        std::string version_range;
        std::optional<wire::Schema> schema;
        std::shared_ptr<const core::TaskOptions> unpinned;  ///< what `pinned` was made from
        std::shared_ptr<const core::TaskOptions> pinned;    ///< the same with the range
    };
    [[nodiscard]] Checked<Type*> type(std::string_view text);
    /// These options with the range of the type.
    [[nodiscard]] static std::shared_ptr<const core::TaskOptions> pin(
        Type& type, std::shared_ptr<const core::TaskOptions> options);
    [[nodiscard]] Checked<std::shared_ptr<const core::TaskOptions>> options();

    Context& context_;
    base::WallTime now_;  ///< the request's time, for all of its tasks
    std::unordered_map<std::string_view, std::unique_ptr<Type>> types_;
    Type* last_type_ = nullptr;
    std::vector<Member> members_;
    std::vector<Member> option_members_;
    std::string option_text_;  ///< what `last_options_` was read from
    std::string next_option_text_;
    std::shared_ptr<const core::TaskOptions> last_options_;
};

}  // namespace distributo::coordinator::api
