#pragma once

#include "exif.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace image {

using Bytes = std::vector<std::byte>;

/// What a file says about its picture.
struct Header {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t channels = 0;  ///< 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
    bool wide = false;           ///< 16 bits per sample instead of 8
    Orientation orientation = Orientation::upright;
    Bytes icc;  ///< the colour profile; empty: none, which means sRGB

    [[nodiscard]] bool alpha() const noexcept { return channels % 2 == 0; }
};

/// What a reader may spend on one picture.
struct Limits {
    std::uint64_t max_pixels = 0;
    std::function<bool()> cancelled;  ///< asked now and then while a library works; may not throw
};

/// Throws permanent when the picture is larger than it may be.
void require_pixels(const Header& header, const std::string& name, const Limits& limits);

/// A picture that is being decoded from memory, row by row. Everything that is wrong with the file
/// is a permanent distributo::Failure whose message begins with the file's name; Cancelled is
/// thrown when the limits say so. The bytes have to outlive the reader. For one thread.
class Reader {
public:
    Reader() = default;
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    virtual ~Reader() = default;

    [[nodiscard]] virtual const Header& header() const noexcept = 0;
    /// The next row, from the top: width × channels samples, 8 bits each, or 16 in the machine's
    /// byte order. Valid until the next call. Not to be called more often than there are rows.
    virtual std::span<const std::byte> next_row() = 0;
};

[[nodiscard]] std::unique_ptr<Reader> open_jpeg(std::span<const std::byte> file,
                                                const std::string& name,
                                                const Limits& limits);
[[nodiscard]] std::unique_ptr<Reader> open_png(std::span<const std::byte> file,
                                               const std::string& name,
                                               const Limits& limits);

/// A finished picture with 8 bits per sample, rows from the top without gaps.
struct Picture {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t channels = 0;  ///< as in Header
    std::vector<std::uint8_t> samples;
};

/// Grey or RGB. `quality` is 1 to 100.
[[nodiscard]] Bytes write_jpeg(const Picture& picture, int quality, const Bytes& icc);
[[nodiscard]] Bytes write_png(const Picture& picture, const Bytes& icc);

}  // namespace image
