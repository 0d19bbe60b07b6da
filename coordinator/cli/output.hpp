#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::cli {

/// How a command prints what it found.
enum class OutputMode { human, json, quiet };

/// A small table for people: columns as wide as their content, no lines.
class Table {
public:
    explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    void print() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// Prints to standard output, with a newline when there is none.
void print(std::string_view text);

/// "1 234 567" → with thin grouping for people.
[[nodiscard]] std::string grouped(std::uint64_t number);

/// With one digit behind the point.
[[nodiscard]] std::string decimal(double number);

/// The exit code that stands for a failure.
[[nodiscard]] int exit_code_of(const base::Error& error);

}  // namespace distributo::coordinator::cli
