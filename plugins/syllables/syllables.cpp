#include "dictionary.hpp"

#include <distributo/plugin.hpp>

#include <cstdlib>

namespace {

struct Config {
    std::optional<std::string> dictionary;
};
BOOST_DESCRIBE_STRUCT(Config, (), (dictionary))

struct Word {
    std::string word;
};
BOOST_DESCRIBE_STRUCT(Word, (), (word))

struct Syllables {
    std::string word;
    std::vector<std::string> syllables;
    std::uint32_t count = 0;
};
BOOST_DESCRIBE_STRUCT(Syllables, (), (word, syllables, count))

std::string dictionary_path(const Config& config) {
    const char* const variable = std::getenv("DISTRIBUTO_SYLLABLES_DICTIONARY");
    const std::string otherwise =
        variable != nullptr ? variable : "/usr/share/hyphen/hyph_en_US.dic";
    return config.dictionary.value_or(otherwise);
}

class Hyphenator {
public:
    explicit Hyphenator(const distributo::Setup& setup)
        : dictionary_(dictionary_path(setup.config<Config>())) {}

    Syllables split(const Word& input) const {
        Syllables out{input.word, dictionary_.split(input.word)};
        out.count = static_cast<std::uint32_t>(out.syllables.size());
        return out;
    }

private:
    syllables::Dictionary dictionary_;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.syllables",
                  "1.0.0",
                  distributo::task_type<&Hyphenator::split>("text.syllables")
                      .summary("Splits a word into syllables")
                      .deterministic()
                      .idempotent(),
                  distributo::config<Config>(),
                  distributo::license("MIT"));
