// What a thumbnail looks like: sizes, averages, transparency, kinds of samples. PNG both ways, so
// that every sample is known exactly.
#include "image_fixture.hpp"

#include <vector>

namespace {

using pictures::Picture;
using pictures::png;
using pictures::PngOptions;

class ImageScaleTest : public ImageTest {
protected:
    std::string size(const std::string& file, const std::string& box, const std::string& fit) {
        const Picture picture = make(file, box, R"(,"fit":")" + fit + "\"");
        return std::to_string(picture.width) + "x" + std::to_string(picture.height);
    }
};

std::uint32_t black(std::uint32_t, std::uint32_t, std::uint32_t) {
    return 0;
}

/// Something like a photograph: slow changes, an edge and a fine pattern.
std::uint32_t scene(std::uint32_t x, std::uint32_t y, std::uint32_t c) {
    const std::uint32_t slow = (x * (c + 1) + y * 2) / 8 % 200;
    const std::uint32_t edge = x > 2 * y ? 40 : 0;
    return slow + edge + (x * 7 + y * 13 + c * 5) % 16;
}

TEST_F(ImageScaleTest, ContainKeepsTheProportionsAndNeverEnlarges) {
    EXPECT_EQ(size(png(400, 300, 1, black), "100x100", "contain"), "100x75");
    EXPECT_EQ(size(png(300, 400, 1, black), "100x100", "contain"), "75x100");
    EXPECT_EQ(size(png(90, 40, 1, black), "100x100", "contain"), "90x40");
    EXPECT_EQ(size(png(1000, 1, 1, black), "10x10", "contain"), "10x1");
}

TEST_F(ImageScaleTest, CoverFillsTheBoxAndNeverEnlarges) {
    EXPECT_EQ(size(png(400, 300, 1, black), "100x100", "cover"), "100x100");
    EXPECT_EQ(size(png(100, 1000, 1, black), "200x200", "cover"), "100x100");
    EXPECT_EQ(size(png(90, 40, 1, black), "200x100", "cover"), "80x40");
    EXPECT_EQ(size(png(90, 40, 1, black), "90x40", "cover"), "90x40");
}

TEST_F(ImageScaleTest, CoverTakesTheMiddle) {
    // Three bands of 100, 200 and 100 columns: the box gets the second one and nothing else.
    const auto bands = [](auto x, auto, auto) { return x < 100 || x >= 300 ? 10U : 200U; };

    const Picture wide = make(png(400, 200, 1, bands), "50x50", R"(,"fit":"cover")");
    const Picture high =
        make(png(200, 400, 1, [&](auto x, auto y, auto c) { return bands(y, x, c); }),
             "50x50",
             R"(,"fit":"cover")");

    EXPECT_EQ(wide.samples, std::vector<std::uint8_t>(2500, 200));
    EXPECT_EQ(high.samples, std::vector<std::uint8_t>(2500, 200));
}

TEST_F(ImageScaleTest, APictureThatFitsComesOutAsItIs) {
    for (const std::uint32_t channels : {1U, 2U, 3U, 4U}) {
        const auto paint = [&](auto x, auto y, auto c) {
            // Opaque where there is alpha: colour is as exact as opacity allows.
            return channels % 2 == 0 && c + 1 == channels ? 255U : scene(x, y, c);
        };
        const std::string file = png(61, 43, channels, paint);
        EXPECT_EQ(make(file, "100x100").samples, pictures::read_png(file).samples) << channels;
    }
}

