#pragma once

#include <hyphen.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace syllables {

/// A hyphenation dictionary of libhyphen. Immutable, so that many threads may use it at once.
class Dictionary {
public:
    /// Throws a Failure that says what is wrong with the file.
    explicit Dictionary(const std::string& path);

    /// Where `word` may be broken. The pieces make up the word byte for byte; none for an empty
    /// word. `word` is UTF-8 of any script; what the dictionary does not know stays in one piece.
    [[nodiscard]] std::vector<std::string> split(std::string_view word) const;

private:
    struct Free {
        void operator()(HyphenDict* dictionary) const { hnj_hyphen_free(dictionary); }
    };
    std::unique_ptr<HyphenDict, Free> dictionary_;
};

}  // namespace syllables
