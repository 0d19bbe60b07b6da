#pragma once

#include <iostream>
#include <sstream>
#include <string_view>

namespace distributo::testing {

/// How many expectations failed in this program.
inline int& failures() {
    static int count = 0;
    return count;
}

inline void expect(bool holds, std::string_view what, std::string_view file, int line) {
    if (!holds) {
        ++failures();
        std::cerr << file << ':' << line << ": expected " << what << '\n';
    }
}

template <class Left, class Right>
void expect_equal(const Left& left, const Right& right, std::string_view file, int line) {
    std::ostringstream text;
    text << "\n  " << right << "\ngot\n  " << left;
    expect(left == right, text.str(), file, line);
}

/// The exit code for main().
inline int report() {
    if (failures() == 0) {
        std::cout << "all expectations hold\n";
        return 0;
    }
    std::cerr << failures() << " expectation(s) failed\n";
    return 1;
}

}  // namespace distributo::testing

#define DISTRIBUTO_EXPECT(condition) \
    ::distributo::testing::expect((condition), #condition, __FILE__, __LINE__)
#define DISTRIBUTO_EXPECT_EQUAL(got, wanted) \
    ::distributo::testing::expect_equal((got), (wanted), __FILE__, __LINE__)
