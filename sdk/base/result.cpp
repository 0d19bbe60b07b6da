#include "base/result.hpp"

#include <stdexcept>

namespace distributo::base {

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    throw std::logic_error(std::string(where.function_name()) +
                           ": value of a failed result was used: " + error.message);
}

}  // namespace distributo::base
