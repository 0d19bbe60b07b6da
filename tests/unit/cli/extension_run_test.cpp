#include "coordinator/cli/extension_options.hpp"
#include "tests/support/temporary_directory.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace distributo::tests {
namespace {

using namespace coordinator::cli;
namespace json = boost::json;

json::value made(Extension kind, const ExtensionRunOptions& options) {
    const auto text = definition_of(kind, options);
    return text ? json::parse(*text) : json::value(text.error().message);
}

TEST(ExtensionDefinition, HasTheFolderOfTheCommand) {
    ExtensionRunOptions options;
    options.plugin = "lines";
    const json::value expected = {{"plugin", "lines"},
                                  {"config", json::object()},
                                  {"directory", std::filesystem::current_path().string()}};
    EXPECT_EQ(made(Extension::generator, options), expected);
    options.directory = "/tmp";
    EXPECT_EQ(made(Extension::sink, options).at("directory").as_string(), "/tmp");
}

TEST(ExtensionDefinition, MembersAreSetOneByOne) {
    ExtensionRunOptions options;
    options.config = R"({"files":["a"],"type":"x"})";
    options.sets = {"type=text.syllables", "skip=true", R"(payload={"word":"{line}"})", "a=b=c"};
    EXPECT_EQ(json::serialize(made(Extension::generator, options).at("config")),
              R"({"files":["a"],"type":"text.syllables","skip":true,)"
              R"("payload":{"word":"{line}"},"a":"b=c"})");
    options.sets = {"type"};
    EXPECT_EQ(made(Extension::generator, options), "--set expects key=value, got \"type\"");
}

TEST(ExtensionDefinition, AConfigurationMayBeAFile) {
    const TemporaryDirectory folder;
    const auto file = [&](const std::string& name, std::string_view content) {
        const auto path = folder.path() / name;
        std::ofstream(path) << content;
        return path.string();
    };
    ExtensionRunOptions options;
    options.config = file("c.toml", "files = [\"a\"]\n[payload]\nword = \"{line}\"\n");
    EXPECT_EQ(json::serialize(made(Extension::generator, options).at("config")),
              R"({"files":["a"],"payload":{"word":"{line}"}})");
    options.config = file("c.json", R"({"path":"x"})");
    EXPECT_EQ(json::serialize(made(Extension::sink, options).at("config")), R"({"path":"x"})");
    options.config = "[]";
    EXPECT_EQ(made(Extension::sink, options), "--config expects a JSON object");
    options.config = file("bad.toml", "files = [\n");
    const auto message = made(Extension::sink, options);
    EXPECT_EQ(message.as_string().find(options.config + ":"), 0U) << message;
}

TEST(ExtensionDefinition, EachKindHasItsMembers) {
    ExtensionRunOptions options;
    options.plugin = "p";
    options.group = "g";
    options.high_water = 7;
    options.max_rate = 2.5;
    options.types = {"a.*"};
    options.states = {"failed"};
    options.start = "newest";
    const auto generator = made(Extension::generator, options);
    EXPECT_EQ(generator.at("group").as_string(), "g");
    EXPECT_EQ(generator.at("high_water").as_int64(), 7);
    EXPECT_EQ(generator.at("max_rate").as_double(), 2.5);
    EXPECT_FALSE(generator.as_object().contains("types"));
    const auto sink = made(Extension::sink, options);
    EXPECT_EQ(json::serialize(sink.at("types")), R"(["a.*"])");
    EXPECT_EQ(json::serialize(sink.at("states")), R"(["failed"])");
    EXPECT_EQ(sink.at("start").as_string(), "newest");
    EXPECT_FALSE(sink.as_object().contains("high_water"));
}

}  // namespace
}  // namespace distributo::tests
