#include "wire/json_canonical.hpp"
#include "wire/limits.hpp"
#include "wire/schema_node.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace distributo::wire::schema {
namespace {

using json::Kind;
using json::Value;

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 7> type_names{{
    {"null", type_null},
    {"boolean", type_boolean},
    {"number", type_number | type_integer},
    {"integer", type_integer},
    {"string", type_string},
    {"array", type_array},
    {"object", type_object},
}};

constexpr std::array<std::string_view, 12> annotations{"title",
                                                       "description",
                                                       "default",
                                                       "examples",
                                                       "format",
                                                       "$schema",
                                                       "$id",
                                                       "$comment",
                                                       "deprecated",
                                                       "readOnly",
                                                       "writeOnly",
                                                       "$anchor"};

std::string decoded(std::string_view raw_name) {
    return Value{Kind::string, {raw_name.data() - 1, raw_name.size() + 2}}.string().value_or("");
}

class Compiler {
public:
    base::Result<Compiled> compile(std::string_view text) {
        if (text.size() > limits::schema_length)
            return base::error(
                base::Errc::limit,
                "schema: longer than " + std::to_string(limits::schema_length) + " bytes");
        const auto parsed = json::parse(text);
        if (!parsed) {
            base::Error error = parsed.error();
            error.message.insert(0, "schema: ");
            return error;
        }
        subschema(*parsed, "");
        resolve_references();
        if (failed_)
            return error_;
        std::sort(result_.unchecked.begin(), result_.unchecked.end());
        result_.unchecked.erase(std::unique(result_.unchecked.begin(), result_.unchecked.end()),
                                result_.unchecked.end());
        return std::move(result_);
    }

private:
    void fail(const std::string& pointer, std::string_view what) {
        if (failed_)
            return;
        failed_ = true;
        std::string message = "schema";
        message.append(pointer.empty() ? "" : " at ").append(pointer).append(": ").append(what);
        error_ = base::error(base::Errc::invalid_argument, std::move(message));
    }

    Index subschema(const Value& value, const std::string& pointer) {
        const Index index = result_.nodes.size();
        result_.nodes.emplace_back();
        by_pointer_.emplace(pointer, index);
        if (value.kind == Kind::boolean) {
            result_.nodes[index].nothing = !value.boolean().value_or(true);
            return index;
        }
        if (value.kind != Kind::object) {
            fail(pointer, "expected an object or boolean");
            return index;
        }
        Node node;  // children are appended meanwhile, which moves the nodes
        each_member(value, [&](const std::string& name, const Value& content) {
            keyword(node, index, name, content, pointer + pointer_step(name));
        });
        result_.nodes[index] = std::move(node);
        return index;
    }

    template <typename OnMember>
    void each_member(const Value& object, OnMember on_member) {
        json::Reader reader(object.text);
        reader.begin_object();
        std::string_view raw;
        Value content;
        while (!failed_ && reader.next_member(raw) && reader.value(content))
            on_member(decoded(raw), content);
    }

    template <typename OnElement>
    void each_element(const Value& array, const std::string& pointer, OnElement on_element) {
        if (array.kind != Kind::array)
            return fail(pointer, "expected an array");
        json::Reader reader(array.text);
        reader.begin_array();
        Value element;
        for (std::size_t i = 0; !failed_ && reader.next_element() && reader.value(element); ++i)
            on_element(element, pointer + "/" + std::to_string(i));
    }

    void keyword(Node& node,
                 Index index,
                 const std::string& name,
                 const Value& value,
                 const std::string& pointer) {
        if (name == "type")
            types(node, value, pointer);
        else if (name == "enum" || name == "const")
            allowed(node, name == "enum", value, pointer);
        else if (name == "$ref")
            references_.push_back({index, text(value, pointer), pointer});
        else if (name == "pattern")
            pattern(node, value, pointer);
        else if (name == "uniqueItems")
            node.unique = flag(value, pointer);
        else if (!limit_keyword(node, name, value, pointer) &&
                 !object_keyword(node, name, value, pointer) &&
                 !combining_keyword(node, name, value, pointer) &&
                 std::find(annotations.begin(), annotations.end(), name) == annotations.end())
            result_.unchecked.push_back(name);
    }

    bool limit_keyword(Node& node,
                       const std::string& name,
                       const Value& value,
                       const std::string& pointer) {
        const std::pair<std::string_view, std::optional<json::Decimal>*> numbers[] = {
            {"minimum", &node.range.minimum},
            {"maximum", &node.range.maximum},
            {"exclusiveMinimum", &node.range.exclusive_minimum},
            {"exclusiveMaximum", &node.range.exclusive_maximum},
            {"multipleOf", &node.range.multiple_of}};
        for (const auto& [keyword, target] : numbers) {
            if (name == keyword) {
                number(*target, name == "multipleOf", value, pointer);
                return true;
            }
        }
        const std::pair<std::string_view, std::size_t*> counts[] = {
            {"minLength", &node.length.min},
            {"maxLength", &node.length.max},
            {"minItems", &node.items_count.min},
            {"maxItems", &node.items_count.max},
            {"minProperties", &node.members_count.min},
            {"maxProperties", &node.members_count.max}};
        for (const auto& [keyword, target] : counts) {
            if (name == keyword) {
                const auto count = value.unsigned_integer();
                if (!count)
                    fail(pointer, "expected an integer that is not negative");
                *target = count.value_or(0);
                return true;
            }
        }
        return false;
    }

