#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace distributo::tests {

/// Makes valid JSON texts of all kinds, with white space, escapes and odd numbers.
class RandomJson {
public:
    explicit RandomJson(std::uint32_t seed) : random_(seed) {}

    std::string value(int depth = 4) {
        switch (below(depth > 0 ? 8U : 5U)) {
            case 0:
                return "null";
            case 1:
                return below(2) != 0 ? "true" : "false";
            case 2:
                return number();
            case 3:
            case 4:
                return string();
            case 5:
            case 6:
                return object(depth);
            default:
                return array(depth);
        }
    }

    std::uint32_t below(std::uint32_t limit) {
        return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
    }

private:
    std::string space() {
        static const char* const spaces[] = {"", "", "", "", " ", "\n", "\t ", "\r\n"};
        return spaces[below(8)];
    }

    std::string number() {
        static const char* const odd[] = {"0",
                                          "-0",
                                          "1.0",
                                          "1e309",
                                          "-1E-400",
                                          "123456789.123456789",
                                          "18446744073709551616",
                                          "0e0",
                                          "0.1e+7"};
        if (below(2) != 0)
            return odd[below(9)];
        return std::to_string(static_cast<std::int64_t>(random_()) - (std::int64_t{1} << 31U));
    }

    std::string string() {
        static const char* const pieces[] = {"a",
                                             "word",
                                             " ",
                                             "\\n",
                                             "\\\"",
                                             "\\\\",
                                             "\\u0000",
                                             "\\ud83d\\ude00",
                                             "é",
                                             "漢",
                                             "😀",
                                             "[{,:}]",
                                             "a long run of plain characters"};
        std::string text = "\"";
        for (std::uint32_t i = below(6); i > 0; --i)
            text += pieces[below(13)];
        return text + "\"";
    }

    std::string array(int depth) {
        std::string text = "[" + space();
        for (std::uint32_t i = 0, size = below(5); i < size; ++i)
            text += (i == 0 ? "" : ",") + space() + value(depth - 1) + space();
        return text + "]";
    }

    std::string object(int depth) {
        std::string text = "{" + space();
        for (std::uint32_t i = 0, size = below(5); i < size; ++i)
            text += (i == 0 ? "" : ",") + space() + string() + space() + ":" + space() +
                    value(depth - 1) + space();
        return text + "}";
    }

    std::mt19937 random_;
};

}  // namespace distributo::tests
