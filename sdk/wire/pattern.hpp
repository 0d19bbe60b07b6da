#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::wire {

/// A regular expression of ECMA-262 (flag u), run as a set of states side by side: time grows with
/// text × pattern and never beyond, whatever the pattern. That excludes back references and
/// look-around. Immutable; any thread.
class Pattern {
public:
    /// Fails with Errc::unavailable for what is valid but not offered here, or too large, and with
    /// invalid_argument for what is no regular expression.
    [[nodiscard]] static base::Result<Pattern> compile(std::string_view expression);

    /// Does any part of `text` (UTF-8) match? Nothing when it takes more than `work` steps; `work`
    /// is lowered by the steps that were taken.
    [[nodiscard]] std::optional<bool> search(std::string_view text, std::uint64_t& work) const;

    enum class Op : std::uint8_t { set, split, jump, text_begin, text_end, word_edge, match };
    struct Instruction {
        Op op = Op::match;
        bool negated = false;     // set, word_edge
        std::int32_t first = 0;   // set: its index; split, jump: how far
        std::int32_t second = 0;  // split: how far
    };
    using Set = std::vector<std::pair<char32_t, char32_t>>;  // closed ranges

private:
    std::vector<Instruction> program_;
    std::vector<Set> sets_;
};

}  // namespace distributo::wire
