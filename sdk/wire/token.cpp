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

template <typename First, typename Second, typename Third>
void append_three(std::string& out, First first, Second second, Third third) {
    append_number(out, first);
    out += '-';
    append_number(out, second);
    out += '-';
    append_number(out, third);
}

template <typename First, typename Second, typename Third>
bool take_three(std::string_view text, First& first, Second& second, Third& third) noexcept {
    return take_number(text, first) && take_dash(text) && take_number(text, second) &&
           take_dash(text) && take_number(text, third) && text.empty();
}

}  // namespace

void append_token(std::string& out, const Token& token) {
    append_three(out, token.term, token.counter, token.slot);
}

std::optional<Token> parse_token(std::string_view text) noexcept {
    Token token;
    if (!take_three(text, token.term, token.counter, token.slot))
        return std::nullopt;
    return token;
}

void append_lease(std::string& out, const Lease& lease) {
    append_three(out, lease.task, lease.attempt, lease.proof);
}

std::optional<Lease> parse_lease(std::string_view text) noexcept {
    Lease lease;
    if (!take_three(text, lease.task, lease.attempt, lease.proof))
        return std::nullopt;
    return lease;
}

}  // namespace distributo::wire
