#include "base/base64.hpp"

#include <gtest/gtest.h>

namespace distributo::tests {
namespace {

TEST(Base64Test, IsThatOfTheStandard) {
    constexpr std::string_view pairs[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foobar", "Zm9vYmFy"},
                                             {"\xFB\xFF", "+/8="}};
    for (const auto& [bytes, text] : pairs) {
        EXPECT_EQ(base::base64(bytes), text);
        EXPECT_EQ(base::from_base64(text), bytes);
    }
    const std::string zeros(5, '\0');
    EXPECT_EQ(base::from_base64(base::base64(zeros)), zeros);
}

TEST(Base64Test, OtherTextsAreRefused) {
    for (const char* const text :
         {"Z", "Zg", "Zg=", "Zh==", "Z=g=", "====", "Zm9v\n", " Zm9v", "Zm-v"})
        EXPECT_FALSE(base::from_base64(text)) << text;
}

}  // namespace
}  // namespace distributo::tests
