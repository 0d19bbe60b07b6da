#pragma once

#include <distributo/detail/error.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace distributo::detail {

inline constexpr int max_json_depth = 128;

/// Where the reader is, for messages: a chain of frames on the stack, turned into text only when
/// something is wrong.
class Path {
public:
    explicit Path(std::string_view root) : name_(root) {}
    Path(const Path& parent, std::string_view name)
        : parent_(&parent), name_(name), depth_(parent.depth_ + 1) {}
    Path(const Path& parent, std::size_t index)
        : parent_(&parent), index_(index), is_index_(true), depth_(parent.depth_ + 1) {}
    Path(const Path&) = delete;
    Path& operator=(const Path&) = delete;

    [[nodiscard]] int depth() const noexcept { return depth_; }

    /// "payload.frames[3].name"
    [[nodiscard]] std::string text() const {
        if (parent_ == nullptr) {
            return std::string(name_);
        }
        std::string out = parent_->text();
        if (is_index_) {
            return out.append("[").append(std::to_string(index_)).append("]");
        }
        return out.append(".").append(name_);
    }

    [[noreturn]] void fail(std::string_view message) const {
        throw permanent(text().append(": ").append(message));
    }

private:
    const Path* parent_ = nullptr;
    std::string_view name_;
    std::size_t index_ = 0;
    bool is_index_ = false;
    int depth_ = 0;
};

/// A cursor over JSON text (RFC 8259). Takes what the caller asks for and throws a permanent
/// Failure with the path when something else is there. Builds no tree.
class Reader {
public:
    explicit Reader(std::string_view text) : next_(text.data()), end_(next_ + text.size()) {}

    /// The next character that is not white space, or '\0' at the end.
    char peek() {
        while (next_ != end_ &&
               (*next_ == ' ' || *next_ == '\n' || *next_ == '\r' || *next_ == '\t')) {
            ++next_;
        }
        return next_ == end_ ? '\0' : *next_;
    }

    bool consume(char wanted) {
        if (peek() != wanted || next_ == end_) {
            return false;
        }
        ++next_;
        return true;
    }

    void expect(char wanted, const Path& at) {
        if (!consume(wanted)) {
            at.fail(std::string("malformed JSON: expected '") + wanted + "'");
        }
    }

    /// What stands here, as people call it.
    [[nodiscard]] std::string_view kind() {
        switch (peek()) {
            case '"':
                return "string";
            case '{':
                return "object";
            case '[':
                return "array";
            case 't':
            case 'f':
                return "boolean";
            case 'n':
                return "null";
            case '\0':
                return "nothing";
            default:
                break;
        }
        const bool number = *next_ == '-' || (*next_ >= '0' && *next_ <= '9');
        return number ? "number" : "malformed JSON";
    }

    [[noreturn]] void mismatch(std::string_view wanted, const Path& at) {
        at.fail(std::string("expected ").append(wanted).append(", got ").append(kind()));
    }

    /// Takes the word when it stands here.
    bool consume_word(std::string_view word) {
        peek();
        if (static_cast<std::size_t>(end_ - next_) < word.size() ||
            std::string_view(next_, word.size()) != word) {
            return false;
        }
        next_ += word.size();
        return true;
    }

    /// The text of a number, checked against the grammar.
    [[nodiscard]] std::string_view number(std::string_view wanted, const Path& at) {
        if (kind() != "number") {
            mismatch(wanted, at);
        }
        const char* const first = next_;
        if (*next_ == '-') {
            ++next_;
        }
        if (next_ != end_ && *next_ == '0') {
            ++next_;
        } else {
            digits(at);
        }
        if (next_ != end_ && *next_ == '.') {
            ++next_;
            digits(at);
        }
        if (next_ != end_ && (*next_ == 'e' || *next_ == 'E')) {
            ++next_;
            if (next_ != end_ && (*next_ == '+' || *next_ == '-')) {
                ++next_;
            }
            digits(at);
        }
        return {first, static_cast<std::size_t>(next_ - first)};
    }

    /// A string; the view is into the text, or into `scratch` when there were escapes.
    [[nodiscard]] std::string_view string(std::string& scratch, const Path& at) {
        if (peek() != '"') {
            mismatch("string", at);
        }
        const char* const first = ++next_;
        while (next_ != end_ && *next_ != '"' && *next_ != '\\' && is_plain(*next_)) {
            ++next_;
        }
        if (next_ != end_ && *next_ == '"') {
            return {first, static_cast<std::size_t>(next_++ - first)};
        }
        scratch.assign(first, next_);
        unescape(scratch, at);
        return scratch;
    }

