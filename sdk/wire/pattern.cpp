#include "wire/pattern.hpp"

#include "wire/utf8.hpp"

#include <algorithm>

namespace distributo::wire {
namespace {

constexpr char32_t none = 0xFFFFFFFF;  // before the first and behind the last character

bool is_word(char32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/// The states that a search is in at one position.
class States {
public:
    explicit States(const std::vector<Pattern::Instruction>& program)
        : program_(&program), member_(program.size(), 0) {}

    void clear() {
        ++round_;
        list_.clear();
    }
    [[nodiscard]] const std::vector<std::size_t>& list() const { return list_; }

    /// Adds the state and all that follow it without a character; true when one is the match.
    bool add(std::size_t state, char32_t before, char32_t after) {
        stack_.assign(1, state);
        bool matched = false;
        while (!stack_.empty()) {
            const std::size_t at = stack_.back();
            stack_.pop_back();
            if (member_[at] == round_)
                continue;
            member_[at] = round_;
            const auto& instruction = (*program_)[at];
            const auto go = [&](std::int32_t distance) {
                stack_.push_back(at + static_cast<std::size_t>(distance));
            };
            switch (instruction.op) {
                case Pattern::Op::set:
                    list_.push_back(at);
                    break;
                case Pattern::Op::split:
                    go(instruction.first);
                    go(instruction.second);
                    break;
                case Pattern::Op::jump:
                    go(instruction.first);
                    break;
                case Pattern::Op::text_begin:
                    if (before == none)
                        go(1);
                    break;
                case Pattern::Op::text_end:
                    if (after == none)
                        go(1);
                    break;
                case Pattern::Op::word_edge:
                    if ((is_word(before) != is_word(after)) != instruction.negated)
                        go(1);
                    break;
                case Pattern::Op::match:
                    matched = true;
            }
        }
        return matched;
    }

private:
    const std::vector<Pattern::Instruction>* program_;
    std::vector<std::uint64_t> member_;  // the round in which the state was added last
    std::uint64_t round_ = 0;
    std::vector<std::size_t> list_;
    std::vector<std::size_t> stack_;
};

bool contains(const Pattern::Set& set, char32_t c) {
    return std::any_of(set.begin(), set.end(), [c](const auto& range) {
        return c >= range.first && c <= range.second;
    });
}

}  // namespace

std::optional<bool> Pattern::search(std::string_view text, std::uint64_t& work) const {
    States now(program_);
    States next(program_);
    now.clear();
    std::size_t at = 0;
    std::size_t behind = 0;
    char32_t before = none;
    char32_t current = text.empty() ? none : next_character(text, behind);
    for (;;) {
        if (now.add(0, before, current))
            return true;
        if (current == none)
            return false;
        const std::uint64_t steps = 1 + now.list().size();
        if (work < steps)
            return std::nullopt;
        work -= steps;
        at = behind;
        const char32_t after = at < text.size() ? next_character(text, behind) : none;
        next.clear();
        bool matched = false;
        for (const std::size_t state : now.list()) {
            const auto& instruction = program_[state];
            const Set& set = sets_[static_cast<std::size_t>(instruction.first)];
            if (contains(set, current) != instruction.negated)
                matched |= next.add(state + 1, current, after);
        }
        if (matched)
            return true;
        std::swap(now, next);
        before = current;
        current = after;
    }
}

}  // namespace distributo::wire
