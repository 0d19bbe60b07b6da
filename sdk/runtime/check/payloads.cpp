#include "runtime/check/payloads.hpp"

#include "wire/json.hpp"
#include "wire/schema.hpp"
#include "wire/schema_node.hpp"

#include <algorithm>
#include <limits>

namespace distributo::runtime::check {
namespace {

namespace schema = wire::schema;
namespace json = wire::json;

constexpr std::size_t most_payloads = 64;  // of each kind; each is a task that runs
constexpr std::size_t most_values = 12;    // for one place of the document
constexpr std::size_t longest_text = 4096;
constexpr std::size_t longest_array = 64;
constexpr std::int64_t longest_integer = 20;  // digits; beyond, an exponent is shorter
constexpr int deepest = 6;                    // a schema may refer to itself

using Texts = std::vector<std::string>;

std::string quoted(std::string_view text) {
    std::string out;
    json::append_string(out, text);
    return out;
}

/// One member of an object and the text of its value.
using Members = std::vector<std::pair<std::string, std::string>>;

std::string object(const Members& members) {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    for (const auto& [name, value] : members)
        out.escaped_key(name).raw(value);
    out.end_object();
    return text;
}

/// The members of an object's text; empty when it is none.
Members members_of(std::string_view text) {
    Members members;
    json::Reader reader(text);
    if (reader.peek() != json::Kind::object || !reader.begin_object())
        return members;
    for (std::string_view key; reader.next_member(key);) {
        json::Value name;
        json::Value value;
        const std::string quoted_key = '"' + std::string(key) + '"';
        if (!json::Reader(quoted_key).value(name) || !reader.value(value))
            break;
        members.emplace_back(name.string().value_or(std::string(key)), value.text);
    }
    return members;
}

void set(Members& members, const std::string& name, const std::string& value) {
    const auto at = std::find_if(
        members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
    if (at == members.end())
        members.emplace_back(name, value);
    else
        at->second = value;
}

void remove(Members& members, const std::string& name) {
    std::erase_if(members, [&](const auto& member) { return member.first == name; });
}

class Maker {
public:
    explicit Maker(const schema::Compiled& compiled) : nodes_(compiled.nodes) {}

    /// Values for one node, the plainest first; not all of them need to be valid.
    Texts values(schema::Index index, int depth) const {
        Texts out;
        if (index == schema::no_node || depth > deepest)
            return {"null"};
        const schema::Node& node = nodes_[index];
        if (node.restricted)
            out = node.allowed_text;
        else if (node.reference != schema::no_node)
            out = values(node.reference, depth + 1);
        else
            by_type(node, depth, out);
        for (const auto* choices : {&node.any_of, &node.one_of, &node.all_of})
            for (const schema::Index choice : *choices)
                for (std::string& value : values(choice, depth + 1))
                    out.push_back(std::move(value));
        if (out.size() > most_values)
            out.resize(most_values);
        return out;
    }

    [[nodiscard]] const schema::Node& node(schema::Index index) const {
        while (nodes_[index].reference != schema::no_node && nodes_[index].reference != index)
            index = nodes_[index].reference;
        return nodes_[index];
    }

private:
    void by_type(const schema::Node& node, int depth, Texts& out) const {
        if ((node.types & schema::type_object) != 0)
            objects(node, depth, out);
        if ((node.types & schema::type_array) != 0)
            arrays(node, depth, out);
        if ((node.types & schema::type_string) != 0)
            strings(node, out);
        if ((node.types & (schema::type_integer | schema::type_number)) != 0)
            numbers(node, out);
        if ((node.types & schema::type_boolean) != 0)
            out.insert(out.end(), {"true", "false"});
        if ((node.types & schema::type_null) != 0)
            out.emplace_back("null");
    }

    void objects(const schema::Node& node, int depth, Texts& out) const {
        Members needed;
        Members all;
        for (const auto& [name, index] : node.properties) {
            const Texts some = values(index, depth + 1);
            const std::string& first = some.empty() ? std::string("null") : some.front();
            all.emplace_back(name, first);
            if (std::find(node.required.begin(), node.required.end(), name) != node.required.end())
                needed.emplace_back(name, first);
        }
        out.push_back(object(needed));
        out.push_back(object(all));
    }

    void arrays(const schema::Node& node, int depth, Texts& out) const {
        Texts items;
        for (const schema::Index index : node.prefix)
            items.push_back(first_of(index, depth));
        const std::string more =
            node.items == schema::no_node ? std::string("null") : first_of(node.items, depth);
        const std::size_t most = std::min(node.items_count.max, longest_array);
        for (const std::size_t count :
             {std::max(items.size(), node.items_count.min), items.size() + 1, most}) {
            std::string text;
            json::Writer array(text);
            array.begin_array();
            for (std::size_t i = 0; i < std::min(count, longest_array); ++i)
                array.raw(i < items.size() ? items[i] : more);
            array.end_array();
            out.push_back(std::move(text));
        }
    }

    [[nodiscard]] std::string first_of(schema::Index index, int depth) const {
        Texts some = values(index, depth + 1);
        return some.empty() ? "null" : std::move(some.front());
    }

    static void strings(const schema::Node& node, Texts& out) {
        const std::size_t shortest = std::min(node.length.min, longest_text);
        out.push_back(quoted(std::string(std::max<std::size_t>(shortest, 1), 'a')));
        out.push_back(quoted(std::string(shortest, 'a')));
        out.push_back(quoted(std::string(std::min(node.length.max, longest_text), 'z')));
        out.insert(out.end(), {R"("\u0000\n\"\\")", R"("äöü \ud83d\ude00")", R"("a b/../c%s{}'")"});
    }

    static void numbers(const schema::Node& node, Texts& out) {
        out.insert(out.end(), {"1", "0", "-1", "2147483647", "4294967295", "9007199254740993"});
        for (const auto* limit : {&node.range.minimum, &node.range.maximum})
            if (*limit)
                out.push_back(json_text(**limit));
        if ((node.types & schema::type_number) != 0)
            out.insert(out.end(), {"0.5", "1e308", "-2.5e-308"});
    }

    /// Integers as digits: not every decoder takes 5e0 for one.
    static std::string json_text(const json::Decimal& number) {
        if (number.is_zero())
            return "0";
        const std::string sign = number.negative ? "-" : "";
        const auto zeros = number.exponent - static_cast<std::int64_t>(number.digits.size());
        if (zeros >= 0 && zeros <= longest_integer)
            return sign + number.digits + std::string(static_cast<std::size_t>(zeros), '0');
        return sign + "0." + number.digits + "e" + std::to_string(number.exponent);
    }

    const std::vector<schema::Node>& nodes_;
};

/// A value of another type than all that a node allows.
std::string misfit(std::uint8_t types) {
    if ((types & schema::type_object) == 0)
        return R"({"unexpected":[]})";
    if ((types & schema::type_number) == 0 && (types & schema::type_integer) == 0)
        return "-7.25";
    if ((types & schema::type_array) == 0)
        return R"(["unexpected"])";
    return R"("unexpected")";
}

}  // namespace

base::Result<Payloads> make_payloads(std::string_view schema_text, std::string_view example) {
    auto compiled = schema::compile(schema_text);
    auto checker = wire::Schema::compile(schema_text);
    if (!compiled || !checker)
        return !compiled ? compiled.error() : checker.error();
    const Maker maker(*compiled);
    Payloads out;
    const auto add = [&](Texts& to, std::string text, bool valid) {
        if (to.size() < most_payloads && std::find(to.begin(), to.end(), text) == to.end() &&
            checker->check(text, 1).empty() == valid)
            to.push_back(std::move(text));
    };

    if (!example.empty())
        add(out.valid, std::string(example), true);
    for (std::string& text : maker.values(0, 0))
        add(out.valid, std::move(text), true);
    const schema::Node& root = maker.node(0);
    const Members plain = out.valid.empty() ? Members() : members_of(out.valid.front());
    for (const auto& [name, index] : root.properties) {
        for (const std::string& value : maker.values(index, 1)) {
            Members changed = plain;
            set(changed, name, value);
            add(out.valid, object(changed), true);
        }
        Members without = plain;
        remove(without, name);
        add(out.invalid, object(without), false);
        Members wrong = plain;
        set(wrong, name, misfit(maker.node(index).types));
        add(out.invalid, object(wrong), false);
    }
    for (const char* other : {"null", "7", R"("text")", "[]", "{}", "true"})
        add(out.invalid, other, false);
    // Not even JSON: no host passes these on, but a plugin must not be the one that finds out.
    out.invalid.insert(out.invalid.end(), {"", "{", "nul", R"({"a":)", "\xff\xfe"});
    return out;
}

}  // namespace distributo::runtime::check
