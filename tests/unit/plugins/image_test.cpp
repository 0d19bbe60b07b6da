// What image.thumbnail takes, gives and refuses.
#include "image_fixture.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace {

using distributo::testing::RunOptions;
using pictures::jpeg;
using pictures::Picture;
using pictures::png;

/// A smooth picture: JPEG keeps it within a few levels.
std::uint32_t smooth(std::uint32_t x, std::uint32_t y, std::uint32_t c) {
    return (x / 2 + y / 3 + c * 60) % 256 < 128 ? 60 + (x + y) / 8 % 100
                                                : 160 - (x + c * 9) / 8 % 90;
}

std::uint32_t ramp(std::uint32_t x, std::uint32_t y, std::uint32_t c) {
    return (x + (c == 1 ? y : 0)) * 255 / 1400;
}

/// Exif data with nothing but an orientation, in either byte order.
std::string exif(int orientation, bool little = true) {
    const auto number = [little](std::uint32_t value, int size) {
        std::string out;
        for (int i = 0; i < size; ++i) {
            out.push_back(static_cast<char>(value >> (little ? 8 * i : 8 * (size - 1 - i))));
        }
        return out;
    };
    const auto value = static_cast<std::uint32_t>(orientation);
    return (little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(1, 2) +
           number(0x0112, 2) + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2) +
           number(0, 4);
}

/// 60×40 as it is meant to be seen: a quarter of each colour, stored as `orientation` says. What
/// row 0 and column 0 of the stored picture are, is the table of the Exif standard.
struct Turned {
    explicit Turned(int orientation) : o(orientation) {}

    [[nodiscard]] std::uint32_t width() const { return o < 5 ? 60 : 40; }
    [[nodiscard]] std::uint32_t height() const { return o < 5 ? 40 : 60; }
    std::uint32_t operator()(std::uint32_t column, std::uint32_t row, std::uint32_t c) const {
        const bool row0_is_far = o == 3 || o == 4 || o == 6 || o == 7;     // bottom, or right
        const bool column0_is_far = o == 2 || o == 3 || o == 7 || o == 8;  // right, or bottom
        const std::uint32_t along_rows = row0_is_far ? height() - 1 - row : row;
        const std::uint32_t along_columns = column0_is_far ? width() - 1 - column : column;
        const std::uint32_t x = o < 5 ? along_columns : along_rows;
        const std::uint32_t y = o < 5 ? along_rows : along_columns;
        return colors[(y < 20 ? 0 : 2) + (x < 30 ? 0 : 1)][c];
    }

    static constexpr std::uint32_t colors[4][3] = {
        {255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}};
    int o;
};

void expect_upright(const Picture& out) {
    ASSERT_EQ(out.width, 30U);
    ASSERT_EQ(out.height, 20U);
    for (std::uint32_t i = 0; i < 4; ++i) {
        for (std::uint32_t c = 0; c < 3; ++c) {
            EXPECT_NEAR(out.at(i % 2 == 0 ? 5 : 25, i < 2 ? 4 : 15, c), Turned::colors[i][c], 12)
                << "quarter " << i << ", channel " << c;
        }
    }
}

TEST_F(ImageTest, AJpegLooksTheSameWhenItIsSmaller) {
    for (const bool progressive : {false, true}) {
        const std::string file = jpeg(800, 600, 3, ramp, {.progressive = progressive});
        const Picture out = make(file, "200x200");
        ASSERT_EQ(out.width, 200U);
        ASSERT_EQ(out.height, 150U);
        for (std::uint32_t y = 1; y < 150; y += 9) {
            for (std::uint32_t x = 1; x < 200; x += 9) {
                for (std::uint32_t c = 0; c < 3; ++c) {
                    // Four by four pixels of a ramp: the one in their middle.
                    ASSERT_NEAR(out.at(x, y, c), ramp(4 * x + 2, 4 * y + 2, c), 5)
                        << x << " " << y << " " << c;
                }
            }
        }
    }
}

TEST_F(ImageTest, AGreyJpegStaysGrey) {
    const Picture out = make(jpeg(800, 600, 1, ramp), "200x200");

    EXPECT_EQ(out.channels, 1U);
    EXPECT_NEAR(out.at(100, 75, 0), ramp(402, 0, 0), 3);
}

TEST_F(ImageTest, TheFormatIsThatOfTheSourceUnlessItIsChosen) {
    EXPECT_EQ(
        run(jpeg(8, 8, 3, ramp), "4x4").result.find(R"({"width":4,"height":4,"format":"jpeg")"),
        0U);
    EXPECT_EQ(run(png(8, 8, 3, ramp), "4x4").result.find(R"({"width":4,"height":4,"format":"png")"),
              0U);
    EXPECT_NE(run(jpeg(8, 6, 3, ramp), "4x4", R"(,"format":"png")")
                  .result.find(R"("source":{"width":8,"height":6,"format":"jpeg"}})"),
              std::string::npos);
    EXPECT_EQ(files_.read("out").substr(1, 3), "PNG");
}

