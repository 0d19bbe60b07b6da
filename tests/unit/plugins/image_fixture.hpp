#pragma once

#include "files.hpp"
#include "pictures.hpp"

#include <distributo/plugin.hpp>
#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>

/// What the result of image.thumbnail looks like.
struct ThumbnailSource {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::string format;
};
BOOST_DESCRIBE_STRUCT(ThumbnailSource, (), (width, height, format))

struct Thumbnail {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::string format;
    std::uint64_t bytes = 0;
    ThumbnailSource source;
    std::optional<std::string> base64;
};
BOOST_DESCRIBE_STRUCT(Thumbnail, (), (width, height, format, bytes, source, base64))

class ImageTest : public testing::Test {
protected:
    using Outcome = distributo::testing::Outcome;

    /// Runs a task over `file` that writes to "out". `box` is "40x30".
    Outcome run(const std::string& file,
                const std::string& box,
                const std::string& more = "",
                const distributo::testing::RunOptions& options = {}) {
        files_.write("in", file);
        const std::size_t cross = box.find('x');
        return plugin_.run("image.thumbnail",
                           R"({"input":")" + files_.path("in") + R"(","output":")" +
                               files_.path("out") + R"(","width":)" + box.substr(0, cross) +
                               R"(,"height":)" + box.substr(cross + 1) + more + "}",
                           options);
    }

    /// The same without an output: the file comes in the result.
    Outcome run_inline(const std::string& file, const std::string& box) {
        files_.write("in", file);
        const std::size_t cross = box.find('x');
        return plugin_.run("image.thumbnail",
                           R"({"input":")" + files_.path("in") + R"(","width":)" +
                               box.substr(0, cross) + R"(,"height":)" + box.substr(cross + 1) +
                               "}");
    }

    /// The thumbnail; its size is the one that the result tells.
    pictures::Picture make(const std::string& file,
                           const std::string& box,
                           const std::string& more = "") {
        const Outcome outcome = run(file, box, more);
        EXPECT_TRUE(outcome.ok()) << outcome.message;
        if (!outcome.ok()) {
            return {};
        }
        const std::string out = files_.read("out");
        pictures::Picture picture =
            out[0] == '\x89' ? pictures::read_png(out) : pictures::read_jpeg(out);
        const auto told = distributo::detail::decode_text<Thumbnail>(outcome.result, "result");
        EXPECT_EQ(told.width, picture.width);
        EXPECT_EQ(told.height, picture.height);
        EXPECT_EQ(told.bytes, out.size());
        EXPECT_EQ(told.format, out[0] == '\x89' ? "png" : "jpeg");
        return picture;
    }

    /// The light of an sRGB value from 0 to 1, and back.
    static double light(double value) {
        return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    }
    static double value(double light) {
        return light <= 0.0031308 ? light * 12.92 : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
    }
    /// The 8-bit sample of so much light.
    static int sample(double light) { return static_cast<int>(std::lround(value(light) * 255)); }

    distributo::testing::Plugin plugin_{DISTRIBUTO_PLUGIN_FILE};
    Files files_;
};
