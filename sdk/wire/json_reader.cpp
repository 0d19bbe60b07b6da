#include "wire/json_scan.hpp"
#include "wire/limits.hpp"

#include <string>

namespace distributo::wire::json {

bool Reader::fail(const char* expected, std::size_t where) noexcept {
    failure_ = expected;
    position_ = where;
    return false;
}

bool Reader::skip_space() noexcept {
    if (failure_)
        return false;
    const char* const begin = text_.data();
    const char* const end = begin + text_.size();
    position_ = static_cast<std::size_t>(scan::skip_space(begin + position_, end) - begin);
    return position_ != text_.size();
}

bool Reader::value(Value& out) noexcept {
    skip_space();
    if (failure_)
        return false;
    const char* const begin = text_.data();
    scan::Failure failure;
    const char* const from = begin + position_;
    const char* const to = scan::value(from, begin + text_.size(), out.kind, failure);
    if (!to)
        return fail(failure.expected, static_cast<std::size_t>(failure.where - begin));
    out.text = {from, static_cast<std::size_t>(to - from)};
    position_ = static_cast<std::size_t>(to - begin);
    first_ = false;
    return true;
}

bool Reader::begin(char bracket) noexcept {
    const bool more = skip_space();
    if (failure_)
        return false;
    if (!more || text_[position_] != bracket)
        return fail(bracket == '{' ? "an object" : "an array", position_);
    if (depth_ == limits::json_depth)
        return fail("nesting of at most 64 levels", position_);
    ++depth_;
    ++position_;
    first_ = true;
    return true;
}

bool Reader::begin_object() noexcept {
    return begin('{');
}
bool Reader::begin_array() noexcept {
    return begin('[');
}

bool Reader::next(char closing) noexcept {
    const bool more = skip_space();
    if (failure_)
        return false;
    if (more && depth_ != 0 && text_[position_] == closing) {
        ++position_;
        --depth_;
        first_ = false;
        return false;
    }
    if (first_)
        return true;
    if (!more || text_[position_] != ',')
        return fail(closing == '}' ? "',' or '}'" : "',' or ']'", position_);
    ++position_;
    return true;
}

bool Reader::next_element() noexcept {
    return next(']');
}

bool Reader::next_member(std::string_view& key) noexcept {
    if (!next('}'))
        return false;
    if (!skip_space() || text_[position_] != '"')
        return fail("a member name in quotes", position_);
    const char* const begin = text_.data();
    scan::Failure failure;
    const char* const from = begin + position_;
    const char* const to = scan::string(from, begin + text_.size(), failure);
    if (!to)
        return fail(failure.expected, static_cast<std::size_t>(failure.where - begin));
    key = {from + 1, static_cast<std::size_t>(to - from) - 2};
    position_ = static_cast<std::size_t>(to - begin);
    if (!skip_space() || text_[position_] != ':')
        return fail("':'", position_);
    ++position_;
    return true;
}

bool Reader::at_end() noexcept {
    return !skip_space() && !failure_;
}

Kind Reader::peek() noexcept {
    const bool more = skip_space();
    switch (more ? text_[position_] : '\0') {
        case '{':
            return Kind::object;
        case '[':
            return Kind::array;
        case '"':
            return Kind::string;
        case 't':
        case 'f':
            return Kind::boolean;
        case 'n':
            return Kind::null;
        default:
            break;
    }
    if (!failure_ && (!more || (text_[position_] != '-' && !scan::is_digit(text_[position_]))))
        fail("a value", position_);
    return failure_ ? Kind::null : Kind::number;
}

base::Error Reader::error() const {
    std::string message = "expected ";
    message += failure_ ? failure_ : "something else";
    message += " at offset " + std::to_string(position_);
    return base::error(base::Errc::invalid_argument, std::move(message));
}

base::Result<Value> parse(std::string_view text) {
    Reader reader(text);
    Value value;
    if (!reader.value(value))
        return reader.error();
    if (!reader.at_end())
        return base::error(
            base::Errc::invalid_argument,
            "expected nothing behind the value at offset " + std::to_string(reader.offset()));
    return value;
}

}  // namespace distributo::wire::json