TEST_F(ImageTest, PicturesAreTurnedAsExifSays) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
        SCOPED_TRACE(orientation);
        const Turned stored(orientation);
        const bool little = orientation % 2 == 0;
        expect_upright(make(
            jpeg(stored.width(), stored.height(), 3, stored, {.exif = exif(orientation, little)}),
            "30x30",
            R"(,"quality":100)"));
        expect_upright(make(
            png(stored.width(), stored.height(), 3, stored, {.exif = exif(orientation, little)}),
            "30x30"));
        EXPECT_NE(run(png(stored.width(), stored.height(), 3, stored, {.exif = exif(orientation)}),
                      "30x30")
                      .result.find(R"("source":{"width":60,"height":40,)"),
                  std::string::npos);
    }
}

TEST_F(ImageTest, DamagedExifIsLeftAlone) {
    const Turned stored(1);
    std::string far = exif(6);
    far[4] = '\xFF';  // the directory lies behind the end
    for (const std::string& bad : {exif(0),
                                   exif(9),
                                   far,
                                   exif(6).substr(0, 12),
                                   std::string("II"),
                                   std::string("garbage that is long enough")}) {
        expect_upright(make(jpeg(60, 40, 3, stored, {.exif = bad}), "30x30", R"(,"quality":100)"));
    }
}

TEST_F(ImageTest, AColourProfileComesAlong) {
    const std::string profile = "not read, but kept: " + std::string(70'000, 'p');
    const std::string file = jpeg(40, 40, 3, smooth, {.icc = profile});

    ASSERT_TRUE(run(file, "10x10").ok());
    std::string kept;
    (void)pictures::read_jpeg(files_.read("out"), &kept);
    EXPECT_TRUE(kept == profile);
    // PNG takes only valid ones; the picture is worth more than the profile.
    EXPECT_TRUE(run(file, "10x10", R"(,"format":"png")").ok());
}

TEST_F(ImageTest, QualityIsSizeAndHasBounds) {
    const std::string file = png(400, 400, 3, smooth);
    ASSERT_TRUE(run(file, "400x400", R"(,"format":"jpeg","quality":95)").ok());
    const std::size_t good = files_.read("out").size();
    ASSERT_TRUE(run(file, "400x400", R"(,"format":"jpeg","quality":20)").ok());

    EXPECT_LT(files_.read("out").size(), good / 2);
    EXPECT_EQ(run(file, "4x4", R"(,"quality":101)").message,
              "payload.quality: expected 1 to 100, got 101");
    EXPECT_EQ(run(file, "0x4").message, "payload.width: expected 1 to 16384, got 0");
    EXPECT_EQ(run(file, "4x20000").message, "payload.height: expected 1 to 16384, got 20000");
}

TEST_F(ImageTest, WithoutOutputTheResultHoldsTheFile) {
    const Outcome outcome = run_inline(png(40, 30, 3, smooth), "20x20");
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    const auto inline_one = distributo::detail::decode_text<Thumbnail>(outcome.result, "result");

    ASSERT_TRUE(run(png(40, 30, 3, smooth), "20x20").ok());
    const std::string written = files_.read("out");

    ASSERT_TRUE(inline_one.base64);
    EXPECT_EQ(inline_one.bytes, written.size());
    EXPECT_EQ(inline_one.base64->size(), (written.size() + 2) / 3 * 4);
    EXPECT_EQ(inline_one.base64->substr(0, 8), "iVBORw0K");  // the signature of PNG
}

TEST_F(ImageTest, WhatIsTooLargeForAResultNeedsAnOutput) {
    std::mt19937 noise(1);
    const Outcome outcome =
        run_inline(png(500, 500, 3, [&](auto, auto, auto) { return noise() % 256; }), "500x500");

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_NE(outcome.message.find("too many for a result: name a payload.output"),
              std::string::npos)
        << outcome.message;
}

TEST_F(ImageTest, CmykIsRefused) {
    const Outcome outcome = run(jpeg(16, 16, 4, smooth), "8x8");

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_NE(outcome.message.find("is a CMYK picture"), std::string::npos) << outcome.message;
}

TEST_F(ImageTest, OtherFilesAreRefused) {
    for (const std::string& other :
         {std::string(), std::string("GIF89a"), std::string("\xFF\xD8"), std::string(100, 'x')}) {
        const Outcome outcome = run(other, "8x8");
        EXPECT_EQ(outcome.status, DTO_PERMANENT);
        EXPECT_EQ(outcome.message, files_.path("in") + " is neither a JPEG nor a PNG file");
    }
    EXPECT_EQ(files_.names(), "in");
}

TEST_F(ImageTest, TruncatedFilesAreRefusedWhereverTheyEnd) {
    for (const std::string& whole : {jpeg(64, 48, 3, smooth),
                                     jpeg(64, 48, 3, smooth, {.progressive = true}),
                                     png(64, 48, 3, smooth),
                                     png(64, 48, 3, smooth, {.interlaced = true})}) {
        ASSERT_TRUE(run(whole, "8x8").ok());
        std::filesystem::remove(files_.path("out"));
        std::vector<std::size_t> sizes{whole.size() - 1, whole.size() - 2};
        for (std::size_t size = 8; size < whole.size(); size += 1 + whole.size() / 97) {
            sizes.push_back(size);
        }
        for (const std::size_t size : sizes) {
            const Outcome outcome = run(whole.substr(0, size), "8x8");
            ASSERT_EQ(outcome.status, DTO_PERMANENT) << size << " of " << whole.size();
            ASSERT_NE(outcome.message.find(": cannot decode this "), std::string::npos)
                << outcome.message;
        }
        EXPECT_EQ(files_.names(), "in");
    }
}

TEST_F(ImageTest, DamagedFilesAreRefusedOrShownButNeverDoHarm) {
    std::mt19937 random(3);
    int refused = 0;
    for (const std::string& whole : {jpeg(64, 48, 3, smooth, {.exif = exif(6)}),
                                     jpeg(64, 48, 3, smooth, {.progressive = true}),
                                     png(64, 48, 3, smooth)}) {
        for (int i = 0; i < 100; ++i) {
            std::string damaged = whole;
            for (int hits = 0; hits < 3; ++hits) {
                damaged[3 + random() % (damaged.size() - 3)] = static_cast<char>(random());
            }
            const Outcome outcome = run_inline(damaged, "8x8");
            ASSERT_TRUE(outcome.ok() || outcome.status == DTO_PERMANENT) << outcome.message;
            refused += outcome.ok() ? 0 : 1;
        }
    }
    EXPECT_GT(refused, 100);
}

TEST_F(ImageTest, BombsAreRefusedByTheirHeader) {
    std::string bomb = png(8, 8, 3, smooth);
    const std::string ihdr = bomb.substr(12, 17);
    // 60000 × 60000, with the checksum that belongs to it.
    std::string claims = ihdr;
    claims.replace(4, 8, std::string("\x00\x00\xEA\x60\x00\x00\xEA\x60", 8));
    std::uint32_t crc = 0xFFFFFFFF;
    for (const char byte : claims) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) {
            crc = crc >> 1 ^ (crc % 2 == 1 ? 0xEDB88320U : 0U);
        }
    }
    crc = ~crc;
    for (int i = 0; i < 4; ++i) {
        claims.push_back(static_cast<char>(crc >> (24 - 8 * i)));
    }
    bomb.replace(12, 21, claims);

    EXPECT_EQ(run(bomb, "8x8").message,
              files_.path("in") +
                  " has 60000×60000 pixels, more than the 50000000 that this host allows "
                  "(max_pixels)");
}

