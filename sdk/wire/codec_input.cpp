#include "wire/codec_input.hpp"

#include "wire/limits.hpp"

namespace distributo::wire {
namespace {

constexpr std::size_t excerpt_length = 40;  // of a value quoted in an error

/// The largest size up to `limit` that does not cut a character.
std::size_t cut(std::string_view text, std::size_t limit) {
    if (text.size() <= limit)
        return text.size();
    while (limit != 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U)
        --limit;
    return limit;
}

}  // namespace

bool Input::skip() noexcept {
    json::Value ignored;
    return reader_.value(ignored);
}

bool Input::json(std::string_view& out, std::size_t limit) {
    json::Value value;
    if (!reader_.value(value))
        return false;
    if (value.text.size() > limit)
        return refuse(base::Errc::limit, "longer than " + std::to_string(limit) + " bytes");
    out = value.text;
    return true;
}

bool Input::decode(std::string_view& out, std::size_t& size) {
    json::Value value;
    if (!reader_.value(value))
        return false;
    if (const auto plain = value.plain_string())
        out = *plain;
    else if (auto decoded = value.string())
        out = decoded_.emplace_back(std::move(*decoded));
    else
        return unexpected(value, "a string");
    size = out.size();
    return true;
}

bool Input::name(std::string_view& out, std::size_t limit) {
    std::size_t size = 0;
    if (!decode(out, size))
        return false;
    if (size == 0)
        return refuse(base::Errc::invalid_argument, "expected a string that is not empty");
    if (size > limit)
        return refuse(base::Errc::limit, "longer than " + std::to_string(limit) + " bytes");
    return true;
}

bool Input::name(std::string& out, std::size_t limit) {
    std::string_view view;
    if (!name(view, limit))
        return false;
    out = view;
    return true;
}

bool Input::text(std::string_view& out, std::size_t limit) {
    std::size_t size = 0;
    if (!decode(out, size))
        return false;
    out = out.substr(0, cut(out, limit));
    return true;
}

bool Input::text(std::string& out, std::size_t limit) {
    std::string_view view;
    if (!text(view, limit))
        return false;
    out = view;
    return true;
}

bool Input::token(Token& out) {
    json::Value value;
    if (!reader_.value(value))
        return false;
    if (const auto plain = value.plain_string()) {
        if (const auto parsed = parse_token(*plain)) {
            out = *parsed;
            return true;
        }
    }
    return unexpected(value, "a token");
}

bool Input::lease(Lease& out) {
    json::Value value;
    if (!reader_.value(value))
        return false;
    if (const auto plain = value.plain_string()) {
        if (const auto parsed = parse_lease(*plain)) {
            out = *parsed;
            return true;
        }
    }
    return unexpected(value, "a lease");
}

bool Input::claim(Token& token, Lease& lease) {
    json::Value value;
    if (!reader_.value(value))
        return false;
    const auto plain = value.plain_string();
    const auto border = plain ? plain->find(claim_border) : std::string_view::npos;
    const auto parsed = plain ? parse_token(plain->substr(0, border)) : std::nullopt;
    if (!parsed)
        return unexpected(value, "a token");
    token = *parsed;
    if (border == std::string_view::npos)
        return true;
    const auto proven = parse_lease(plain->substr(border + 1));
    if (!proven)
        return unexpected(value, "a token and its lease");
    lease = *proven;
    return true;
}

bool Input::milliseconds(std::int64_t& out) {
    return number(out, 0, limits::max_duration_ms);
}

bool Input::number_between(std::uint64_t& out, std::uint64_t min, std::uint64_t max) {
    json::Value value;
    if (!reader_.value(value))
        return false;
    const auto number = value.unsigned_integer();
    if (!number || *number < min || *number > max)
        return unexpected(value,
                          "an integer from " + std::to_string(min) + " to " + std::to_string(max));
    out = *number;
    return true;
}

bool Input::fraction(double& out) {
    json::Value value;
    if (!reader_.value(value))
        return false;
    const auto number = value.number();
    if (!number || *number < 0 || *number > 1)
        return unexpected(value, "a number from 0 to 1");
    out = *number;
    return true;
}

bool Input::flag(bool& out) {
    json::Value value;
    if (!reader_.value(value))
        return false;
    const auto boolean = value.boolean();
    if (!boolean)
        return unexpected(value, "true or false");
    out = *boolean;
    return true;
}

bool Input::unexpected(const json::Value& got, std::string_view expected) {
    std::string what = "expected " + std::string(expected) + ", got ";
    what += got.text.substr(0, cut(got.text, excerpt_length));
    if (got.text.size() > excerpt_length)
        what += "…";
    return refuse(base::Errc::invalid_argument, std::move(what));
}

bool Input::refuse(base::Errc code, std::string what) {
    error_ = base::error(code, place() + ": " + std::move(what));
    refused_ = true;
    return false;
}

std::string Input::place() const {
    std::string place = op_.empty() ? "message" : std::string(op_.substr(0, limits::type_length));
    const auto append = [&place](std::string_view text) { place += text; };
    if (!list_.empty()) {
        append(".");
        append(list_);
        append("[");
        append(std::to_string(index_));
        append("]");
    }
    if (!member_.empty()) {
        append(".");
        append(member_.substr(0, limits::type_length));
    }
    return place;
}

base::Error Input::error() const {
    if (refused_)
        return error_;
    base::Error error = reader_.error();
    error.message = place() + ": " + error.message;
    return error;
}

std::string Input::join(const std::string_view* words, std::size_t count) {
    std::string joined;
    for (std::size_t i = 0; i < count; ++i) {
        joined += i == 0 ? "" : ", ";
        joined += words[i];
    }
    return joined;
}

}  // namespace distributo::wire
