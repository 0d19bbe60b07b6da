#pragma once

#include "wire/json.hpp"

#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// The lowest layer of the JSON code: walking over bytes. Pointers stay within [p, end].
namespace distributo::wire::json::scan {

inline bool is_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
inline bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

inline const char* skip_space(const char* p, const char* end) noexcept {
    while (p != end && is_space(*p))
        ++p;
    return p;
}

/// True for what may stand in a string as it is: ASCII, no control, quote or backslash.
inline bool is_plain(char c) noexcept {
    return static_cast<signed char>(c) >= 0x20 && c != '"' && c != '\\';
}

/// Moves to the first byte that is not plain.
inline const char* skip_plain(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');
    while (end - p >= 16) {
        const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        // The comparison is signed: bytes from 0x80 on are below the space as well.
        const __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash)),
            _mm_cmplt_epi8(chunk, space));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
        if (mask != 0)
            return p + std::countr_zero(mask);
        p += 16;
    }
#endif
    while (p != end && is_plain(*p))
        ++p;
    return p;
}

/// Moves behind one UTF-8 sequence of two to four bytes; nullptr when it is not a valid one
/// (overlong, a surrogate, beyond U+10FFFF, cut off).
inline const char* skip_utf8(const char* p, const char* end) noexcept {
    const auto at = [p](int i) { return static_cast<unsigned char>(p[i]); };
    const auto continues = [&at](int i) { return (at(i) & 0xC0U) == 0x80U; };
    const unsigned lead = at(0);
    if (lead >= 0xC2 && lead < 0xE0)
        return end - p >= 2 && continues(1) ? p + 2 : nullptr;
    if (lead >= 0xE0 && lead < 0xF0) {
        if (end - p < 3 || !continues(1) || !continues(2) || (lead == 0xE0 && at(1) < 0xA0) ||
            (lead == 0xED && at(1) >= 0xA0))
            return nullptr;
        return p + 3;
    }
    if (lead >= 0xF0 && lead < 0xF5) {
        if (end - p < 4 || !continues(1) || !continues(2) || !continues(3) ||
            (lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) >= 0x90))
            return nullptr;
        return p + 4;
    }
    return nullptr;
}

/// Reads four hexadecimal digits; false when they are not there.
bool hex4(const char* p, const char* end, std::uint32_t& out) noexcept;

/// What was expected, and where it was not found.
struct Failure {
    const char* expected = nullptr;
    const char* where = nullptr;
};

/// Move behind one complete value, or the string whose opening quote stands at `p`; nullptr and
/// `failure` when there is none. A value's nesting is counted from itself.
const char* value(const char* p, const char* end, Kind& kind, Failure& failure) noexcept;
const char* string(const char* p, const char* end, Failure& failure) noexcept;

}  // namespace distributo::wire::json::scan
