#include "runtime/elf_symbols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace distributo::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string content(const std::string& plugin) {
    std::ifstream file(TEST_PLUGINS "/" + plugin, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ElfSymbolsTest, FindsTheEntryFunctionOfEachMajor) {
    EXPECT_THAT(*entry_majors(content("good/test_noop.so")), ElementsAre(1U));
    EXPECT_THAT(*entry_majors(content("broken/test_next_major.so")), ElementsAre(2U));
    EXPECT_THAT(*entry_majors(content("ages/test_both_majors.so")), ElementsAre(1U, 2U));
    EXPECT_THAT(*entry_majors(content("broken/test_no_entry.so")), IsEmpty());
}

TEST(ElfSymbolsTest, NeedsNoSectionHeaders) {
    std::string image = content("ages/test_both_majors.so");
    image.replace(0x28, 8, 8, '\0');  // e_shoff
    image.replace(0x3C, 4, 4, '\0');  // e_shnum, e_shstrndx

    EXPECT_THAT(*entry_majors(image), ElementsAre(1U, 2U));
}

TEST(ElfSymbolsTest, SaysThatATableLiesOutside) {
    const auto found = entry_majors(content("good/test_noop.so").substr(0, 600));

    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message, HasSubstr("is damaged"));
}

/// Wherever a file was cut, and whatever byte in its tables was changed, nothing is read outside.
TEST(ElfSymbolsTest, SurvivesDamage) {
    const std::string image = content("good/test_noop.so");
    ASSERT_GT(image.size(), 4096U);
    for (std::size_t end = 0; end < image.size(); end += 16)
        static_cast<void>(entry_majors(std::string(image, 0, end)));
    for (std::size_t at = 0; at < 4096; ++at) {
        std::string damaged = image;
        damaged[at] = static_cast<char>(~damaged[at]);
        static_cast<void>(entry_majors(damaged));
    }
}

}  // namespace
}  // namespace distributo::runtime
