#pragma once

#include "coordinator/engine/engine.hpp"

#include <string>
#include <string_view>

/// How tasks and what belongs to them look in answers.
namespace distributo::coordinator::api {

/// How much of a task an answer shows.
enum class Detail {
    brief,   ///< without payload, install, args, env and result
    result,  ///< and the result
    full,
};

enum class Repeated { no, yes };

/// The id under which people know a task: the given one, or the number's text.
[[nodiscard]] std::string shown_id(core::TaskId id, const core::TaskOptions* options);

/// The id of what became of a submit with these options. A task that was there because of its
/// unique key may have another id than was asked for.
[[nodiscard]] std::string shown_id(const engine::Engine& engine,
                                   const engine::Submitted& submitted,
                                   const core::TaskOptions* options);

/// One task as an object; the engine knows its generator. `repeated`: say that it was there
/// already.
void append_task(std::string& out,
                 const engine::Engine& engine,
                 const engine::TaskDetails& task,
                 Detail detail,
                 Repeated repeated = Repeated::no);

/// One recorded end as an object, as in /v1/results; `record` must have an outcome.
void append_result(std::string& out,
                   const engine::Engine& engine,
                   const store::TaskRecord& record,
                   Detail detail);

/// Every attempt of a task, the one that runs now is the last, and what people asked of it, as an
/// object.
void append_attempts(std::string& out, const engine::TaskDetails& task);

/// Makes the JSON value that begins at `begin` one line. Inside of a JSON string a line break is
/// always escaped, so one that stands there itself is white space and may become a space.
void keep_on_one_line(std::string& out, std::size_t begin);

}  // namespace distributo::coordinator::api
