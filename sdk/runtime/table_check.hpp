#pragma once

#include "base/result.hpp"
#include "runtime/calls.hpp"

#include <distributo/abi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// What the tables of all interfaces are checked for. Every error is invalid_argument, and reads on
/// after the name of the library: "its dto_module is a null pointer".
namespace distributo::runtime {

[[nodiscard]] base::Error refused(std::string message, std::string hint = {});

/// No table will ever be this long; a larger number is not a size.
inline constexpr std::size_t longest_table = 64 * 1024;

/// A copy in which members that the plugin's table lacks are null. `least`: the size of the first
/// version.
template <typename Table>
base::Result<Table> own_copy(const Table* table, std::size_t least, std::string_view name) {
    if (!table)
        return refused("its " + std::string(name) + " is a null pointer");
    if (table->struct_size < least || table->struct_size > longest_table)
        return refused("its " + std::string(name) + " has struct_size " +
                           std::to_string(table->struct_size) + ", expected at least " +
                           std::to_string(least),
                       "set struct_size to sizeof the table");
    Table copy{};
    std::memcpy(&copy, table, std::min<std::size_t>(table->struct_size, sizeof copy));
    return copy;
}

/// Of those that must be understood, only `known` ones may be set.
[[nodiscard]] base::Result<void> check_flags(std::uint32_t flags,
                                             std::uint32_t known,
                                             std::string_view where);
/// `separators`: what may stand between letters and digits.
[[nodiscard]] base::Result<void> check_name(std::string_view name,
                                            std::string_view what,
                                            std::string_view separators);
[[nodiscard]] base::Result<void> check_version(std::string_view version, std::string_view of);
[[nodiscard]] base::Result<void> check_schema(std::string_view schema, std::string_view what);

/// The module's own table, and what it says about the library as a whole.
struct ModuleHead {
    dto_module table{};
    ModuleInfo info;  ///< without types
};
[[nodiscard]] base::Result<ModuleHead> check_head(const dto_module& declared);

}  // namespace distributo::runtime
