#pragma once

#include "base/result.hpp"
#include "wire/json_number.hpp"
#include "wire/pattern.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A schema in the form in which documents are checked against it.
namespace distributo::wire::schema {

using Index = std::size_t;  // of a node
inline constexpr Index no_node = static_cast<Index>(-1);

/// Bits of Node::types. Every integer is a number.
enum Type : std::uint8_t {
    type_null = 1,
    type_boolean = 2,
    type_number = 4,
    type_integer = 8,
    type_string = 16,
    type_array = 32,
    type_object = 64,
};
inline constexpr std::uint8_t any_type = 127;

struct Limits {
    std::size_t min = 0;
    std::size_t max = static_cast<std::size_t>(-1);
};

struct Range {
    std::optional<json::Decimal> minimum, maximum, exclusive_minimum, exclusive_maximum,
        multiple_of;
};

/// One schema object.
struct Node {
    bool nothing = false;  // the schema `false`
    std::uint8_t types = any_type;
    std::vector<std::string> allowed;       // enum or const, in canonical form …
    std::vector<std::string> allowed_text;  // … and as written
    bool restricted = false;                // enum or const is there
    Range range;
    Limits length, items_count, members_count;
    std::optional<Pattern> pattern;
    std::string pattern_text;
    std::map<std::string, Index, std::less<>> properties;
    std::vector<std::string> required;
    Index additional = no_node;
    std::vector<Index> prefix;
    Index items = no_node;
    bool unique = false;
    std::vector<Index> all_of, any_of, one_of;
    Index negated = no_node;
    Index reference = no_node;
};

struct Compiled {
    std::vector<Node> nodes;  // the first is the root
    std::vector<std::string> unchecked;
};

[[nodiscard]] base::Result<Compiled> compile(std::string_view text);

/// The reference token for `name` in a JSON pointer: "/" and the name with ~ and / escaped.
[[nodiscard]] std::string pointer_step(std::string_view name);

}  // namespace distributo::wire::schema
