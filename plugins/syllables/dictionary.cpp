#include "dictionary.hpp"

#include "support/utf8.hpp"

#include <distributo/plugin.hpp>

#include <cstdlib>
#include <filesystem>

namespace syllables {

namespace {

constexpr std::size_t max_word_bytes = 65536;

/// The word as the patterns spell it: lower case (ASCII and Latin-1), the same number of bytes.
/// Control characters, among them NUL, become spaces, which no pattern contains.
std::string folded(std::string_view word) {
    std::string out(word);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        const auto before = i == 0 ? 0U : static_cast<unsigned char>(word[i - 1]);
        const bool ascii_capital = byte >= 'A' && byte <= 'Z';
        const bool latin_capital = before == 0xC3 && byte >= 0x80 && byte <= 0x9E && byte != 0x97;
        if (ascii_capital || latin_capital) {
            out[i] = static_cast<char>(byte + 0x20);
        } else if (byte < 0x20 || byte == 0x7F) {
            out[i] = ' ';
        }
    }
    return out;
}

/// The three arrays that libhyphen allocates for words that change their spelling when broken.
struct Respelling {
    explicit Respelling(std::size_t characters) : size(characters) {}
    Respelling(const Respelling&) = delete;
    Respelling& operator=(const Respelling&) = delete;
    ~Respelling() {
        for (std::size_t i = 0; text != nullptr && i < size; ++i) {
            std::free(text[i]);
        }
        std::free(text);
        std::free(position);
        std::free(cut);
    }

    [[nodiscard]] bool at(std::size_t i) const { return text != nullptr && text[i] != nullptr; }

    std::size_t size;
    char** text = nullptr;
    int* position = nullptr;
    int* cut = nullptr;
};

}  // namespace

Dictionary::Dictionary(const std::string& path) {
    const std::string advice =
        "; install a hyphenation dictionary (Debian: hyphen-en-us) or name one in the plugin's "
        "configuration (\"dictionary\") or in DISTRIBUTO_SYLLABLES_DICTIONARY";
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        throw distributo::retry_elsewhere("there is no file " + path + advice);
    }
    dictionary_.reset(hnj_hyphen_load(path.c_str()));
    if (!dictionary_) {
        throw distributo::retry_elsewhere("cannot read " + path + advice);
    }
    if (dictionary_->utf8 == 0) {
        throw distributo::retry_elsewhere(path +
                                          " is not a hyphenation dictionary in UTF-8: its "
                                          "first line is not \"UTF-8\"" +
                                          advice);
    }
}

std::vector<std::string> Dictionary::split(std::string_view word) const {
    if (word.size() > max_word_bytes) {
        throw distributo::permanent("payload.word: longer than 65536 bytes");
    }
    std::vector<std::size_t> ends;  // of the characters, in bytes
    ends.reserve(word.size());
    for (std::size_t at = 0; at < word.size(); ends.push_back(at)) {
        const std::size_t size = support::utf8_size(word.substr(at));
        if (size == 0) {
            throw distributo::permanent("payload.word: not UTF-8 at byte " + std::to_string(at));
        }
        at += size;
    }

    const std::string lookup = folded(word);
    std::string points(lookup.size() + 5, '\0');
    Respelling respelling(lookup.size());
    if (hnj_hyphen_hyphenate2(dictionary_.get(),
                              lookup.c_str(),
                              static_cast<int>(lookup.size()),
                              points.data(),
                              nullptr,
                              &respelling.text,
                              &respelling.position,
                              &respelling.cut) != 0) {
        throw distributo::retry("libhyphen failed");
    }

    std::vector<std::string> pieces;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const bool last = i + 1 == ends.size();
        const bool breaks = (static_cast<unsigned char>(points[i]) & 1U) != 0 && !respelling.at(i);
        if (last || breaks) {
            pieces.emplace_back(word.substr(begin, ends[i] - begin));
            begin = ends[i];
        }
    }
    return pieces;
}

}  // namespace syllables
