#include "coordinator/cli/payload.hpp"

#include "wire/json.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

namespace distributo::coordinator::cli {

using base::Errc;

namespace {

constexpr std::string_view placeholder = "{line}";

/// `text` with every placeholder replaced; inside a JSON string the line is escaped.
std::string replace_line(std::string_view text, std::string_view line) {
    std::string out;
    std::size_t from = 0;
    for (auto at = text.find(placeholder); at != std::string_view::npos;
         at = text.find(placeholder, from)) {
        out += text.substr(from, at - from);
        out += line;
        from = at + placeholder.size();
    }
    out += text.substr(from);
    return out;
}

std::string escaped(std::string_view line) {
    std::string quoted;
    wire::json::Writer(quoted).string(line);
    return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

base::Result<PayloadTemplate> PayloadTemplate::parse(const std::vector<std::string>& sets) {
    PayloadTemplate result;
    for (const std::string& set : sets) {
        const auto equals = set.find('=');
        if (equals == std::string::npos || equals == 0)
            return base::error(Errc::invalid_argument,
                               "--set expects key=value, got \"" + set + "\"",
                               "for example: --set 'word={line}'");
        Member member{set.substr(0, equals), set.substr(equals + 1), false};
        member.is_json = wire::json::parse(member.value).has_value();
        result.members_.push_back(std::move(member));
    }
    return result;
}

std::string PayloadTemplate::fill(std::string_view line) const {
    std::string out;
    wire::json::Writer writer(out);
    writer.begin_object();
    if (members_.empty())
        writer.member("line", line);
    for (const Member& member : members_) {
        std::string key;
        wire::json::Writer(key).string(member.key);
        writer.key(std::string_view(key).substr(1, key.size() - 2));
        if (member.is_json)
            writer.raw(replace_line(member.value, escaped(line)));
        else
            writer.string(replace_line(member.value, line));
    }
    writer.end_object();
    return out;
}

base::Result<std::string> read_payload(const std::string& argument) {
    std::string text = argument;
    std::string source = "the payload";
    if (argument == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
        source = "standard input";
    } else if (argument.starts_with('@')) {
        source = argument.substr(1);
        std::ifstream file(source, std::ios::binary);
        if (!file)
            return base::error(Errc::invalid_argument, "cannot read " + source);
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    const auto value = wire::json::parse(text);
    if (!value)
        return base::error(Errc::invalid_argument,
                           source + " is not JSON: " + value.error().message,
                           "quote it for the shell: '{\"key\":\"value\"}'");
    return text;
}

}  // namespace distributo::coordinator::cli
