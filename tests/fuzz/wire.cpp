#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/wire/recorder.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using distributo::tests::require;
using distributo::wire::Recorder;

/// Everything that a message said, as messages of our own.
std::vector<std::string> said(Recorder& recorder) {
    std::vector<std::string> all = recorder.calls;
    if (!recorder.assigns.empty())
        all.push_back(recorder.assigns.take());
    if (!recorder.results.empty())
        all.push_back(recorder.results.take());
    if (!recorder.acks.empty())
        all.push_back(distributo::wire::encode_ack(recorder.acks));
    return all;
}

bool is_message(const std::string& text) {
    return text.starts_with(R"({"op":)");
}

template <typename Decode>
void check(std::string_view text, Decode decode) {
    Recorder recorder;
    const bool accepted = decode(recorder, text).has_value();
    const auto once = said(recorder);
    if (!accepted)
        return;
    for (const std::string& message : once) {
        if (!is_message(message))
            continue;
        Recorder again;
        require(decode(again, message).has_value(), "what we encode decodes");
        const auto twice = said(again);
        require(std::find(twice.begin(), twice.end(), message) != twice.end(),
                "decoding and encoding again changes nothing");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = distributo::tests::text_of(data, size);
    check(text, [](Recorder& to, std::string_view message) { return to.from_host(message); });
    check(text,
          [](Recorder& to, std::string_view message) { return to.from_coordinator(message); });
    const auto token = distributo::wire::parse_token(text);
    if (token) {
        std::string same;
        distributo::wire::append_token(same, *token);
        require(same == text, "a token has one text");
    }
    return 0;
}
