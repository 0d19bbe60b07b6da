#include "coordinator/cli/output.hpp"

#include "base/config.hpp"

#include <algorithm>
#include <cstdio>

namespace distributo::coordinator::cli {
namespace {

/// Columns that a text takes on a terminal: code points, which is right for what we print.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

}  // namespace

void Table::print() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width(row[i]));
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size())
                line.append(widths[i] - width(row[i]) + 2, ' ');
        }
        cli::print(line);
    }
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (text.empty() || text.back() != '\n')
        std::fputc('\n', stdout);
}

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t i = text.size(); i > 3; i -= 3)
        text.insert(i - 3, " ");
    return text;
}

std::string decimal(double number) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f", number);
    return text;
}

int exit_code_of(const base::Error& error) {
    using base::Errc;
    switch (error.code) {
        case Errc::invalid_argument:
            return base::exit_code::usage;
        case Errc::unavailable:
            return base::exit_code::unreachable;
        case Errc::not_found:
            return base::exit_code::not_found;
        case Errc::conflict:
        case Errc::limit:
        case Errc::no_space:
            return base::exit_code::refused;
        case Errc::timeout:
            return base::exit_code::timeout;
        case Errc::io:
        case Errc::internal:
            break;
    }
    return base::exit_code::internal;
}

}  // namespace distributo::coordinator::cli
