#include "runtime/check/elf_image.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <random>

namespace distributo::runtime::check {
namespace {

std::string good_file() {
    std::ifstream in(TEST_PLUGINS "/good/test_noop.so", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(ElfImage, SaysWhatALibraryExportsAndNeeds) {
    const auto image = read_elf(good_file());
    ASSERT_TRUE(image) << image.error().message;
    ASSERT_EQ(image->exports.size(), 1U);
    EXPECT_EQ(image->exports.front().name, "distributo_module_v1");
    EXPECT_FALSE(image->exports.front().unique);
    std::vector<std::string> needed = image->needed;
    std::erase_if(needed, [](const std::string& name) {
        return name.starts_with("libasan.") || name.starts_with("libubsan.") ||
               name.starts_with("libtsan.");  // of the build, not of the plugin
    });
    EXPECT_EQ(needed, std::vector<std::string>{"libc.so.6"});
    EXPECT_TRUE(image->run_paths.empty());
    EXPECT_FALSE(image->glibc.empty());
    EXPECT_TRUE(image->libstdcxx.empty());
    EXPECT_TRUE(image->bind_now);
    EXPECT_TRUE(image->relro);
    EXPECT_FALSE(image->executable_stack);
    EXPECT_FALSE(image->text_relocations);
    EXPECT_FALSE(image->no_delete);
    EXPECT_EQ(image->tls_size, 0U);
}

TEST(ElfImage, IsNotGuessedWithoutSectionHeaders) {
    std::string file = good_file();
    Elf64_Ehdr header;
    std::copy_n(file.data(), sizeof header, reinterpret_cast<char*>(&header));
    header.e_shnum = 0;
    std::copy_n(reinterpret_cast<const char*>(&header), sizeof header, file.data());
    const auto image = read_elf(file);
    ASSERT_FALSE(image);
    EXPECT_NE(image.error().message.find("no section headers"), std::string::npos);
}

TEST(ElfImage, EveryTruncationIsReadOrRefused) {
    const std::string file = good_file();
    std::size_t refused = 0;
    for (std::size_t size = 0; size < file.size(); size += size < 8192 ? 1 : 61)
        refused += read_elf(std::string_view(file).substr(0, size)) ? 0 : 1;
    // The section table comes last, so nothing shorter is complete.
    EXPECT_GT(refused, 1000U);
}

/// Every offset and every length in the file, and then bytes at random, become nonsense. What is
/// looked for are reads outside of the file, which the sanitizers of the asan build find.
TEST(ElfImage, NonsenseIsReadOrRefused) {
    const std::string file = good_file();
    std::minstd_rand random(1);
    std::size_t refused = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string spoiled = file;
        for (int i = 0; i < 4; ++i) {
            const bool in_header = random() % 2 == 0;
            const std::size_t at =
                in_header ? random() % 512 : file.size() - 1 - random() % (64 * 40);
            spoiled[at] = static_cast<char>(random());
        }
        refused += read_elf(spoiled) ? 0 : 1;
    }
    EXPECT_GT(refused, 100U);
    EXPECT_LT(refused, 3000U);
}

TEST(ElfImage, ATableOfVersionsThatPointsAtItselfEnds) {
    std::string file = good_file();
    Elf64_Ehdr header;
    std::copy_n(file.data(), sizeof header, reinterpret_cast<char*>(&header));
    bool found = false;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr section;
        const auto place = header.e_shoff + i * sizeof section;
        std::copy_n(file.data() + place, sizeof section, reinterpret_cast<char*>(&section));
        if (section.sh_type != SHT_GNU_verneed)
            continue;
        found = true;
        section.sh_info = 0xFFFFFFFF;
        std::copy_n(reinterpret_cast<const char*>(&section), sizeof section, file.data() + place);
        Elf64_Verneed need;
        std::copy_n(file.data() + section.sh_offset, sizeof need, reinterpret_cast<char*>(&need));
        need.vn_cnt = 0xFFFF;
        need.vn_next = sizeof need;
        std::copy_n(
            reinterpret_cast<const char*>(&need), sizeof need, file.data() + section.sh_offset);
    }
    ASSERT_TRUE(found);
    static_cast<void>(read_elf(file));  // returns
}

}  // namespace
}  // namespace distributo::runtime::check
