#include "runtime/check/samples.hpp"

#include "wire/json.hpp"

#include <fstream>
#include <iterator>

namespace distributo::runtime::check {
namespace {

using base::Errc;
namespace fs = std::filesystem;
namespace json = wire::json;

base::Error not_a_sample(std::string_view what) {
    return base::error(Errc::invalid_argument,
                       "a sample task " + std::string(what),
                       R"(write it like {"type":"acme.double","payload":{"n":21}})");
}

base::Result<Sample> parse_one(std::string_view text) {
    json::Reader reader(text);
    Sample sample;
    if (!reader.begin_object())
        return not_a_sample("is an object");
    for (std::string_view key; reader.next_member(key);) {
        json::Value value;
        if (!reader.value(value))
            break;
        if (key == "type") {
            auto type = value.string();
            if (!type)
                return not_a_sample("has a text as its type");
            sample.type = std::move(*type);
        } else if (key == "payload") {
            sample.payload = value.text;
        } else if (key == "install") {
            sample.install = value.text;
        }
    }
    return sample;
}

}  // namespace

base::Result<std::vector<Sample>> parse_samples(std::string_view text) {
    const auto whole = json::parse(text);
    if (!whole)
        return whole.error();
    std::vector<Sample> samples;
    const auto add = [&](std::string_view one) -> base::Result<void> {
        auto sample = parse_one(one);
        if (!sample)
            return sample.error();
        samples.push_back(std::move(*sample));
        return {};
    };
    if (whole->kind != json::Kind::array) {
        if (auto added = add(whole->text); !added)
            return added.error();
        return samples;
    }
    json::Reader reader(text);
    reader.begin_array();
    while (reader.next_element()) {
        json::Value value;
        if (!reader.value(value))
            break;
        if (auto added = add(value.text); !added)
            return added.error();
    }
    return samples;
}

base::Result<std::vector<Sample>> read_samples(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return base::error(Errc::invalid_argument, "cannot read " + file.string());
    const std::string text(std::istreambuf_iterator<char>(in), {});
    auto samples = parse_samples(text);
    if (!samples)
        return base::error(samples.error().code,
                           file.string() + ": " + samples.error().message,
                           samples.error().hint);
    return samples;
}

std::string samples_text(const std::vector<Sample>& samples) {
    std::string text;
    json::Writer out(text);
    out.begin_array();
    for (const Sample& sample : samples) {
        out.begin_object().member("type", sample.type).member_raw("payload", sample.payload);
        if (!sample.install.empty())
            out.member_raw("install", sample.install);
        out.end_object();
    }
    out.end_array();
    return text;
}

fs::path find_samples(const fs::path& plugin) {
    std::error_code ignored;
    const fs::path folder = fs::absolute(plugin, ignored).parent_path();
    const std::string own = plugin.stem().string() + ".sample.json";
    for (const fs::path& place : {folder, folder.parent_path()})
        for (const std::string& name : {own, std::string("sample.json")})
            if (fs::is_regular_file(place / name, ignored))
                return place / name;
    return {};
}

}  // namespace distributo::runtime::check
