#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

/// Reading and writing JSON text without a document tree: the reader validates in one pass and
/// hands out spans of its input, so payloads and results cross the system byte for byte.
namespace distributo::wire::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

/// A complete, valid JSON value inside a larger text. Does not own it.
struct Value {
    Kind kind = Kind::null;
    std::string_view text;  ///< exactly the value, quotes and brackets included

    /// The decoded string; nothing unless `kind` is string. Copies only when there is an escape.
    [[nodiscard]] std::optional<std::string> string() const;
    /// The string's bytes when it has no escape: the cheap way to compare names.
    [[nodiscard]] std::optional<std::string_view> plain_string() const noexcept;
    [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;  ///< exact integers only
    [[nodiscard]] std::optional<std::uint64_t> unsigned_integer() const noexcept;
    [[nodiscard]] std::optional<double> number() const noexcept;  ///< finite only
    [[nodiscard]] std::optional<bool> boolean() const noexcept;
};

/// A pull parser over one text. Every value it hands out has been checked completely: grammar of
/// RFC 8259, UTF-8, no lone surrogates, nesting ≤ limits::json_depth. The nesting of a value is
/// counted from itself, so a payload that was accepted alone is accepted inside a message.
/// After a failure every call returns false and `error()` names what was expected and the offset.
class Reader {
public:
    explicit Reader(std::string_view text) noexcept : text_(text) {}

    /// Reads any one value and moves behind it.
    bool value(Value& out) noexcept;

    /// Enters an object or array; fails when the next value is something else (see `peek`).
    bool begin_object() noexcept;
    bool begin_array() noexcept;
    /// Moves to the next member / element; false at the end (check `failed()`).
    /// `key` is the raw text between the quotes, escapes not decoded.
    bool next_member(std::string_view& key) noexcept;
    bool next_element() noexcept;

    /// True when only white space is left.
    bool at_end() noexcept;
    [[nodiscard]] Kind peek() noexcept;
    [[nodiscard]] bool failed() const noexcept { return failure_ != nullptr; }
    [[nodiscard]] std::size_t offset() const noexcept { return position_; }
    [[nodiscard]] base::Error error() const;

private:
    bool fail(const char* expected, std::size_t where) noexcept;
    bool skip_space() noexcept;  // true when something follows
    bool begin(char bracket) noexcept;
    bool next(char closing) noexcept;

    std::string_view text_;
    std::size_t position_ = 0;
    std::size_t depth_ = 0;  // of the objects and arrays entered
    const char* failure_ = nullptr;
    bool first_ = false;  // no comma is expected before the next member or element
};

/// Checks that `text` is exactly one valid JSON value; the error names the offset.
[[nodiscard]] base::Result<Value> parse(std::string_view text);

/// Finds where values begin and end in a text that arrives in pieces, without keeping it:
/// used for arrays and NDJSON of unbounded length.
class Splitter {
public:
    enum class Mode { array, lines };
    using OnItem = std::function<bool(std::string_view item)>;  ///< false stops the stream

    Splitter(Mode mode, std::size_t max_item_bytes) : mode_(mode), max_item_(max_item_bytes) {}

    /// Feeds the next piece; calls `on_item` for each complete element, which is not yet validated
    /// and lives during the call only. Blank lines are no elements. What follows a stop is ignored.
    [[nodiscard]] base::Result<void> feed(std::string_view piece, const OnItem& on_item);
    /// To be called at the end of the input: fails when it stops inside an element or array, and
    /// hands out a last line that has no newline.
    [[nodiscard]] base::Result<void> finish(const OnItem& on_item);

private:
    enum class State : std::uint8_t { before, between, inside, after, stopped };

    base::Result<void> feed_array(std::string_view piece, const OnItem& on_item);
    base::Result<void> feed_lines(std::string_view piece, const OnItem& on_item);
    [[nodiscard]] base::Result<void> outside(char c);
    [[nodiscard]] std::size_t item_end(std::string_view piece, std::size_t from) noexcept;
    base::Result<void> hand_out(std::string_view tail, const OnItem& on_item);
    base::Result<void> keep(std::string_view tail);
    [[nodiscard]] base::Error expected(std::string_view what) const;
    [[nodiscard]] base::Error too_long() const;

    Mode mode_;
    std::size_t max_item_;
    std::string pending_;       // the beginning of an item whose end has not arrived
    std::size_t depth_ = 0;     // of brackets inside the current item
    std::size_t items_ = 0;     // handed out so far
    std::size_t position_ = 0;  // of the byte looked at, from the start of the stream
    State state_ = State::before;
    bool in_string_ = false;
    bool escaped_ = false;  // the last byte was a backslash inside a string
    bool comma_ = false;    // the last thing between items was a comma
};

/// Appends `text` as a JSON string; invalid UTF-8 becomes U+FFFD.
void append_string(std::string& out, std::string_view text);

/// Appends JSON to a string. Keeps track of commas, not of correctness beyond that.
class Writer {
public:
    explicit Writer(std::string& out) noexcept : out_(out) {}

    Writer& begin_object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& begin_array() { return open('['); }
    Writer& end_array() { return close(']'); }
    Writer& key(std::string_view name);          ///< `name` needs no escaping
    Writer& escaped_key(std::string_view name);  ///< any text

    Writer& string(std::string_view text);  ///< escapes; invalid UTF-8 becomes U+FFFD
    Writer& number(std::int64_t value);
    Writer& number(std::uint64_t value);
    Writer& number(double value);  ///< shortest form; null when not finite
    Writer& boolean(bool value);
    Writer& null();
    Writer& raw(std::string_view json);  ///< a valid JSON value, as it is

    /// `key(name)` and the value, by its type. Integers of any width; optional: null when empty.
    Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
    Writer& member(std::string_view name, const char* text) { return key(name).string(text); }
    template <typename Number>
    requires std::is_arithmetic_v<Number> Writer& member(std::string_view name, Number value) {
        key(name);
        if constexpr (std::is_same_v<Number, bool>)
            return boolean(value);
        else if constexpr (std::is_floating_point_v<Number>)
            return number(static_cast<double>(value));
        else if constexpr (std::is_signed_v<Number>)
            return number(static_cast<std::int64_t>(value));
        else
            return number(static_cast<std::uint64_t>(value));
    }
    Writer& member_raw(std::string_view name, std::string_view json) { return key(name).raw(json); }

private:
    Writer& open(char bracket);
    Writer& close(char bracket);
    void separate();

    std::string& out_;
    bool comma_ = false;
};

}  // namespace distributo::wire::json
