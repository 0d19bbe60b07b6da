#pragma once

#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::wire {

namespace schema {
struct Compiled;
}

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
/// (title, description, default, examples, format, $schema, $id, $comment, deprecated, readOnly,
/// writeOnly) excepted. Numbers are compared exactly, whatever their size. Patterns run in linear
/// time, without look-around and back references. Work is bounded: a document that takes too much
/// is a violation.
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
    explicit Schema(std::shared_ptr<const schema::Compiled> compiled)
        : compiled_(std::move(compiled)) {}

    std::shared_ptr<const schema::Compiled> compiled_;
};

}  // namespace distributo::wire
