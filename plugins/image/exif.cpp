#include "exif.hpp"

#include "picture.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace image {

namespace {

/// TIFF data: numbers in the byte order that the first two bytes tell, at offsets from the start.
class Tiff {
public:
    explicit Tiff(std::span<const std::byte> data)
        : data_(data), little_(!data.empty() && data[0] == std::byte{'I'}) {}

    /// Nothing when it would lie outside.
    [[nodiscard]] std::optional<std::uint32_t> number(std::size_t at, std::size_t size) const {
        if (at > data_.size() || size > data_.size() - at) {
            return std::nullopt;
        }
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t from = little_ ? at + size - 1 - i : at + i;
            value = value << 8 | std::to_integer<std::uint32_t>(data_[from]);
        }
        return value;
    }

private:
    std::span<const std::byte> data_;
    bool little_;
};

}  // namespace

// Header: byte order "II" or "MM", 42, offset of the first directory. Directory: a count, then
// entries of 12 bytes: tag, type, count, value.
Orientation exif_orientation(std::span<const std::byte> bytes) noexcept {
    constexpr std::uint32_t magic = 42;
    constexpr std::uint32_t orientation_tag = 0x0112;
    constexpr std::uint32_t type_short = 3;
    const Tiff tiff(bytes);
    const auto directory = tiff.number(4, 4);
    if (tiff.number(2, 2) != magic || !directory) {
        return Orientation::upright;
    }
    const std::uint32_t entries = tiff.number(*directory, 2).value_or(0);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const std::size_t at = std::size_t{*directory} + 2 + std::size_t{12} * i;
        if (tiff.number(at, 2) == orientation_tag && tiff.number(at + 2, 2) == type_short) {
            const std::uint32_t value = tiff.number(at + 8, 2).value_or(0);
            return value >= 1 && value <= 8 ? static_cast<Orientation>(value)
                                            : Orientation::upright;
        }
    }
    return Orientation::upright;
}

Picture upright(Picture stored, Orientation orientation) {
    if (orientation == Orientation::upright) {
        return stored;
    }
    const bool swaps = swaps_sides(orientation);
    // The step in the stored picture that belongs to one step to the right, and down, in the
    // upright one: which side the stored columns and rows run along, and from which end.
    const bool mirror_x =
        orientation == Orientation::mirrored || orientation == Orientation::upside_down ||
        orientation == Orientation::transversed || orientation == Orientation::turn_left;
    const bool mirror_y =
        orientation == Orientation::upside_down || orientation == Orientation::flipped ||
        orientation == Orientation::turn_right || orientation == Orientation::transversed;
    Picture out{swaps ? stored.height : stored.width,
                swaps ? stored.width : stored.height,
                stored.channels,
                std::vector<std::uint8_t>(stored.samples.size())};
    auto to = out.samples.begin();
    for (std::uint32_t y = 0; y < out.height; ++y) {
        for (std::uint32_t x = 0; x < out.width; ++x) {
            const std::uint32_t column = swaps ? y : x;
            const std::uint32_t row = swaps ? x : y;
            const std::size_t from_x = mirror_x ? stored.width - 1 - column : column;
            const std::size_t from_y = mirror_y ? stored.height - 1 - row : row;
            const auto from =
                stored.samples.begin() +
                static_cast<std::ptrdiff_t>((from_y * stored.width + from_x) * stored.channels);
            to = std::copy_n(from, stored.channels, to);
        }
    }
    return out;
}

}  // namespace image