TEST_F(ImageTest, TheOperatorSetsTheLimitOfPixels) {
    ASSERT_TRUE(plugin_.setup(R"({"max_pixels":100})").ok());

    EXPECT_TRUE(run(jpeg(10, 10, 1, smooth), "8x8").ok());
    EXPECT_EQ(run(jpeg(11, 10, 1, smooth), "8x8").status, DTO_PERMANENT);
}

TEST_F(ImageTest, AFileThatIsDecodedOverAndOverIsRefused) {
    const Outcome outcome = run(jpeg(64, 64, 3, smooth, {.scan_per_coefficient = true}), "8x8");

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_NE(outcome.message.find("more than 100 scans"), std::string::npos) << outcome.message;
}

TEST_F(ImageTest, ACancelIsObeyedWhileDecoding) {
    RunOptions options;
    options.cancel_at_check = 3;
    for (const std::string& file : {jpeg(64, 48, 3, smooth),
                                    jpeg(64, 480, 3, smooth, {.progressive = true}),
                                    png(64, 48, 3, smooth),
                                    png(64, 48, 3, smooth, {.interlaced = true})}) {
        EXPECT_EQ(run(file, "8x8", "", options).status, DTO_CANCELLED);
        EXPECT_EQ(files_.names(), "in");
    }
}

TEST_F(ImageTest, FilesOfThisHostAreTheHostsTrouble) {
    const Outcome missing =
        plugin_.run("image.thumbnail", R"({"input":"/nonexistent.jpg","width":8,"height":8})");
    EXPECT_EQ(missing.status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(missing.message, "cannot open /nonexistent.jpg: No such file or directory");

    const std::string path = files_.write("huge.png", png(8, 8, 1, smooth));
    std::filesystem::resize_file(path, (std::uintmax_t{256} << 20) + 1);
    const Outcome huge =
        plugin_.run("image.thumbnail", R"({"input":")" + path + R"(","width":8,"height":8})");
    EXPECT_EQ(huge.status, DTO_PERMANENT);
    EXPECT_EQ(huge.message, path + " has 268435457 bytes, expected at most 268435456");
}

}  // namespace
