#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace image {

/// Where row 0 and column 0 of the stored picture belong; the values of TIFF and Exif.
enum class Orientation : std::uint8_t {
    upright = 1,
    mirrored = 2,     ///< left and right swapped
    upside_down = 3,  ///< turned by 180°
    flipped = 4,      ///< top and bottom swapped
    transposed = 5,   ///< mirrored along the diagonal from the top left
    turn_right = 6,   ///< has to be turned right by 90° to be upright
    transversed = 7,  ///< mirrored along the other diagonal
    turn_left = 8,    ///< has to be turned left by 90° to be upright
};

/// Are width and height exchanged?
[[nodiscard]] constexpr bool swaps_sides(Orientation orientation) noexcept {
    return orientation >= Orientation::transposed;
}

/// The orientation that Exif data tell; upright when they tell none or are damaged, because a
/// picture is not worth less for a damaged note about it. `tiff` begins with the byte order mark.
[[nodiscard]] Orientation exif_orientation(std::span<const std::byte> tiff) noexcept;

struct Picture;

/// The picture as it is meant to be seen.
[[nodiscard]] Picture upright(Picture stored, Orientation orientation);

}  // namespace image
