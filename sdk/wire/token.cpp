#include "wire/token.hpp"

#include <charconv>

namespace distributo::wire {
namespace {

template <typename Number>
void append_number(std::string& out, Number number) {
    char buffer[20];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

/// Reads one decimal number without sign or superfluous zeros, so that a token has one text form.
template <typename Number>
bool take_number(std::string_view& text, Number& out) noexcept {
    if (text.empty() || (text[0] == '0' && text.size() > 1 && text[1] != '-'))
        return false;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failure != std::errc())
        return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool take_dash(std::string_view& text) noexcept {
    if (text.empty() || text[0] != '-')
        return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

void append_token(std::string& out, const Token& token) {
    append_number(out, token.term);
    out += '-';
    append_number(out, token.counter);
    out += '-';
    append_number(out, token.slot);
}

std::optional<Token> parse_token(std::string_view text) noexcept {
    Token token;
    if (!take_number(text, token.term) || !take_dash(text) || !take_number(text, token.counter) ||
        !take_dash(text) || !take_number(text, token.slot) || !text.empty())
        return std::nullopt;
    return token;
}

}  // namespace distributo::wire
