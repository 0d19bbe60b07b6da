#include "payload_template.hpp"

#include <cstddef>

namespace support {

using distributo::permanent;
using distributo::RawJson;

namespace {

/// Calls literal(text) and name(text) for the pieces of a text with names in braces.
template <class Literal, class Name>
void split(std::string_view text, std::string_view place, Literal&& literal, Name&& name) {
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '{' && text[i] != '}') {
            continue;
        }
        literal(text.substr(done, i - done));
        if (i + 1 < text.size() && text[i + 1] == text[i]) {
            literal(text.substr(i, 1));
            done = ++i + 1;
            continue;
        }
        const std::size_t end = text.find('}', i);
        if (text[i] == '}' || end == text.npos) {
            throw permanent(std::string(place) + ": a brace has no partner in \"" +
                            std::string(text) + "\"; write {{ or }} for the character");
        }
        name(text.substr(i + 1, end - i - 1));
        i = end;
        done = end + 1;
    }
    literal(text.substr(done));
}

/// The end of the string literal that begins at `begin`.
std::size_t end_of_string(std::string_view json, std::size_t begin) {
    std::size_t end = begin + 1;
    while (end < json.size() && json[end] != '"') {
        end += json[end] == '\\' ? 2 : 1;
    }
    return end;
}

bool is_json_string(const Field& field) {
    return field.is_json && field.text.size() >= 2 && field.text.front() == '"';
}

/// What stands between the quotes.
std::string_view inside(std::string_view literal) {
    return literal.substr(1, literal.size() - 2);
}

/// The value inside of a JSON string.
void append_text(std::string& out, const Field& field) {
    if (is_json_string(field)) {
        out.append(inside(field.text));
        return;
    }
    std::string quoted;
    distributo::detail::append_string(quoted, field.text);
    out.append(quoted, 1, quoted.size() - 2);
}

void require_json(std::string_view text, std::string_view name) {
    static_cast<void>(distributo::detail::decode_text<RawJson>(text, name));
}

}  // namespace

PayloadTemplate::PayloadTemplate(const RawJson& json, std::string_view place) {
    const std::string_view text = json.text;
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '"') {
            continue;
        }
        const std::size_t end = end_of_string(text, i);
        add_between(text.substr(done, i - done));
        add_string(text.substr(i, end + 1 - i), place);
        done = end + 1;
        i = end;
    }
    add_between(text.substr(done));
}

/// Blanks between values say nothing.
void PayloadTemplate::add_between(std::string_view text) {
    std::string dense(text);
    std::erase_if(dense, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
    add_literal(dense);
}

void PayloadTemplate::add_literal(std::string_view text) {
    if (text.empty()) {
        return;
    }
    if (parts_.empty() || parts_.back().kind != Kind::literal) {
        parts_.push_back({});
    }
    parts_.back().text.append(text);
}

void PayloadTemplate::add_string(std::string_view literal, std::string_view place) {
    const std::string_view inner = literal.substr(1, literal.size() - 2);
    for (const auto& [suffix, kind] : {std::pair(std::string_view(":number}"), Kind::number),
                                       std::pair(std::string_view(":json}"), Kind::json)}) {
        if (inner.starts_with('{') && inner.ends_with(suffix) &&
            inner.find('}') + 1 == inner.size()) {
            const std::string_view name = inner.substr(1, inner.size() - suffix.size() - 1);
            parts_.push_back({kind, std::string(name)});
            return;
        }
    }
    add_literal("\"");
    split(
        inner,
        place,
        [&](std::string_view text) { add_literal(text); },
        [&](std::string_view name) {
            parts_.push_back({Kind::text, std::string(name)});
        });
    add_literal("\"");
}

void PayloadTemplate::render(std::string& out, const Fields& fields) const {
    for (const Part& part : parts_) {
        if (part.kind == Kind::literal) {
            out.append(part.text);
            continue;
        }
        const Field field = fields(part.text);
        if (part.kind == Kind::text) {
            append_text(out, field);
            continue;
        }
        require_json(field.text, part.text);
        const char first =
            field.text.empty() ? ' ' : field.text[field.text.find_first_not_of(" \t")];
        if (part.kind == Kind::number && first != '-' && (first < '0' || first > '9')) {
            throw permanent(part.text + ": expected number, got " + std::string(field.text));
        }
        out.append(field.text);
    }
}

RawJson PayloadTemplate::render(const Fields& fields) const {
    RawJson payload;
    payload.text.clear();
    render(payload.text, fields);
    return payload;
}

std::string PayloadTemplate::render_text(std::string_view text, const Fields& fields) {
    std::string out;
    split(
        text,
        "template",
        [&](std::string_view literal) { out.append(literal); },
        [&](std::string_view name) {
            const Field field = fields(name);
            out.append(is_json_string(field) ? inside(field.text) : field.text);
        });
    return out;
}

}  // namespace support
