#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::runtime::check {

/// What the headers of a shared library say, without running any of its code.
struct ElfImage {
    struct Symbol {
        std::string name;
        bool unique = false;  ///< STB_GNU_UNIQUE: one for the whole process, pins the library
    };
    std::vector<Symbol> exports;         ///< defined symbols that others can bind to
    std::vector<std::string> needed;     ///< names of libraries
    std::vector<std::string> run_paths;  ///< folders of DT_RPATH and DT_RUNPATH
    std::string glibc, libstdcxx;        ///< highest version needed ("2.34"), empty: none
    std::uint64_t tls_size = 0;          ///< bytes of thread-local storage
    bool text_relocations = false;
    bool executable_stack = false;
    bool bind_now = false;
    bool relro = false;
    bool static_tls = false;  ///< its thread-locals need the space that is fixed at process start
    bool no_delete = false;   ///< DF_1_NODELETE: dlclose does nothing
};

/// Reads a 64-bit ELF file of this byte order that check_elf() has accepted. Every offset and
/// length is checked against the file; the error's message continues "<file> …".
[[nodiscard]] base::Result<ElfImage> read_elf(std::string_view file);

}  // namespace distributo::runtime::check
