#include "wire/json.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "wire/json_canonical.hpp"
#include "wire/limits.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <string>
#include <vector>

namespace {

using namespace distributo::wire;
using distributo::tests::require;

/// Boost.JSON's tokenizer with a handler that only looks at numbers and names.
struct Handler {
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    using error = boost::json::error_code;
    using view = boost::json::string_view;

    bool on_document_begin(error&) { return true; }
    bool on_document_end(error&) { return true; }
    bool on_object_begin(error&) { return true; }
    bool on_object_end(std::size_t, error&) { return true; }
    bool on_array_begin(error&) { return true; }
    bool on_array_end(std::size_t, error&) { return true; }
    bool on_key_part(view, std::size_t, error&) { return true; }
    bool on_key(view, std::size_t, error&) { return true; }
    bool on_string_part(view, std::size_t, error&) { return true; }
    bool on_string(view, std::size_t, error&) { return true; }
    bool on_number_part(view, error&) { return true; }
    bool on_int64(std::int64_t, view, error&) { return true; }
    bool on_uint64(std::uint64_t, view, error&) { return true; }
    bool on_double(double, view, error&) { return true; }
    bool on_bool(bool, error&) { return true; }
    bool on_null(error&) { return true; }
    bool on_comment_part(view, error&) { return true; }
    bool on_comment(view, error&) { return true; }
};

bool boost_accepts(std::string_view text, bool& too_deep_or_exponent) {
    boost::json::parse_options options;
    options.max_depth = limits::json_depth;
    boost::json::basic_parser<Handler> parser(options);
    boost::json::error_code failure;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), failure);
    too_deep_or_exponent =
        failure == boost::json::error::exponent_overflow || failure == boost::json::error::too_deep;
    return !failure && read == text.size() && parser.done();
}

/// Descends by begin/next, the other way to read; true when that accepts the text as well.
bool walk(json::Reader& reader) {
    json::Value scalar;
    std::string_view key;
    switch (reader.peek()) {
        case json::Kind::object:
            reader.begin_object();
            while (reader.next_member(key))
                if (!walk(reader))
                    return false;
            return !reader.failed();
        case json::Kind::array:
            reader.begin_array();
            while (reader.next_element())
                if (!walk(reader))
                    return false;
            return !reader.failed();
        default:
            return reader.value(scalar);
    }
}

std::vector<std::string> split(std::string_view text, std::size_t piece) {
    json::Splitter splitter(json::Splitter::Mode::array, text.size() + 1);
    std::vector<std::string> items;
    const auto keep = [&items](std::string_view item) {
        items.emplace_back(item);
        return true;
    };
    bool good = true;
    for (std::size_t at = 0; good && at < text.size(); at += piece)
        good = splitter.feed(text.substr(at, piece), keep).has_value();
    if (!good || !splitter.finish(keep))
        items.emplace_back("failed");
    return items;
}

/// The same value written anew: strings decoded and escaped again, numbers as they are.
void rewrite(const json::Value& value, json::Writer& writer) {
    json::Reader reader(value.text);
    std::string_view raw;
    json::Value inner;
    switch (value.kind) {
        case json::Kind::object:
            writer.begin_object();
            reader.begin_object();
            while (reader.next_member(raw) && reader.value(inner)) {
                const json::Value name{json::Kind::string, {raw.data() - 1, raw.size() + 2}};
                writer.escaped_key(*name.string());
                rewrite(inner, writer);
            }
            writer.end_object();
            break;
        case json::Kind::array:
            writer.begin_array();
            reader.begin_array();
            while (reader.next_element() && reader.value(inner))
                rewrite(inner, writer);
            writer.end_array();
            break;
        case json::Kind::string:
            writer.string(*value.string());
            break;
        default:
            writer.raw(value.text);
    }
}

void check_valid(std::string_view text, const json::Value& value) {
    json::Value again;
    require(text.find(value.text) != std::string_view::npos, "a value is part of its text");
    json::Reader reader(value.text);
    require(reader.value(again) && reader.at_end() && again.text == value.text,
            "a value alone is valid and the same");
    json::Reader walker(text);
    require(walk(walker) && walker.at_end(), "walking accepts what validating accepts");
    std::string copy;
    json::Writer writer(copy);
    rewrite(value, writer);
    const auto rewritten = json::parse(copy);
    require(rewritten.has_value(), "what is written is valid");
    require(json::canonical(*rewritten) == json::canonical(value), "writing keeps the meaning");
    if (const auto number = value.number())
        require(*number == *number && *number - *number == 0, "numbers are finite");
    if (value.kind != json::Kind::array)
        return;
    const auto items = split(text, text.size());
    require(items.empty() || items.back() != "failed", "a valid array is split");
    for (const std::string& item : items)
        require(json::parse(item).has_value(), "elements of a valid array are valid");
    require(split(text, 3) == items, "splitting does not depend on the pieces");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = distributo::tests::text_of(data, size);
    const auto parsed = json::parse(text);
    bool other_rules = false;
    const bool accepted = boost_accepts(text, other_rules);
    if (!other_rules)
        require(parsed.has_value() == accepted, "we accept what Boost.JSON accepts");
    if (parsed)
        check_valid(text, *parsed);
    json::Reader walker(text);
    const bool walked = walk(walker) && walker.at_end();
    if (walked)
        require(parsed.has_value(), "walking accepts nothing else");
    std::string escaped;
    json::append_string(escaped, text);
    const auto string = json::parse(escaped);
    require(string.has_value() && string->kind == json::Kind::string, "any bytes can be written");
    return 0;
}