    bool object_keyword(Node& node,
                        const std::string& name,
                        const Value& value,
                        const std::string& pointer) {
        if (name == "properties" || name == "$defs" || name == "definitions") {
            if (value.kind != Kind::object)
                fail(pointer, "expected an object");
            else
                each_member(value, [&](const std::string& member, const Value& content) {
                    const Index child = subschema(content, pointer + pointer_step(member));
                    if (name == "properties")
                        node.properties[member] = child;
                });
        } else if (name == "required") {
            each_element(value, pointer, [&](const Value& element, const std::string& place) {
                node.required.push_back(text(element, place));
            });
        } else if (name == "additionalProperties") {
            node.additional = subschema(value, pointer);
        } else if (name == "items" && value.kind != Kind::array) {
            node.items = subschema(value, pointer);
        } else if (name == "prefixItems") {
            subschemas(node.prefix, value, pointer);
        } else {
            return false;
        }
        return true;
    }

    bool combining_keyword(Node& node,
                           const std::string& name,
                           const Value& value,
                           const std::string& pointer) {
        if (name == "allOf")
            subschemas(node.all_of, value, pointer);
        else if (name == "anyOf")
            subschemas(node.any_of, value, pointer);
        else if (name == "oneOf")
            subschemas(node.one_of, value, pointer);
        else if (name == "not")
            node.negated = subschema(value, pointer);
        else
            return false;
        return true;
    }

    void subschemas(std::vector<Index>& out, const Value& value, const std::string& pointer) {
        each_element(value, pointer, [&](const Value& element, const std::string& place) {
            out.push_back(subschema(element, place));
        });
        if (out.empty())
            fail(pointer, "expected at least one schema");
    }

    void types(Node& node, const Value& value, const std::string& pointer) {
        node.types = 0;
        const auto add = [&](const Value& name, const std::string& place) {
            const std::string word = text(name, place);
            for (const auto& [known, bits] : type_names)
                if (word == known)
                    node.types |= bits;
            if (node.types == 0)
                fail(place, "expected the name of a type, got " + std::string(name.text));
        };
        if (value.kind == Kind::array)
            each_element(value, pointer, add);
        else
            add(value, pointer);
    }

    void allowed(Node& node, bool list, const Value& value, const std::string& pointer) {
        // enum and const of one schema: both have to hold, so a second one narrows the first.
        std::vector<std::string> canonical;
        std::vector<std::string> as_written;
        const auto add = [&](const Value& element, const std::string&) {
            std::string form = json::canonical(element);
            if (node.restricted &&
                std::find(node.allowed.begin(), node.allowed.end(), form) == node.allowed.end())
                return;
            canonical.push_back(std::move(form));
            as_written.emplace_back(element.text);
        };
        if (list)
            each_element(value, pointer, add);
        else
            add(value, pointer);
        node.restricted = true;
        node.allowed = std::move(canonical);
        node.allowed_text = std::move(as_written);
    }

    void number(std::optional<json::Decimal>& target,
                bool divisor,
                const Value& value,
                const std::string& pointer) {
        if (value.kind != Kind::number)
            return fail(pointer, "expected a number");
        json::Decimal number = json::Decimal::of(value.text);
        if (divisor && (number.negative || number.is_zero()))
            return fail(pointer, "expected a number above zero");
        if (divisor && number.digits.size() > json::Decimal::max_divisor_digits)
            return result_.unchecked.emplace_back("multipleOf"), void();
        target = std::move(number);
    }

    void pattern(Node& node, const Value& value, const std::string& pointer) {
        node.pattern_text = text(value, pointer);
        auto compiled = Pattern::compile(node.pattern_text);
        if (compiled)
            node.pattern = std::move(*compiled);
        else if (compiled.error().code == base::Errc::unavailable)
            result_.unchecked.emplace_back("pattern");
        else
            fail(pointer, compiled.error().message);
    }

    std::string text(const Value& value, const std::string& pointer) {
        auto string = value.string();
        if (!string)
            fail(pointer, "expected a string");
        return string.value_or("");
    }

    bool flag(const Value& value, const std::string& pointer) {
        if (value.kind != Kind::boolean)
            fail(pointer, "expected true or false");
        return value.boolean().value_or(false);
    }

    void resolve_references() {
        for (const Reference& reference : references_) {
            const bool local = reference.target.starts_with('#');
            const auto found = by_pointer_.find(local ? reference.target.substr(1) : "?");
            if (!local || found == by_pointer_.end())
                return fail(
                    reference.pointer,
                    "expected \"#/$defs/…\" of this schema, got \"" + reference.target + "\"");
            result_.nodes[reference.from].reference = found->second;
        }
    }

    struct Reference {
        Index from;
        std::string target;
        std::string pointer;
    };

    Compiled result_;
    std::map<std::string, Index> by_pointer_;
    std::vector<Reference> references_;
    bool failed_ = false;
    base::Error error_;
};

}  // namespace

std::string pointer_step(std::string_view name) {
    std::string step = "/";
    for (const char c : name) {
        if (c == '~')
            step += "~0";
        else if (c == '/')
            step += "~1";
        else
            step += c;
    }
    return step;
}

base::Result<Compiled> compile(std::string_view text) {
    return Compiler().compile(text);
}

}  // namespace distributo::wire::schema
