#pragma once

#include "base/result.hpp"
#include "wire/json.hpp"
#include "wire/token.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

namespace distributo::wire {

/// One message while it is read, and where in it the decoder stands, so that errors can name the
/// member: "assign.tasks[3].timeout_ms: expected …". The reading functions take the next value;
/// when they return false, `error()` says why.
class Input {
public:
    explicit Input(std::string_view message) noexcept : reader_(message), size_(message.size()) {}

    [[nodiscard]] json::Reader& reader() noexcept { return reader_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void set_op(std::string_view op) noexcept { op_ = op; }
    void set_member(std::string_view name) noexcept { member_ = name; }

    bool skip() noexcept;
    bool json(std::string_view& out, std::size_t limit);
    /// A string of 1 … `limit` bytes. The view lives as long as this object.
    bool name(std::string_view& out, std::size_t limit);
    bool name(std::string& out, std::size_t limit);
    /// A string of any length, of which `limit` bytes are kept.
    bool text(std::string_view& out, std::size_t limit);
    bool text(std::string& out, std::size_t limit);
    bool token(Token& out);
    bool lease(Lease& out);
    /// A token, or a token and its lease.
    bool claim(Token& token, Lease& lease);
    bool milliseconds(std::int64_t& out);
    bool fraction(double& out);
    bool flag(bool& out);
    template <typename Unsigned>
    bool number(Unsigned& out,
                std::uint64_t min = 0,
                std::uint64_t max = std::numeric_limits<Unsigned>::max()) {
        std::uint64_t value = 0;
        if (!number_between(value, min, max))
            return false;
        out = static_cast<Unsigned>(value);
        return true;
    }
    /// One of `words`; `out` becomes the enumerator at its place.
    template <typename Enum, std::size_t Size>
    bool choice(Enum& out, const std::array<std::string_view, Size>& words) {
        json::Value value;
        if (!reader_.value(value))
            return false;
        const auto word = value.plain_string();
        for (std::size_t i = 0; word && i < Size; ++i) {
            if (*word == words[i]) {
                out = static_cast<Enum>(i);
                return true;
            }
        }
        return unexpected(value, "one of " + join(words.data(), Size));
    }

    /// Calls `on_element` for each element of an array, at most `limit` of them.
    template <typename OnElement>
    bool list(std::string_view name, std::size_t limit, OnElement on_element) {
        if (!reader_.begin_array())
            return false;
        list_ = name;
        for (index_ = 0; reader_.next_element(); ++index_) {
            member_ = {};
            if (index_ == limit)
                return refuse(base::Errc::limit, "more than " + std::to_string(limit) + " entries");
            if (!on_element())
                return false;
        }
        list_ = {};
        return !reader_.failed();
    }

    bool unexpected(const json::Value& got, std::string_view expected);
    bool refuse(base::Errc code, std::string what);
    [[nodiscard]] bool failed() const noexcept { return refused_ || reader_.failed(); }
    [[nodiscard]] base::Error error() const;

private:
    bool number_between(std::uint64_t& out, std::uint64_t min, std::uint64_t max);
    bool decode(std::string_view& out, std::size_t& size);
    [[nodiscard]] std::string place() const;
    static std::string join(const std::string_view* words, std::size_t count);

    json::Reader reader_;
    std::size_t size_;
    std::string_view op_;
    std::string_view list_;
    std::size_t index_ = 0;
    std::string_view member_;
    std::deque<std::string> decoded_;  // strings that had escapes
    base::Error error_;
    bool refused_ = false;
};

/// The members of one object: finds known names, skips others, refuses duplicates.
template <std::size_t Size>
class Object {
public:
    static_assert(Size <= 32, "one bit per member");

    Object(Input& input, const std::array<std::string_view, Size>& names)
        : input_(input), names_(names) {
        input.reader().begin_object();
    }

    /// Which known member's value comes next; -1 at the end of the object and after a failure.
    int next() {
        std::string_view key;
        while (!input_.failed() && input_.reader().next_member(key)) {
            const std::size_t found = find(key);
            input_.set_member(found < Size ? names_[found] : key);
            if (found == Size) {
                input_.skip();
                continue;
            }
            if (has(found)) {
                input_.refuse(base::Errc::invalid_argument, "stands twice");
                break;
            }
            seen_ |= 1U << found;
            guess_ = found + 1;
            return static_cast<int>(found);
        }
        return -1;
    }

    [[nodiscard]] bool has(std::size_t member) const noexcept {
        return (seen_ >> member & 1U) != 0;
    }

    /// After the last member: true when nothing failed and `required` members were there.
    bool complete(std::initializer_list<std::size_t> required) {
        if (input_.failed())
            return false;
        for (const std::size_t member : required) {
            if (!has(member)) {
                input_.set_member(names_[member]);
                return input_.refuse(base::Errc::invalid_argument, "is missing");
            }
        }
        return true;
    }

private:
    /// Members usually come in the order in which we write them.
    [[nodiscard]] std::size_t find(std::string_view key) const noexcept {
        if (guess_ < Size && names_[guess_] == key)
            return guess_;
        std::size_t i = 0;
        while (i < Size && names_[i] != key)
            ++i;
        return i;
    }

    Input& input_;
    const std::array<std::string_view, Size>& names_;
    std::uint32_t seen_ = 0;
    std::size_t guess_ = 0;
};

}  // namespace distributo::wire
