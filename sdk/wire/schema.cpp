#include "wire/schema.hpp"

#include "base/config.hpp"
#include "wire/json.hpp"
#include "wire/json_canonical.hpp"
#include "wire/schema_node.hpp"
#include "wire/utf8.hpp"

#include <algorithm>
#include <unordered_set>

namespace distributo::wire {
namespace {

using json::Decimal;
using json::Kind;
using json::Value;
using schema::Index;
using schema::no_node;
using schema::Node;

constexpr std::uint64_t max_work = 2'000'000;  // steps of some ten nanoseconds
constexpr std::uint64_t bytes_per_step = 32;   // that the reader covers in one step
constexpr std::size_t max_depth = 1000;        // of schemas in schemas; references may form rings
constexpr std::size_t excerpt_length = 40;

std::string excerpt(std::string_view text) {
    if (text.size() <= excerpt_length)
        return std::string(text);
    std::size_t size = excerpt_length;
    while ((static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
        --size;
    return std::string(text.substr(0, size)) + "…";
}

/// Number texts without fraction and exponent are integers; others by value.
bool is_integer(std::string_view text) {
    return text.find_first_of(".eE") == std::string_view::npos || Decimal::of(text).is_integer();
}

std::uint8_t type_bits(const Value& value) {
    switch (value.kind) {
        case Kind::null:
            return schema::type_null;
        case Kind::boolean:
            return schema::type_boolean;
        case Kind::number:
            return is_integer(value.text) ? schema::type_integer : schema::type_number;
        case Kind::string:
            return schema::type_string;
        case Kind::array:
            return schema::type_array;
        case Kind::object:
            break;
    }
    return schema::type_object;
}

std::string_view type_name(std::uint8_t bit) {
    switch (bit) {
        case schema::type_null:
            return "null";
        case schema::type_boolean:
            return "boolean";
        case schema::type_number:
            return "number";
        case schema::type_integer:
            return "integer";
        case schema::type_string:
            return "string";
        case schema::type_array:
            return "array";
        default:
            return "object";
    }
}

std::string type_names(std::uint8_t bits) {
    if ((bits & schema::type_number) != 0)
        bits = static_cast<std::uint8_t>(bits & ~schema::type_integer);
    std::string names;
    for (unsigned bit = 1; bit <= schema::type_object; bit <<= 1U) {
        if ((bits & bit) == 0)
            continue;
        names.append(names.empty() ? "" : " or ").append(type_name(static_cast<std::uint8_t>(bit)));
    }
    return names;
}

/// One pass of a document over a compiled schema.
class Checker {
public:
    Checker(const schema::Compiled& schema, std::size_t limit) : schema_(schema), limit_(limit) {}

    std::vector<SchemaViolation> run(const Value& document) {
        check(0, document);
        if (exhausted_) {
            violations_.clear();
            violations_.push_back({"", "takes too much work to check against the schema"});
        }
        return std::move(violations_);
    }

private:
    [[nodiscard]] bool done() const { return exhausted_ || violations_.size() >= limit_; }

    void violate(std::string message) {
        if (!done())
            violations_.push_back({pointer_, std::move(message)});
    }

    bool spend(std::uint64_t steps) {
        if (steps > work_)
            exhausted_ = true;
        else
            work_ -= steps;
        return !exhausted_;
    }

    void check(Index index, const Value& value) {
        const Node& node = schema_.nodes[index];
        if (done() || !spend(1 + value.text.size() / bytes_per_step))
            return;
        if (++depth_ > max_depth)
            exhausted_ = true;
        else if (node.nothing)
            violate("is not allowed here");
        else if ((node.types & type_bits(value)) == 0)
            violate("expected " + type_names(node.types) + ", got " +
                    std::string(type_name(type_bits(value))));
        else
            check_content(node, value);
        --depth_;
    }

    void check_content(const Node& node, const Value& value) {
        if (node.restricted)
            check_allowed(node, value);
        if (value.kind == Kind::number)
            check_range(node.range, value);
        else if (value.kind == Kind::string)
            check_string(node, value);
        else if (value.kind == Kind::array)
            check_array(node, value);
        else if (value.kind == Kind::object)
            check_object(node, value);
        check_combinations(node, value);
    }

    void check_allowed(const Node& node, const Value& value) {
        const std::string form = json::canonical(value);
        if (std::find(node.allowed.begin(), node.allowed.end(), form) != node.allowed.end())
            return;
        std::string expected = node.allowed.size() == 1 ? "expected " : "expected one of ";
        for (std::size_t i = 0; i < node.allowed_text.size() && i < 8; ++i)
            expected.append(i == 0 ? "" : ", ").append(excerpt(node.allowed_text[i]));
        if (node.allowed_text.size() > 8)
            expected += ", …";
        violate(expected + ", got " + excerpt(value.text));
    }

    void check_range(const schema::Range& range, const Value& value) {
        if (!range.minimum && !range.maximum && !range.exclusive_minimum &&
            !range.exclusive_maximum && !range.multiple_of)
            return;
        const Decimal number = Decimal::of(value.text);
        const auto expect = [&](bool holds, const char* what, const Decimal& bound) {
            if (!holds)
                violate(std::string("expected ") + what + decimal_text(bound) + ", got " +
                        excerpt(value.text));
        };
        if (range.minimum)
            expect(number >= *range.minimum, "at least ", *range.minimum);
        if (range.exclusive_minimum)
            expect(number > *range.exclusive_minimum, "more than ", *range.exclusive_minimum);
        if (range.maximum)
            expect(number <= *range.maximum, "at most ", *range.maximum);
        if (range.exclusive_maximum)
            expect(number < *range.exclusive_maximum, "less than ", *range.exclusive_maximum);
        if (range.multiple_of)
            expect(number.is_multiple_of(*range.multiple_of), "a multiple of ", *range.multiple_of);
    }

    static std::string decimal_text(const Decimal& number) {
        if (number.is_zero())
            return "0";
        std::string text = number.negative ? "-" : "";
        const auto digits = static_cast<std::int64_t>(number.digits.size());
        if (number.exponent > 20 || number.exponent < -5)
            return text + "0." + number.digits + "e" + std::to_string(number.exponent);
        if (number.exponent <= 0)
            return text + "0." + std::string(static_cast<std::size_t>(-number.exponent), '0') +
                   number.digits;
        if (number.exponent >= digits)
            return text + number.digits +
                   std::string(static_cast<std::size_t>(number.exponent - digits), '0');
        const auto point = static_cast<std::size_t>(number.exponent);
        return text + number.digits.substr(0, point) + "." + number.digits.substr(point);
    }

    void check_count(std::size_t count, const schema::Limits& limits, const char* what) {
        if (count < limits.min)
            violate("expected at least " + std::to_string(limits.min) + what + ", got " +
                    std::to_string(count));
        if (count > limits.max)
            violate("expected at most " + std::to_string(limits.max) + what + ", got " +
                    std::to_string(count));
    }

    void check_string(const Node& node, const Value& value) {
        const schema::Limits unlimited;
        const bool counted = node.length.min != unlimited.min || node.length.max != unlimited.max;
        if (!counted && !node.pattern)
            return;
        const std::string text = value.string().value_or("");
        if (counted)
            check_count(count_characters(text), node.length, " characters");
        if (!node.pattern)
            return;
        const auto found = node.pattern->search(text, work_);
        if (!found)
            exhausted_ = true;
        else if (!*found)
            violate("expected a match of " + node.pattern_text + ", got " + excerpt(value.text));
    }

    void check_array(const Node& node, const Value& value) {
        json::Reader reader(value.text);
        reader.begin_array();
        Value element;
        std::size_t count = 0;
        std::unordered_set<std::string> seen;
        const std::size_t here = pointer_.size();
        for (; !done() && reader.next_element() && reader.value(element); ++count) {
            const Index child = count < node.prefix.size() ? node.prefix[count] : node.items;
            if (child == no_node && !node.unique)
                continue;
            pointer_.append("/").append(std::to_string(count));
            if (child != no_node)
                check(child, element);
            if (node.unique && !seen.insert(json::canonical(element)).second)
                violate("stands in the list twice");
            pointer_.resize(here);
        }
        if (!done())
            check_count(count, node.items_count, " items");
    }

    void check_object(const Node& node, const Value& value) {
        json::Reader reader(value.text);
        reader.begin_object();
        std::string_view raw;
        Value member;
        std::size_t count = 0;
        std::vector<bool> present(node.required.size());
        const std::size_t here = pointer_.size();
        for (; !done() && reader.next_member(raw) && reader.value(member); ++count) {
            const std::string name =
                Value{Kind::string, {raw.data() - 1, raw.size() + 2}}.string().value_or("");
            for (std::size_t i = 0; i < present.size(); ++i)
                if (node.required[i] == name)
                    present[i] = true;
            const auto known = node.properties.find(name);
            const Index child = known != node.properties.end() ? known->second : node.additional;
            if (child == no_node)
                continue;
            pointer_ += schema::pointer_step(name);
            if (known == node.properties.end() && schema_.nodes[child].nothing)
                violate_unknown(node, name);
            else
                check(child, member);
            pointer_.resize(here);
        }
        for (std::size_t i = 0; i < present.size() && !done(); ++i) {
            if (present[i])
                continue;
            pointer_ += schema::pointer_step(node.required[i]);
            violate("is required, but missing");
            pointer_.resize(here);
        }
        if (!done())
            check_count(count, node.members_count, " members");
    }

    void violate_unknown(const Node& node, const std::string& name) {
        std::vector<std::string> names;
        for (const auto& [known, index] : node.properties)
            names.push_back(known);
        const std::string near = base::nearest(name, names);
        violate(near.empty() ? "is not a known member"
                             : "is not a known member; did you mean \"" + near + "\"?");
    }

    void check_combinations(const Node& node, const Value& value) {
        if (node.reference != no_node)
            check(node.reference, value);
        for (const Index child : node.all_of)
            check(child, value);
        if (!node.any_of.empty())
            check_choice(node.any_of, value, false);
        if (!node.one_of.empty())
            check_choice(node.one_of, value, true);
        if (node.negated != no_node && !done() && violations_of(node.negated, value).empty())
            violate("must not match the schema under \"not\"");
    }

    /// What one alternative has against the value, without recording it.
    std::vector<SchemaViolation> violations_of(Index index, const Value& value) {
        const auto kept = std::exchange(violations_, {});
        check(index, value);
        return std::exchange(violations_, kept);
    }

    void check_choice(const std::vector<Index>& alternatives, const Value& value, bool exactly) {
        std::size_t matches = 0;
        std::size_t of_type = 0;
        std::vector<SchemaViolation> nearest;
        for (const Index alternative : alternatives) {
            if (done())
                return;
            auto violations = violations_of(alternative, value);
            if (exhausted_)
                return;
            if (violations.empty()) {
                if (++matches == 1 && !exactly)
                    return;
            } else if (accepts_type(alternative, value) && ++of_type == 1) {
                nearest = std::move(violations);
            }
        }
        if (matches == 1)
            return;
        if (matches > 1)
            return violate("expected one alternative, matches " + std::to_string(matches));
        if (of_type != 1)
            return violate("matches none of " + std::to_string(alternatives.size()) +
                           " alternatives");
        for (auto& violation : nearest)
            if (!done())
                violations_.push_back(std::move(violation));
    }

    [[nodiscard]] bool accepts_type(Index index, const Value& value) const {
        for (std::size_t hops = 0; hops < schema_.nodes.size(); ++hops) {
            const Node& node = schema_.nodes[index];
            if ((node.types & type_bits(value)) == 0 || node.nothing)
                return false;
            if (node.reference == no_node)
                return true;
            index = node.reference;
        }
        return false;
    }

    const schema::Compiled& schema_;
    std::size_t limit_;
    std::vector<SchemaViolation> violations_;
    std::string pointer_;
    std::uint64_t work_ = max_work;
    std::size_t depth_ = 0;
    bool exhausted_ = false;
};

}  // namespace

base::Result<Schema> Schema::compile(std::string_view text) {
    auto compiled = schema::compile(text);
    if (!compiled)
        return compiled.error();
    return Schema(std::make_shared<const schema::Compiled>(std::move(*compiled)));
}

std::vector<SchemaViolation> Schema::check(std::string_view document, std::size_t limit) const {
    const auto value = json::parse(document);
    if (!value)
        return {{"", value.error().message}};
    return Checker(*compiled_, std::max<std::size_t>(limit, 1)).run(*value);
}

const std::vector<std::string>& Schema::unchecked() const noexcept {
    return compiled_->unchecked;
}

}  // namespace distributo::wire