// The classic check: black and white alternate, so half of the light is left. That is 188; whoever
// averages the numbers instead gets 128.
TEST_F(ImageScaleTest, AveragesAreOfLight) {
    const auto checkers = [](auto x, auto y, auto) { return (x + y) % 2 == 0 ? 0U : 255U; };

    const Picture out = make(png(400, 400, 1, checkers), "100x100");

    EXPECT_EQ(sample(0.5), 188);
    EXPECT_EQ(out.samples, std::vector<std::uint8_t>(10'000, 188));
}

TEST_F(ImageScaleTest, APixelIsTheAverageOfExactlyTheAreaThatItCovers) {
    // 3 pixels become 2: each gets one whole pixel and half of the middle one.
    const std::vector<std::uint32_t> in{0, 255, 90};
    const int left = sample(0.5 / 1.5);
    const int right = sample((0.5 + light(90 / 255.0)) / 1.5);

    const Picture wide = make(png(3, 1, 1, [&](auto x, auto, auto) { return in[x]; }), "2x1");
    const Picture high = make(png(1, 3, 1, [&](auto, auto y, auto) { return in[y]; }), "1x2");

    EXPECT_EQ(wide.pixel(0, 0), std::vector<int>{left});
    EXPECT_EQ(wide.pixel(1, 0), std::vector<int>{right});
    EXPECT_EQ(high.pixel(0, 0), std::vector<int>{left});
    EXPECT_EQ(high.pixel(0, 1), std::vector<int>{right});
}

TEST_F(ImageScaleTest, APlainColourStaysExactlyThat) {
    const auto plain = [](auto, auto, auto c) {
        return std::vector<std::uint32_t>{12, 200, 77}[c];
    };

    const Picture out = make(png(301, 203, 3, plain), "77x77");

    for (std::uint32_t y = 0; y < out.height; ++y) {
        for (std::uint32_t x = 0; x < out.width; ++x) {
            ASSERT_EQ(out.pixel(x, y), (std::vector<int>{12, 200, 77})) << x << " " << y;
        }
    }
}

TEST_F(ImageScaleTest, NoLightIsLostOrMadeAtAnyFactor) {
    const std::string file = png(640, 427, 3, scene);
    const auto mean = [](const Picture& picture, std::uint32_t c) {
        double sum = 0;
        for (std::size_t i = c; i < picture.samples.size(); i += picture.channels) {
            sum += light(picture.samples[i] / 255.0);
        }
        return sum * picture.channels / static_cast<double>(picture.samples.size());
    };
    const Picture before = pictures::read_png(file);
    for (const std::string box : {"639x639", "320x320", "100x100", "37x37", "1x1"}) {
        const Picture after = make(file, box);
        for (std::uint32_t c = 0; c < 3; ++c) {
            EXPECT_NEAR(mean(after, c), mean(before, c), 0.004) << box << " " << c;
        }
    }
}

TEST_F(ImageScaleTest, WhatIsTransparentLendsNoColour) {
    // An opaque blue pixel and an invisible red one: half opaque, and as blue as before.
    const std::string file = png(2, 1, 4, [](auto x, auto, auto c) {
        return std::vector<std::vector<std::uint32_t>>{{255, 0, 0, 0}, {0, 0, 255, 255}}[x][c];
    });

    EXPECT_EQ(make(file, "1x1").pixel(0, 0), (std::vector<int>{0, 0, 255, 128}));
}

TEST_F(ImageScaleTest, AsJpegWhatIsTransparentIsWhite) {
    const std::string file = png(64, 64, 2, [](auto x, auto, auto c) {
        return c == 0 ? 0U : x < 32 ? 255U : 0U;
    });

    const Picture out = make(file, "8x8", R"(,"format":"jpeg","quality":100)");

    EXPECT_EQ(out.channels, 1U);
    EXPECT_NEAR(out.at(1, 4, 0), 0, 3);
    EXPECT_NEAR(out.at(6, 4, 0), 255, 3);
}

TEST_F(ImageScaleTest, SixteenBitsAreUsed) {
    // Two levels that differ only below 8 bits; their average rounds up to 101, either alone to
    // 100 or 101. Wrong byte order would make noise of it.
    const auto levels = [](auto x, auto, auto) { return x % 2 == 0 ? 25'700U : 25'957U; };
    const Picture gray = make(png(40, 40, 1, levels, {.depth = 16}), "10x10");
    EXPECT_EQ(gray.channels, 1U);
    EXPECT_EQ(
        gray.samples,
        std::vector<std::uint8_t>(100,
                                  static_cast<std::uint8_t>(sample(
                                      (light(25'700 / 65535.0) + light(25'957 / 65535.0)) / 2))));

    const auto plain = [](auto, auto, auto c) {
        return std::vector<std::uint32_t>{0x0102, 0x8081, 0xFEFF, 0xFFFF}[c];
    };
    const Picture color = make(png(40, 40, 4, plain, {.depth = 16}), "10x10");
    EXPECT_EQ(color.pixel(3, 3), (std::vector<int>{1, 128, 254, 255}));
}

TEST_F(ImageScaleTest, FewerThanEightBitsSpanTheWholeRange) {
    for (const int depth : {1, 2, 4}) {
        const auto halves = [&](auto x, auto, auto) { return x < 10 ? 0U : (1U << depth) - 1; };
        const Picture out = make(png(20, 20, 1, halves, {.depth = depth}), "4x4");
        EXPECT_EQ(out.pixel(0, 0), std::vector<int>{0}) << depth;
        EXPECT_EQ(out.pixel(3, 3), std::vector<int>{255}) << depth;
    }
}

TEST_F(ImageScaleTest, PalettesBecomeColours) {
    const std::string file = pictures::palette_png(
        40, 40, [](auto x, auto y, auto) { return (x < 20 ? 0U : 1U) + (y < 20 ? 0U : 2U); });

    const Picture out = make(file, "4x4");

    EXPECT_EQ(out.pixel(0, 0), (std::vector<int>{255, 0, 0, 255}));
    EXPECT_EQ(out.pixel(3, 0), (std::vector<int>{0, 255, 0, 255}));
    EXPECT_EQ(out.pixel(0, 3), (std::vector<int>{0, 0, 255, 255}));
    EXPECT_EQ(out.pixel(3, 3)[3], 0);
}

TEST_F(ImageScaleTest, InterlacedPicturesLookLikeTheOthers) {
    for (const int depth : {8, 16}) {
        const PngOptions plain{.depth = depth};
        const PngOptions interlaced{.depth = depth, .interlaced = true};
        EXPECT_EQ(make(png(203, 101, 3, scene, interlaced), "50x50").samples,
                  make(png(203, 101, 3, scene, plain), "50x50").samples);
    }
}

}  // namespace
