#pragma once

#include "base/result.hpp"
#include "net/http_message.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::coordinator::api {

/// One place of a request that is wrong.
struct Fault {
    std::string pointer;  ///< RFC 6901, into the request's body: "/payload/n"
    std::string detail;   ///< "expected integer, got string"
};

/// The statuses of problems. An enumeration, so that no number converts into a Problem.
enum class Status : unsigned {
    bad_request = 400,
    not_found = 404,
    wrong_method = 405,
    conflict = 409,
    gone = 410,
    too_large = 413,
    misdirected = 421,
    unprocessable = 422,
    too_many = 429,
    internal = 500,
    unavailable = 503,
    timeout = 504,
    no_space = 507,
};

/// A request that cannot be met, in the terms of RFC 9457.
struct Problem {
    Status status = Status::internal;
    std::string_view code;  ///< stable name for programs, static text: "unknown_member"
    std::string detail;     ///< one sentence for a person
    std::string hint;       ///< what to try next; may be empty
    std::vector<Fault> faults;
    std::vector<std::pair<std::string_view, std::string>> extra;  ///< further members, texts
    std::int64_t retry_after_s = 1;                               ///< with 429, 503 and 507
};

/// Found by boost::system::result when the value of a failed one is used.
[[noreturn]] void throw_exception_from_error(const Problem& problem,
                                             const boost::source_location& where);

/// Either a value or the problem to answer with.
template <typename T = void>
using Checked = boost::system::result<T, Problem>;

/// Adds Retry-After where the status asks for it.
void add_retry_after(net::Response& response, const Problem& problem);

/// {"type","title","status","detail","code",…} without a line break.
void append_problem(std::string& out, const Problem& problem);

[[nodiscard]] net::Response to_response(const Problem& problem);

/// For what the engine and the store say; `limit` is 429.
[[nodiscard]] Problem to_problem(const base::Error& error);

/// A malformed text that a client sent.
[[nodiscard]] Problem malformed(const base::Error& error);

}  // namespace distributo::coordinator::api