    /// Steps over one value of any kind and returns its text.
    std::string_view skip(const Path& at, int depth = 0) {
        const char first = peek();
        const char* const begin = next_;
        if (depth + at.depth() > max_json_depth) {
            at.fail("nested too deeply");
        }
        std::string scratch;
        if (first == '"') {
            (void)string(scratch, at);
        } else if (first == '{' || first == '[') {
            skip_items(first == '{', at, depth);
        } else if (!consume_word("true") && !consume_word("false") && !consume_word("null")) {
            (void)number("a JSON value", at);
        }
        return {begin, static_cast<std::size_t>(next_ - begin)};
    }

    void finish(const Path& at) {
        if (peek() != '\0' || next_ != end_) {
            at.fail("malformed JSON: text after the end of the value");
        }
    }

private:
    static bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20; }

    void digits(const Path& at) {
        const char* const first = next_;
        while (next_ != end_ && *next_ >= '0' && *next_ <= '9') {
            ++next_;
        }
        if (next_ == first) {
            at.fail("malformed JSON: incomplete number");
        }
    }

    void skip_items(bool object, const Path& at, int depth) {
        const char close = object ? '}' : ']';
        ++next_;
        if (consume(close)) {
            return;
        }
        std::string scratch;
        do {
            if (object) {
                (void)string(scratch, at);
                expect(':', at);
            }
            skip(at, depth + 1);
        } while (consume(','));
        expect(close, at);
    }

    void unescape(std::string& out, const Path& at) {
        while (next_ != end_ && *next_ != '"') {
            if (!is_plain(*next_)) {
                at.fail("malformed JSON: control character in a string");
            }
            if (*next_ != '\\') {
                out.push_back(*next_++);
                continue;
            }
            ++next_;
            escape(out, at);
        }
        if (next_ == end_) {
            at.fail("malformed JSON: string without an end");
        }
        ++next_;
    }

    void escape(std::string& out, const Path& at) {
        constexpr std::string_view names = "\"\\/bfnrt";
        constexpr std::string_view values = "\"\\/\b\f\n\r\t";
        const char name = next_ == end_ ? '\0' : *next_++;
        if (name == 'u') {
            append_utf8(out, code_point(at));
            return;
        }
        const std::size_t index = name == '\0' ? names.npos : names.find(name);
        if (index == names.npos) {
            at.fail("malformed JSON: unknown escape in a string");
        }
        out.push_back(values[index]);
    }

    std::uint32_t code_unit(const Path& at) {
        std::uint32_t unit = 0;
        const char* const last = end_ - next_ >= 4 ? next_ + 4 : end_;
        const auto [stop, error] = std::from_chars(next_, last, unit, 16);
        if (error != std::errc() || stop != next_ + 4) {
            at.fail("malformed JSON: expected four hexadecimal digits after \\u");
        }
        next_ = stop;
        return unit;
    }

    std::uint32_t code_point(const Path& at) {
        const std::uint32_t high = code_unit(at);
        if (high < 0xD800 || high > 0xDFFF) {
            return high;
        }
        if (high > 0xDBFF || end_ - next_ < 2 || next_[0] != '\\' || next_[1] != 'u') {
            at.fail("malformed JSON: half of a surrogate pair");
        }
        next_ += 2;
        const std::uint32_t low = code_unit(at);
        if (low < 0xDC00 || low > 0xDFFF) {
            at.fail("malformed JSON: half of a surrogate pair");
        }
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }

    static void append_utf8(std::string& out, std::uint32_t code) {
        const auto tail = [&out, code](int shift) {
            out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
        };
        if (code < 0x80) {
            out.push_back(static_cast<char>(code));
        } else if (code < 0x800) {
            out.push_back(static_cast<char>(0xC0 | (code >> 6)));
            tail(0);
        } else if (code < 0x10000) {
            out.push_back(static_cast<char>(0xE0 | (code >> 12)));
            tail(6);
            tail(0);
        } else {
            out.push_back(static_cast<char>(0xF0 | (code >> 18)));
            tail(12);
            tail(6);
            tail(0);
        }
    }

    const char* next_;
    const char* end_;
};

}  // namespace distributo::detail
