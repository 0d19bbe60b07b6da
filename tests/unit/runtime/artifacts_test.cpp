#include "runtime/artifacts.hpp"

#include "base/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ArtifactsTest : public testing::Test {
protected:
    ArtifactsTest() {
        fs::create_directories(work);
        artifacts.begin(work, cancelled);
    }
    ~ArtifactsTest() override { fs::remove_all(root); }

    dto_stream* write(const std::string& name, const std::string& content) {
        dto_stream* stream = nullptr;
        EXPECT_EQ(artifacts.open_write(name, stream, why), DTO_OK) << why;
        EXPECT_EQ(artifacts.write(*stream, content), DTO_OK);
        return stream;
    }
    std::size_t files() const {
        const auto all = fs::recursive_directory_iterator(work);
        return static_cast<std::size_t>(std::count_if(
            begin(all), end(all), [](const auto& entry) { return entry.is_regular_file(); }));
    }
    static std::string content_of(const fs::path& file) {
        std::ifstream in(file);
        return std::string(std::istreambuf_iterator<char>(in), {});
    }

    const fs::path root = fs::temp_directory_path() / ("artifacts-" + base::random_hex(6));
    const fs::path work = root / "work";
    std::atomic<std::int32_t> cancelled{0};
    std::string why;
    Artifacts artifacts;
};

TEST_F(ArtifactsTest, ACommittedStreamIsAnArtifactWithItsDigest) {
    auto* stream = write("out/a.txt", "abc");
    EXPECT_FALSE(fs::exists(work / "out/a.txt"));
    std::string_view digest;
    EXPECT_EQ(artifacts.close(*stream, true, &digest), DTO_OK);
    EXPECT_EQ(digest, base::sha256("abc"));

    std::uint64_t size = 0;
    ASSERT_EQ(artifacts.open_read("out/a.txt", stream, size, why), DTO_OK);
    EXPECT_EQ(size, 3U);
    char buffer[8];
    std::size_t got = 0;
    EXPECT_EQ(artifacts.read(*stream, buffer, 2, got), DTO_OK);
    EXPECT_EQ(std::string(buffer, got), "ab");
    EXPECT_EQ(artifacts.read(*stream, buffer, 8, got), DTO_OK);
    EXPECT_EQ(std::string(buffer, got), "c");
    EXPECT_EQ(artifacts.read(*stream, buffer, 8, got), DTO_END);
    EXPECT_EQ(got, 0U);
    EXPECT_EQ(artifacts.close(*stream, false, &digest), DTO_OK);
    EXPECT_EQ(digest, base::sha256("abc"));
}

TEST_F(ArtifactsTest, AStreamGoesOneWay) {
    auto* const out = write("a", "abc");
    char buffer[4];
    std::size_t got = 0;
    EXPECT_EQ(artifacts.read(*out, buffer, sizeof buffer, got), DTO_PERMANENT);
    ASSERT_EQ(artifacts.close(*out, true, nullptr), DTO_OK);

    dto_stream* in = nullptr;
    std::uint64_t size = 0;
    ASSERT_EQ(artifacts.open_read("a", in, size, why), DTO_OK);
    EXPECT_EQ(artifacts.write(*in, "x"), DTO_PERMANENT);
}

TEST_F(ArtifactsTest, WhatIsNotCommittedVanishes) {
    artifacts.close(*write("a", "thrown away"), false, nullptr);
    write("b", "left open");
    EXPECT_EQ(files(), 1U);
    artifacts.end();
    EXPECT_EQ(files(), 0U);
}

TEST_F(ArtifactsTest, NamesStayInside) {
    for (const std::string name :
         {"", "/etc/passwd", "../a", "a/../../b", "a//b", "./a", "a/", "a\nb", "a\\b"}) {
        EXPECT_NE(fault_of_artifact_name(name), "") << name;
        dto_stream* stream = nullptr;
        EXPECT_EQ(artifacts.open_write(name, stream, why), DTO_PERMANENT) << name;
        EXPECT_EQ(stream, nullptr);
    }
    EXPECT_EQ(fault_of_artifact_name("a/b..c/.d"), "");

    std::ofstream(root / "secret") << "x";
    fs::create_symlink(root / "secret", work / "link");
    std::string path;
    EXPECT_EQ(artifacts.fetch("link", path, why), DTO_PERMANENT);
    EXPECT_THAT(why, HasSubstr("cannot read the artifact"));
}

TEST_F(ArtifactsTest, AFileIsPublishedAndFetched) {
    std::ofstream(root / "made") << "content";
    EXPECT_EQ(artifacts.publish("copy", root / "made", why), DTO_OK) << why;
    std::string path;
    ASSERT_EQ(artifacts.fetch("copy", path, why), DTO_OK);
    EXPECT_EQ(content_of(path), "content");
    EXPECT_EQ(fs::status(path).permissions() & fs::perms::owner_write, fs::perms::none);
    EXPECT_EQ(artifacts.publish("again", root / "nothing", why), DTO_PERMANENT);
    EXPECT_EQ(artifacts.fetch("nothing", path, why), DTO_PERMANENT);
}

TEST_F(ArtifactsTest, AStreamThatIsUsedLateDoesNothing) {
    auto* const stream = write("a", "1");
    artifacts.end();
    std::size_t got = 0;
    EXPECT_EQ(artifacts.write(*stream, "2"), DTO_CANCELLED);
    EXPECT_EQ(artifacts.close(*stream, true, nullptr), DTO_CANCELLED);
    EXPECT_EQ(artifacts.read(*stream, &got, 1, got), DTO_CANCELLED);
    EXPECT_EQ(files(), 0U);
}

TEST_F(ArtifactsTest, ACancelledCallGetsNoFurther) {
    auto* const stream = write("a", "1");
    cancelled = 1;
    EXPECT_EQ(artifacts.write(*stream, "2"), DTO_CANCELLED);
    EXPECT_EQ(artifacts.close(*stream, true, nullptr), DTO_CANCELLED);
    dto_stream* other = nullptr;
    EXPECT_EQ(artifacts.open_write("b", other, why), DTO_CANCELLED);
    EXPECT_EQ(files(), 0U);
}

TEST_F(ArtifactsTest, OpenStreamsAreBounded) {
    std::vector<dto_stream*> streams;
    dto_stream* stream = nullptr;
    while (artifacts.open_write("a" + std::to_string(streams.size()), stream, why) == DTO_OK)
        streams.push_back(stream);
    EXPECT_EQ(streams.size(), 64U);
    EXPECT_THAT(why, HasSubstr("64 streams"));
    artifacts.close(*streams[0], false, nullptr);
    EXPECT_EQ(artifacts.open_write("b", stream, why), DTO_OK);
}

}  // namespace
}  // namespace distributo::runtime
