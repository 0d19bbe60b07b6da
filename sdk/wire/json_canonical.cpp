#include "wire/json_canonical.hpp"

#include "wire/json_number.hpp"

#include <map>

namespace distributo::wire::json {
namespace {

void append_canonical(std::string& out, const Value& value);

void append_object(std::string& out, std::string_view text) {
    std::map<std::string, Value> members;
    Reader reader(text);
    reader.begin_object();
    std::string_view key;
    Value member;
    while (reader.next_member(key) && reader.value(member)) {
        const Value name{Kind::string, {key.data() - 1, key.size() + 2}};
        members[name.string().value_or("")] = member;
    }
    out += '{';
    for (const auto& [name, content] : members) {
        append_string(out, name);
        out += ':';
        append_canonical(out, content);
        out += ',';
    }
    out += '}';
}

void append_array(std::string& out, std::string_view text) {
    Reader reader(text);
    reader.begin_array();
    Value element;
    out += '[';
    while (reader.next_element() && reader.value(element)) {
        append_canonical(out, element);
        out += ',';
    }
    out += ']';
}

void append_number(std::string& out, std::string_view text) {
    const Decimal number = Decimal::of(text);
    out += number.negative ? "-" : "";
    out += number.digits.empty() ? "0" : number.digits;
    out += 'e';
    out += std::to_string(number.exponent);
}

void append_canonical(std::string& out, const Value& value) {
    switch (value.kind) {
        case Kind::object:
            return append_object(out, value.text);
        case Kind::array:
            return append_array(out, value.text);
        case Kind::string:
            return append_string(out, value.string().value_or(""));
        case Kind::number:
            return append_number(out, value.text);
        default:
            out += value.text;
    }
}

}  // namespace

std::string canonical(const Value& value) {
    std::string out;
    append_canonical(out, value);
    return out;
}

}  // namespace distributo::wire::json
