#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace distributo::base {

/// What kind of failure it is; decides the exit code of a command and the status of a response.
enum class Errc {
    invalid_argument,  ///< the input is wrong and stays wrong
    not_found,
    conflict,     ///< the state of the thing does not allow it
    limit,        ///< a documented limit was exceeded
    unavailable,  ///< the other side cannot be reached or does not serve now
    timeout,
    io,
    internal,
    no_space,  ///< the disk is full
};

/// An expected failure: one sentence for a person, and what to try next (may be empty).
struct Error {
    Errc code = Errc::internal;
    std::string message;
    std::string hint;
};

[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

/// Either a value or an Error. Consumed at once: `if (!x) return x.error();`
template <typename T = void>
using Result = boost::system::result<T, Error>;

inline Error error(Errc code, std::string message, std::string hint = {}) {
    return {code, std::move(message), std::move(hint)};
}

}  // namespace distributo::base
