#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Pictures for tests, written and read with the libraries' plain interfaces. They end the process
/// when a library is not content, so a broken helper does not look like a broken plugin.
namespace pictures {

/// One sample: of column, row and channel.
using Paint = std::function<std::uint32_t(std::uint32_t x, std::uint32_t y, std::uint32_t c)>;

struct Picture {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t channels = 0;  ///< 1 grey, 2 with alpha, 3 RGB, 4 with alpha
    std::vector<std::uint8_t> samples;

    [[nodiscard]] std::uint8_t at(std::uint32_t x, std::uint32_t y, std::uint32_t c) const {
        return samples.at((std::size_t{y} * width + x) * channels + c);
    }
    [[nodiscard]] std::vector<int> pixel(std::uint32_t x, std::uint32_t y) const {
        std::vector<int> out;
        for (std::uint32_t c = 0; c < channels; ++c) {
            out.push_back(at(x, y, c));
        }
        return out;
    }
};

struct PngOptions {
    int depth = 8;
    bool interlaced = false;
    std::string exif{};
};

/// `channels` as in Picture.
[[nodiscard]] std::string png(std::uint32_t width,
                              std::uint32_t height,
                              std::uint32_t channels,
                              const Paint& paint,
                              const PngOptions& options = {});

/// Four colours: red, green, blue, and black without any opacity; paint chooses 0 to 3.
[[nodiscard]] std::string palette_png(std::uint32_t width,
                                      std::uint32_t height,
                                      const Paint& paint);

struct JpegOptions {
    int quality = 95;
    bool progressive = false;
    bool scan_per_coefficient = false;
    std::string exif{};  ///< without "Exif\0\0"
    std::string icc{};
};

/// `channels`: 1 grey, 3 RGB, 4 CMYK.
[[nodiscard]] std::string jpeg(std::uint32_t width,
                               std::uint32_t height,
                               std::uint32_t channels,
                               const Paint& paint,
                               const JpegOptions& options = {});

[[nodiscard]] Picture read_png(const std::string& file);
[[nodiscard]] Picture read_jpeg(const std::string& file, std::string* icc = nullptr);

}  // namespace pictures
