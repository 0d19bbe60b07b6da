#pragma once

#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::wire {

/// One place where a document breaks its schema. `pointer` is an RFC 6901 JSON pointer ("/n").
struct SchemaViolation {
    std::string pointer;
    std::string message;  ///< "expected integer, got string"
};

/// A compiled JSON Schema (2020-12), for the keywords that describe data of C++ types:
/// type, enum, const, properties, required, additionalProperties, items, prefixItems, minItems,
/// maxItems, uniqueItems, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf,
/// minLength, maxLength, pattern, minProperties, maxProperties, anyOf, oneOf, allOf, not,
/// $ref to "#/$defs/…". A keyword that is not checked is listed in `unchecked()`, annotations
/// (title, description, default, examples, format, $schema, $id, $comment, deprecated) excepted.
///
/// Immutable; any thread.
class Schema {
public:
    /// Compiles the text of a schema; the error names the pointer of what is wrong in it.
    [[nodiscard]] static base::Result<Schema> compile(std::string_view text);

    /// Every violation in a valid JSON document, in document order, at most `limit`.
    [[nodiscard]] std::vector<SchemaViolation> check(std::string_view document,
                                                     std::size_t limit = 16) const;
    [[nodiscard]] const std::vector<std::string>& unchecked() const noexcept;

private:
    struct Node;
    struct Compiled;
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace distributo::wire
