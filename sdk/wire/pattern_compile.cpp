#include "wire/pattern.hpp"
#include "wire/utf8.hpp"

#include <algorithm>
#include <string>

namespace distributo::wire {
namespace {

using Instruction = Pattern::Instruction;
using Op = Pattern::Op;
using Set = Pattern::Set;
using Code = std::vector<Instruction>;

constexpr std::size_t max_instructions = 2000;
constexpr int max_groups_deep = 100;
constexpr char32_t last_character = 0x10FFFF;

const Set digits{{'0', '9'}};
const Set words{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Set spaces{{'\t', '\r'},
                 {' ', ' '},
                 {0xA0, 0xA0},
                 {0x1680, 0x1680},
                 {0x2000, 0x200A},
                 {0x2028, 0x2029},
                 {0x202F, 0x202F},
                 {0x205F, 0x205F},
                 {0x3000, 0x3000},
                 {0xFEFF, 0xFEFF}};
const Set line_ends{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

Set complement(const Set& set) {
    Set result;  // sorted and disjoint, as all sets given to this are
    char32_t next = 0;
    for (const auto& [low, high] : set) {
        if (low > next)
            result.emplace_back(next, low - 1);
        next = high + 1;
    }
    if (next <= last_character)
        result.emplace_back(next, last_character);
    return result;
}

/// Recursive descent over the expression; every function returns relocatable code.
class Compiler {
public:
    explicit Compiler(std::u32string expression) : text_(std::move(expression)) {}

    Code compile() {
        Code code = alternatives();
        if (!failed() && at_ != text_.size())
            fail("an unmatched ')'");
        code.push_back({.op = Op::match});
        return code;
    }

    [[nodiscard]] bool failed() const { return !failure_.empty(); }
    [[nodiscard]] base::Error error() const {
        return base::error(code_, "pattern: " + failure_ + " at character " + std::to_string(at_));
    }
    std::vector<Set> take_sets() { return std::move(sets_); }

private:
    [[nodiscard]] bool more() const { return !failed() && at_ < text_.size(); }
    [[nodiscard]] char32_t peek() const { return more() ? text_[at_] : 0; }
    bool take(char32_t c) {
        if (!more() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }
    void fail(std::string what, base::Errc code = base::Errc::invalid_argument) {
        if (failed())
            return;
        failure_ = std::move(what);
        code_ = code;
    }
    void unsupported(const char* what) { fail(what, base::Errc::unavailable); }

    static std::int32_t length(const Code& code) { return static_cast<std::int32_t>(code.size()); }
    void append(Code& code, const Code& tail) {
        if (code.size() + tail.size() > max_instructions)
            return unsupported("more states than are allowed");
        code.insert(code.end(), tail.begin(), tail.end());
    }
    Code one_of(Set set, bool negated = false) {
        sets_.push_back(std::move(set));
        return {{.op = Op::set,
                 .negated = negated,
                 .first = static_cast<std::int32_t>(sets_.size() - 1)}};
    }

    Code alternatives() {
        Code code = sequence();
        while (take('|')) {
            const Code right = sequence();
            Code both{{.op = Op::split, .first = 1, .second = length(code) + 2}};
            append(both, code);
            both.push_back({.op = Op::jump, .first = length(right) + 1});
            append(both, right);
            code = std::move(both);
        }
        return code;
    }

    Code sequence() {
        Code code;
        while (more() && peek() != '|' && peek() != ')')
            append(code, repeated(term()));
        return code;
    }

    Code repeated(Code code) {
        std::uint32_t low = 1;
        std::uint32_t high = 1;
        bool endless = false;
        if (take('*')) {
            low = 0;
            endless = true;
        } else if (take('+')) {
            endless = true;
        } else if (take('?')) {
            low = 0;
        } else if (take('{')) {
            low = high = count();
            if (take(',')) {
                endless = peek() == '}';
                high = endless ? low : count();
            }
            if (!take('}') || high < low)
                fail("a wrong repetition");
        } else {
            return code;
        }
        take('?');  // whether it is greedy does not change if there is a match
        if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{')
            fail("a repetition of nothing");
        return repeat(code, low, high, endless);
    }

    Code repeat(const Code& code, std::uint32_t low, std::uint32_t high, bool endless) {
        Code out;
        for (std::uint32_t i = 0; i < low && !failed(); ++i)
            append(out, code);
        if (endless) {
            out.push_back({.op = Op::split, .first = 1, .second = length(code) + 2});
            append(out, code);
            out.push_back({.op = Op::jump, .first = -length(code) - 1});
            return out;
        }
        for (std::uint32_t i = low; i < high && !failed(); ++i) {
            out.push_back({.op = Op::split, .first = 1, .second = length(code) + 1});
            append(out, code);
        }
        return out;
    }

    std::uint32_t count() {
        std::uint32_t value = 0;
        bool any = false;
        for (; peek() >= '0' && peek() <= '9'; ++at_, any = true)
            value = std::min<std::uint32_t>(value * 10 + (peek() - '0'), 10'000);
        if (!any)
            fail("a repetition without a number");
        return value;
    }

    Code term() {
        const char32_t c = text_[at_++];
        switch (c) {
            case '^':
                return {{.op = Op::text_begin}};
            case '$':
                return {{.op = Op::text_end}};
            case '.':
                return one_of(line_ends, true);
            case '(':
                return group();
            case '[':
                return char_class();
            case '\\':
                return escape();
            case '*':
            case '+':
            case '?':
            case '{':
            case '}':
            case ']':
                fail("a character that has to be escaped");
                return {};
            default:
                return one_of({{c, c}});
        }
    }

    Code group() {
        if (take('?')) {
            if (take('<')) {
                if (peek() == '=' || peek() == '!')
                    unsupported("look-behind");
                while (more() && !take('>'))
                    ++at_;
            } else if (!take(':')) {
                unsupported("look-ahead");
            }
        }
        if (++deep_ > max_groups_deep)
            unsupported("groups nested too deeply");
        Code code = failed() ? Code() : alternatives();
        --deep_;
        if (!take(')'))
            fail("a group without its end");
        return code;
    }

    Code escape() {
        const char32_t c = peek();
        if (c == 'b' || c == 'B') {
            ++at_;
            return {{.op = Op::word_edge, .negated = c == 'B'}};
        }
        if (c >= '1' && c <= '9') {
            unsupported("a back reference");
            return {};
        }
        Set set;
        class_escape(set);
        return one_of(std::move(set));
    }

    /// Behind a backslash, inside or outside of brackets. True for a single character.
    bool class_escape(Set& set) {
        if (!more()) {
            fail("a backslash at the end");
            return false;
        }
        const char32_t c = text_[at_++];
        const auto add = [&set](const Set& more) {
            set.insert(set.end(), more.begin(), more.end());
        };
        switch (c) {
            case 'd':
                add(digits);
                return false;
            case 'D':
                add(complement(digits));
                return false;
            case 'w':
                add(words);
                return false;
            case 'W':
                add(complement(words));
                return false;
            case 's':
                add(spaces);
                return false;
            case 'S':
                add(complement(spaces));
                return false;
            case 'p':
            case 'P':
            case 'k':
                unsupported("a Unicode property or named reference");
                return false;
            default:
                const char32_t one = character(c);
                set.emplace_back(one, one);
                return true;
        }
    }

    /// The character that an escape with the letter `c` stands for.
    char32_t character(char32_t c) {
        switch (c) {
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'v':
                return '\v';
            case 'f':
                return '\f';
            case 'r':
                return '\r';
            case '0':
                return 0;
            case 'x':
                return hex(2);
            case 'u':
                return take('{') ? braced_hex() : hex(4);
            case 'c':
                return more() ? text_[at_++] & 31U : 0;
            default:
                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
                    fail("an unknown escape");
                return c;
        }
    }

    static int hex_digit(char32_t c) {
        if (c >= '0' && c <= '9')
            return static_cast<int>(c - '0');
        const char32_t lower = c | 0x20U;
        return lower >= 'a' && lower <= 'f' ? static_cast<int>(lower - 'a') + 10 : -1;
    }

    char32_t hex(int count) {
        char32_t value = 0;
        for (int i = 0; i < count; ++i) {
            const int digit = hex_digit(peek());
            if (digit < 0) {
                fail("an escape without its hexadecimal digits");
                return 0;
            }
            value = value << 4U | static_cast<char32_t>(digit);
            ++at_;
        }
        return value;
    }

    char32_t braced_hex() {
        char32_t value = 0;
        for (int digit = hex_digit(peek()); digit >= 0; digit = hex_digit(peek())) {
            value = std::min<char32_t>(value << 4U | static_cast<char32_t>(digit), 0x1000000);
            ++at_;
        }
        if (!take('}') || value > last_character)
            fail("a wrong code point");
        return value;
    }

    Code char_class() {
        const bool negated = take('^');
        Set set;
        while (more() && peek() != ']') {
            const std::size_t before = set.size();
            if (!class_atom(set) || set.size() != before + 1 || peek() != '-' ||
                (at_ + 1 < text_.size() && text_[at_ + 1] == ']'))
                continue;
            ++at_;
            Set upper;
            if (!more() || !class_atom(upper) || upper[0].first < set.back().first) {
                fail("a wrong range");
                break;
            }
            set.back().second = upper[0].first;
        }
        if (!take(']'))
            fail("a class without its end");
        return one_of(std::move(set), negated);
    }

    bool class_atom(Set& set) {
        const char32_t c = text_[at_++];
        if (c == '\\') {
            if (take('b')) {
                set.emplace_back('\b', '\b');
                return true;
            }
            if (take('-')) {
                set.emplace_back('-', '-');
                return true;
            }
            return class_escape(set);
        }
        set.emplace_back(c, c);
        return true;
    }

    std::u32string text_;
    std::size_t at_ = 0;
    int deep_ = 0;
    std::vector<Set> sets_;
    std::string failure_;
    base::Errc code_ = base::Errc::internal;
};

}  // namespace

base::Result<Pattern> Pattern::compile(std::string_view expression) {
    std::u32string characters;
    for (std::size_t at = 0; at < expression.size();)
        characters += next_character(expression, at);
    Compiler compiler(std::move(characters));
    Pattern pattern;
    pattern.program_ = compiler.compile();
    if (compiler.failed())
        return compiler.error();
    pattern.sets_ = compiler.take_sets();
    return pattern;
}

}  // namespace distributo::wire
