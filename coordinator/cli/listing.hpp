#pragma once

#include "base/config.hpp"
#include "coordinator/cli/commands.hpp"
#include "wire/json.hpp"

#include <boost/json.hpp>

#include <string>
#include <string_view>

/// What the commands that show a document of the API have in common.
namespace distributo::coordinator::cli {

/// Prints a document as the mode asks; `human` prints for people, and for --quiet.
template <typename Human>
CommandResult show(const Context& context, const std::string& body, Human human) {
    if (context.mode == OutputMode::json) {
        print(body);
        return base::exit_code::ok;
    }
    auto document = parse_document(body);
    if (!document)
        return document.error();
    human(*document);
    return base::exit_code::ok;
}

/// The value of one member of a JSON object, byte for byte; a null value when it has none.
[[nodiscard]] wire::json::Value raw_member(std::string_view object, std::string_view name);

/// Adds a query parameter to a target, if there is a value.
void append_parameter(std::string& target, std::string_view name, const std::string& value);

/// The array of that name; an empty one when there is none.
[[nodiscard]] const boost::json::array& items_of(const boost::json::value& document,
                                                 std::string_view name);

/// "; next attempt in 56 s", from the member retry_s; empty when there is none.
[[nodiscard]] std::string next_attempt(const boost::json::value& plugin);

}  // namespace distributo::coordinator::cli
