#include "runtime/elf_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <elf.h>
#include <string>

namespace distributo::runtime {
namespace {

using testing::HasSubstr;

Elf64_Ehdr good_header() {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
    header.e_machine = EM_X86_64;
    header.e_phoff = 64;
    header.e_phnum = 4;
    header.e_shoff = 4096;
    header.e_shnum = 10;
    return header;
}

std::string reason(const Elf64_Ehdr& header, std::uint64_t size = 8192) {
    const auto checked = check_elf({reinterpret_cast<const char*>(&header), sizeof header}, size);
    return checked ? "fine" : checked.error().message;
}

std::string reason(std::string_view content) {
    const auto checked = check_elf(content, content.size());
    return checked ? "fine" : checked.error().message;
}

TEST(ElfFileTest, AcceptsASharedLibrary) {
    EXPECT_EQ(reason(good_header()), "fine");
}

TEST(ElfFileTest, SaysWhatAForeignFileIs) {
    EXPECT_EQ(reason(""), "is empty");
    EXPECT_EQ(reason("hello\n"), "is text, not a shared library");
    EXPECT_EQ(reason("#!/bin/sh\n"), "is a script, not a shared library");
    EXPECT_THAT(reason(std::string("MZ\x90\0", 4)), HasSubstr("Windows"));
    EXPECT_THAT(reason("!<arch>\n"), HasSubstr("not"));
    EXPECT_EQ(reason(std::string("\0\1\2", 3)), "is not a shared library");
}

TEST(ElfFileTest, NamesTheOtherMachine) {
    auto header = good_header();
    header.e_machine = EM_AARCH64;
    EXPECT_EQ(reason(header), "is for aarch64, this host is x86-64");
    header.e_ident[EI_CLASS] = ELFCLASS32;
    EXPECT_THAT(reason(header), HasSubstr("32-bit"));
}

TEST(ElfFileTest, RefusesProgramsAndObjectFiles) {
    auto header = good_header();
    header.e_type = ET_REL;
    EXPECT_EQ(reason(header), "is an object file, not a shared library");
    header.e_type = ET_EXEC;
    EXPECT_EQ(reason(header), "is a program, not a shared library");
}

TEST(ElfFileTest, NoticesWhatIsMissingAtTheEnd) {
    EXPECT_THAT(reason(good_header(), 4096 + 10 * sizeof(Elf64_Shdr) - 1),
                HasSubstr("truncated: its section table"));
    EXPECT_EQ(reason(good_header(), 4096 + 10 * sizeof(Elf64_Shdr)), "fine");
    EXPECT_THAT(reason(good_header(), 100), HasSubstr("truncated: its segment table"));
    EXPECT_THAT(reason(std::string_view(ELFMAG, SELFMAG)), HasSubstr("truncated: its header"));
    auto header = good_header();
    header.e_shoff = ~std::uint64_t{0} - 8;
    EXPECT_THAT(reason(header), HasSubstr("truncated"));
}

}  // namespace
}  // namespace distributo::runtime
