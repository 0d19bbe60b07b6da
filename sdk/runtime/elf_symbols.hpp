#pragma once

#include "base/result.hpp"

#include <string_view>
#include <vector>

namespace distributo::runtime {

/// The ABI majors that a shared library has entry functions for (`distributo_module_v<N>`), rising;
/// read from its symbol table, none of its code runs. Empty when it is not a plugin.
/// `image`: the whole file, which check_elf() was content with. An error ("is damaged: …") when
/// the tables point outside of the file.
[[nodiscard]] base::Result<std::vector<unsigned>> entry_majors(std::string_view image);

}  // namespace distributo::runtime
