#include "tests/fuzz/fuzz.hpp"
#include "tests/support/random_json.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

/// Runs a fuzz target without libFuzzer: DIRECTORY RUNS [RANDOM_SEED].
namespace {

namespace fs = std::filesystem;

/// The input that runs now, for the message when the target aborts.
std::string current;

/// Only signal-safe calls; what cannot be written is lost.
void report(int) {
    for (const char c : current) {
        char text[5];
        const int size = std::snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned char>(c));
        std::fwrite(text, 1, static_cast<std::size_t>(size), stderr);
    }
    std::fputc('\n', stderr);
    std::_Exit(1);
}

/// A copy without slack behind it, so that sanitizers see every byte read too much.
void run(const std::string& input) {
    current = input;
    const std::vector<std::uint8_t> exact(input.begin(), input.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

class Mutator {
public:
    Mutator(std::vector<std::string> seeds, std::uint32_t random_seed)
        : seeds_(std::move(seeds)), random_(random_seed), json_(random_seed) {}

    std::string next() {
        std::string text = pick();
        for (std::size_t i = 1 + below(4); i > 0; --i)
            mutate(text);
        return text;
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }
    const std::string& pick() { return seeds_[below(seeds_.size())]; }

    void mutate(std::string& text) {
        static const char* const words[] = {
            "{",       "}",    "[",       "]",    ",",     ":",
            "\"",      "\\",   "null",    "-",    "1e999", "\\ud800",
            "\xC3",    "\x80", "\"op\":", "true", "0.5",   "18446744073709551616",
            "{\"a\":", " "};
        const std::size_t at = below(text.size() + 1);
        const std::size_t length = below(std::min<std::size_t>(text.size() - at, 16) + 1);
        switch (below(8)) {
            case 0:
                text.insert(at, words[below(std::size(words))]);
                break;
            case 1:
                text.erase(at, length);
                break;
            case 2:
                if (at < text.size())
                    text[at] = static_cast<char>(random_());
                break;
            case 3:
                text.insert(below(text.size() + 1), text.substr(at, length));
                break;
            case 4:
                text.replace(at, length, json_.value(3));
                break;
            case 5:
                text.insert(at, pick().substr(0, 64));
                break;
            case 6:
                text.resize(at);
                break;
            default:
                if (at < text.size())
                    text[at] =
                        static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
        }
    }

    std::vector<std::string> seeds_;
    std::mt19937 random_;
    distributo::tests::RandomJson json_;
};

std::vector<std::string> read_seeds(const fs::path& directory) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(directory))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<std::string> seeds;
    for (const fs::path& file : files) {
        std::ifstream in(file, std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return seeds;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: %s DIRECTORY RUNS [RANDOM_SEED]\n", argv[0]);
        return 2;
    }
    std::signal(SIGABRT, report);
    const std::vector<std::string> seeds = read_seeds(argv[1]);
    if (seeds.empty()) {
        std::fprintf(stderr, "no seeds in %s\n", argv[1]);
        return 2;
    }
    for (const std::string& seed : seeds)
        run(seed);
    const long runs = std::strtol(argv[2], nullptr, 10);
    const auto random_seed =
        argc > 3 ? static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)) : 1U;
    Mutator mutator(seeds, random_seed);
    for (long i = 0; i < runs; ++i)
        run(mutator.next());
    std::printf("%zu seeds, %ld mutations\n", seeds.size(), runs);
    return 0;
}
