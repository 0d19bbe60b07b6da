#include "runtime/elf_file.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <string>

namespace distributo::runtime {
namespace {

using base::Errc;

#if defined(__x86_64__)
constexpr Elf64_Half own_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half own_machine = EM_AARCH64;
#elif defined(__riscv)
constexpr Elf64_Half own_machine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr Elf64_Half own_machine = EM_PPC64;
#elif defined(__s390x__)
constexpr Elf64_Half own_machine = EM_S390;
#else
#error "name this machine's ELF number"
#endif

std::string machine_name(Elf64_Half machine) {
    switch (machine) {
        case EM_X86_64:
            return "x86-64";
        case EM_386:
            return "32-bit x86";
        case EM_AARCH64:
            return "aarch64";
        case EM_ARM:
            return "32-bit ARM";
        case EM_RISCV:
            return "RISC-V";
        case EM_PPC64:
            return "ppc64";
        case EM_S390:
            return "s390x";
        default:
            return "machine number " + std::to_string(machine);
    }
}

std::string type_name(Elf64_Half type) {
    switch (type) {
        case ET_REL:
            return "an object file";
        case ET_EXEC:
            return "a program";
        case ET_CORE:
            return "a core dump";
        default:
            return "an ELF file of type " + std::to_string(type);
    }
}

bool is_text(std::string_view head) {
    return std::all_of(head.begin(), head.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 || byte == '\n' || byte == '\r' || byte == '\t';
    });
}

base::Error foreign(std::string_view head) {
    const std::string_view starts_with = head.substr(0, 2);
    std::string what = "is not a shared library";
    if (head.empty())
        what = "is empty";
    else if (starts_with == "MZ")
        what = "is a Windows library, this host runs Linux";
    else if (starts_with == "#!")
        what = "is a script, not a shared library";
    else if (is_text(head))
        what = "is text, not a shared library";
    else if (head.substr(0, 8) == "!<arch>\n")
        what = "is a static library, not a shared one";
    return base::error(Errc::invalid_argument,
                       std::move(what),
                       "build it with distributo_add_plugin(), or as a shared library");
}

bool ends_within(std::uint64_t offset,
                 std::uint64_t count,
                 std::uint64_t each,
                 std::uint64_t size) {
    return count == 0 || (offset <= size && count * each <= size - offset);
}

base::Error truncated(std::string_view what, std::uint64_t size) {
    return base::error(Errc::invalid_argument,
                       "is truncated: " + std::string(what) + " lies beyond its " +
                           std::to_string(size) + " bytes",
                       "copy the file again, and rename it into the folder when it is complete");
}

}  // namespace

base::Result<void> check_elf(std::string_view head, std::uint64_t size) {
    if (head.size() < SELFMAG || std::memcmp(head.data(), ELFMAG, SELFMAG) != 0)
        return foreign(head);
    if (head.size() < sizeof(Elf64_Ehdr))
        return truncated("its header", size);

    Elf64_Ehdr header;
    std::memcpy(&header, head.data(), sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64)
        return base::error(Errc::invalid_argument,
                           "is a 32-bit library, this host needs a 64-bit one");
    if (header.e_ident[EI_DATA] !=
        (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB))
        return base::error(Errc::invalid_argument, "is for a machine of the other byte order");
    if (header.e_machine != own_machine)
        return base::error(Errc::invalid_argument,
                           "is for " + machine_name(header.e_machine) + ", this host is " +
                               machine_name(own_machine));
    if (header.e_type != ET_DYN)
        return base::error(Errc::invalid_argument,
                           "is " + type_name(header.e_type) + ", not a shared library");
    if (!ends_within(header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr), size))
        return truncated("its segment table", size);
    if (!ends_within(header.e_shoff, header.e_shnum, sizeof(Elf64_Shdr), size))
        return truncated("its section table", size);
    return {};
}

}  // namespace distributo::runtime
