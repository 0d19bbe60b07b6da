#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace range {

/// The values of one parameter: a list, or numbers at equal distances. Decimal steps are exact.
class Axis {
public:
    /// `json`: an array of values, or {"from":0,"to":1,"step":0.1}, both ends included. Throws a
    /// permanent Failure that names `place`.
    Axis(std::string_view json, const std::string& place);

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    /// The value at this place, as JSON.
    [[nodiscard]] std::string at(std::uint64_t index) const;

private:
    void read_list(std::string_view json, const std::string& place);
    void read_numbers(std::string_view json, const std::string& place);

    std::uint64_t size_ = 0;
    std::vector<std::string> values_;   // of a list
    std::int64_t from_ = 0, step_ = 1;  // in units of 10^-digits_
    unsigned digits_ = 0;
};

}  // namespace range
