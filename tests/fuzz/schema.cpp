#include "wire/schema.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "wire/json.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace distributo::wire;
using distributo::tests::require;

std::string text_of(const std::vector<SchemaViolation>& violations) {
    std::string all;
    for (const auto& [pointer, message] : violations)
        all += pointer + ": " + message + "\n";
    return all;
}

}  // namespace

/// The schema, a line break, and a document.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = distributo::tests::text_of(data, size);
    const auto newline = std::min(text.find('\n'), text.size());
    const auto document = text.substr(std::min(newline + 1, text.size()));
    const auto schema = Schema::compile(text.substr(0, newline));
    if (!schema)
        return 0;
    require(json::parse(text.substr(0, newline)).has_value(), "a schema is valid JSON");
    const auto violations = schema->check(document);
    require(violations.size() <= 16, "violations are limited");
    require(text_of(schema->check(document)) == text_of(violations), "checking has no memory");
    if (!json::parse(document))
        require(!violations.empty(), "what is no JSON does not fit");
    const auto first = schema->check(document, 1);
    require(first.empty() == violations.empty(), "the limit does not change whether it fits");
    return 0;
}
