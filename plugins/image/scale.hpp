#pragma once

#include "picture.hpp"

#include <boost/describe.hpp>

#include <cstdint>

namespace image {

/// contain: all of the picture, within the box. cover: the whole box, what protrudes is cut off.
enum class Fit { contain, cover };
BOOST_DESCRIBE_ENUM(Fit, contain, cover)

struct Size {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

/// Which part of a picture, in its pixels, becomes a picture of which size.
struct Frame {
    double left = 0;
    double top = 0;
    double width = 0;
    double height = 0;
    Size out;
};

/// Never enlarges: a picture that is smaller than the box keeps its size, and with cover what the
/// proportions of the box leave of it.
[[nodiscard]] Frame fit_into(Size picture, Size box, Fit fit) noexcept;

/// What is done with transparency.
enum class Alpha { keep, on_white };

/// Every pixel becomes the average of the area that it covers: of light, not of the numbers that
/// stand for it (sRGB), and each colour as far as it is opaque. Reads all rows of `reader`.
/// `after_row` is called with how many were read.
[[nodiscard]] Picture scale(Reader& reader,
                            const Frame& frame,
                            Alpha alpha,
                            const std::function<void(std::uint32_t)>& after_row);

}  // namespace image
