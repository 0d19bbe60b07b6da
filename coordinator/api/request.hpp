#pragma once

#include "coordinator/api/api.hpp"
#include "coordinator/api/problem.hpp"
#include "coordinator/engine/schema_cache.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::api {

/// What all handlers share. Answers that come later hold the engine, never this.
struct Context {
    engine::Engine& engine;
    const base::Clock& clock;
    std::uint16_t host_port;
    std::filesystem::path backup_folder;
    base::TimePoint started;
    extensions::Extensions* extensions;  ///< null: there are none
    engine::SchemaCache schemas;
};

/// One complete request.
struct Request {
    const net::RequestHead& head;
    std::vector<std::string> captured;  ///< what stands for the pattern's {…}, in order
    std::string body;
};

/// Answers a complete request, now or later.
using Handle = void (*)(Context& context, const Request& request, net::Respond respond);

/// Takes a request's body as it arrives.
using Open = std::unique_ptr<net::Exchange> (*)(Context& context,
                                                const net::RequestHead& head,
                                                net::Respond respond);

/// One line of the routing table: exactly one of `handle` and `open` is set.
struct Route {
    net::Method method;
    std::string_view pattern;     ///< "/v1/tasks/{id}"; {…} stands for one non-empty segment
    std::string_view parameters;  ///< the query parameters that it understands, space between
    Handle handle = nullptr;
    Open open = nullptr;
};

/// A complete answer with JSON; `body` gets its line break here.
[[nodiscard]] net::Response json_response(std::string body, unsigned status = 200);

/// Takes and forgets a request's body, then gives the answer that was known before: so the
/// connection can be used again.
[[nodiscard]] std::unique_ptr<net::Exchange> refused_exchange(net::Response response,
                                                              net::Respond respond);

// ---- query parameters: absent ones give the default, wrong ones a problem --------------------

/// The longest that any request waits for news; whoever wants more asks again.
inline constexpr base::Duration longest_wait = std::chrono::minutes(10);

[[nodiscard]] Checked<base::Duration> wait_of(const net::RequestHead& head);
[[nodiscard]] Checked<std::size_t> limit_of(const net::RequestHead& head, std::size_t preset);
/// The next_cursor of a list that goes down the ids; all of them when there is none.
[[nodiscard]] Checked<core::TaskId> id_cursor_of(const net::RequestHead& head);
[[nodiscard]] std::string text_of(const net::RequestHead& head, std::string_view name);
/// A time such as 2026-05-04T09:12:33Z, or how long ago: -1h.
[[nodiscard]] Checked<std::optional<base::WallTime>> time_of(const net::RequestHead& head,
                                                             std::string_view name,
                                                             base::WallTime now);
/// One of `choices` (space between); the first is the default.
[[nodiscard]] Checked<std::string> choice_of(const net::RequestHead& head,
                                             std::string_view name,
                                             std::string_view choices);
[[nodiscard]] Problem invalid_parameter(std::string_view name, std::string detail);

/// The parts of a text between single separators.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

/// Does the client ask for one JSON value per line?
[[nodiscard]] bool wants_lines(const net::RequestHead& head);

}  // namespace distributo::coordinator::api
