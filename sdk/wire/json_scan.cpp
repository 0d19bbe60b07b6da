#include "wire/json_scan.hpp"

#include "wire/limits.hpp"

#include <cstring>

namespace distributo::wire::json::scan {
namespace {

const char* fail(Failure& failure, const char* where, const char* expected) noexcept {
    failure = {.expected = expected, .where = where};
    return nullptr;
}

/// `p` stands at a backslash.
const char* escape(const char* p, const char* end, Failure& failure) noexcept {
    if (end - p < 2)
        return fail(failure, p, "a complete escape");
    switch (p[1]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            return p + 2;
        case 'u':
            break;
        default:
            return fail(failure, p, "an escape that JSON knows");
    }
    std::uint32_t unit = 0;
    if (!hex4(p + 2, end, unit))
        return fail(failure, p, "four hexadecimal digits after \\u");
    if (unit < 0xD800 || unit > 0xDFFF)
        return p + 6;
    std::uint32_t low = 0;
    if (unit > 0xDBFF || end - p < 12 || p[6] != '\\' || p[7] != 'u' || !hex4(p + 8, end, low) ||
        low < 0xDC00 || low > 0xDFFF)
        return fail(failure, p, "surrogates in pairs");
    return p + 12;
}

const char* digits(const char* p, const char* end) noexcept {
    while (p != end && is_digit(*p))
        ++p;
    return p;
}

const char* number(const char* p, const char* end, Failure& failure) noexcept {
    if (*p == '-')
        ++p;
    if (p == end || !is_digit(*p))
        return fail(failure, p, "a digit");
    if (*p == '0')
        ++p;
    else
        p = digits(p, end);
    if (p != end && *p == '.') {
        ++p;
        if (p == end || !is_digit(*p))
            return fail(failure, p, "a digit after the decimal point");
        p = digits(p, end);
    }
    if (p != end && (*p == 'e' || *p == 'E')) {
        ++p;
        if (p != end && (*p == '+' || *p == '-'))
            ++p;
        if (p == end || !is_digit(*p))
            return fail(failure, p, "a digit in the exponent");
        p = digits(p, end);
    }
    return p;
}

const char* word(const char* p,
                 const char* end,
                 const char* expected,
                 std::ptrdiff_t size,
                 Failure& failure) noexcept {
    if (end - p < size || std::memcmp(p, expected, static_cast<std::size_t>(size)) != 0)
        return fail(failure, p, "a value");
    return p + size;
}

/// A value that is not an array or object.
const char* scalar(const char* p, const char* end, Kind& kind, Failure& failure) noexcept {
    switch (*p) {
        case '"':
            kind = Kind::string;
            return string(p, end, failure);
        case 't':
            kind = Kind::boolean;
            return word(p, end, "true", 4, failure);
        case 'f':
            kind = Kind::boolean;
            return word(p, end, "false", 5, failure);
        case 'n':
            kind = Kind::null;
            return word(p, end, "null", 4, failure);
        default:
            kind = Kind::number;
            if (*p != '-' && !is_digit(*p))
                return fail(failure, p, "a value");
            return number(p, end, failure);
    }
}

/// A member's name and its colon, up to its value.
const char* name(const char* p, const char* end, Failure& failure) noexcept {
    if (p == end || *p != '"')
        return fail(failure, p, "a member name in quotes");
    p = string(p, end, failure);
    if (!p)
        return nullptr;
    p = skip_space(p, end);
    if (p == end || *p != ':')
        return fail(failure, p, "':'");
    return skip_space(p + 1, end);
}

/// The brackets that are open, innermost in the lowest bit: 1 for an object.
class Nesting {
public:
    [[nodiscard]] bool empty() const noexcept { return depth_ == 0; }
    [[nodiscard]] bool full() const noexcept { return depth_ == limits::json_depth; }
    [[nodiscard]] bool in_object() const noexcept { return (objects_ & 1U) != 0; }
    void enter(bool object) noexcept {
        objects_ = objects_ << 1U | static_cast<std::uint64_t>(object);
        ++depth_;
    }
    void leave() noexcept {
        objects_ >>= 1U;
        --depth_;
    }

private:
    static_assert(limits::json_depth <= 64, "one bit per level");
    std::uint64_t objects_ = 0;
    std::size_t depth_ = 0;
};

/// Behind a value: closes what ends here and moves to the next value, if one is due. Sets
/// `done` when the outermost value is complete.
const char* proceed(
    const char* p, const char* end, Nesting& nesting, bool& done, Failure& failure) noexcept {
    while (!nesting.empty()) {
        p = skip_space(p, end);
        const bool object = nesting.in_object();
        if (p != end && *p == ',') {
            p = skip_space(p + 1, end);
            return object ? name(p, end, failure) : p;
        }
        if (p == end || *p != (object ? '}' : ']'))
            return fail(failure, p, object ? "',' or '}'" : "',' or ']'");
        ++p;
        nesting.leave();
    }
    done = true;
    return p;
}

}  // namespace

bool hex4(const char* p, const char* end, std::uint32_t& out) noexcept {
    if (end - p < 4)
        return false;
    out = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = p[i];
        const char lower = static_cast<char>(c | 0x20);
        if (is_digit(c))
            out = out << 4U | static_cast<std::uint32_t>(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            out = out << 4U | static_cast<std::uint32_t>(lower - 'a' + 10);
        else
            return false;
    }
    return true;
}

const char* string(const char* p, const char* end, Failure& failure) noexcept {
    const char* const start = p++;
    for (;;) {
        p = skip_plain(p, end);
        if (p == end)
            return fail(failure, start, "a string that ends");
        if (*p == '"')
            return p + 1;
        const char* next = nullptr;
        if (*p == '\\')
            next = escape(p, end, failure);
        else if (static_cast<unsigned char>(*p) < 0x20)
            return fail(failure, p, "an escape instead of a control character");
        else if (next = skip_utf8(p, end); !next)
            return fail(failure, p, "valid UTF-8");
        if (!next)
            return nullptr;
        p = next;
    }
}

const char* value(const char* p, const char* end, Kind& kind, Failure& failure) noexcept {
    Nesting nesting;
    Kind inner = Kind::null;
    bool outermost = true;
    for (bool done = false; !done;) {
        if (p == end)
            return fail(failure, p, "a value");
        Kind& current = outermost ? kind : inner;
        outermost = false;
        if (*p != '{' && *p != '[') {
            p = scalar(p, end, current, failure);
        } else {
            const bool object = *p == '{';
            current = object ? Kind::object : Kind::array;
            if (nesting.full())
                return fail(failure, p, "nesting of at most 64 levels");
            nesting.enter(object);
            p = skip_space(p + 1, end);
            if (p != end && *p == (object ? '}' : ']')) {
                nesting.leave();
                ++p;
            } else {
                if (object)
                    p = name(p, end, failure);
                if (!p)
                    return nullptr;
                continue;
            }
        }
        if (!p)
            return nullptr;
        p = proceed(p, end, nesting, done, failure);
        if (!p)
            return nullptr;
    }
    return p;
}

}  // namespace distributo::wire::json::scan
