#include "picture.hpp"

#include <distributo/plugin.hpp>

namespace image {

void require_pixels(const Header& header, const std::string& name, const Limits& limits) {
    if (std::uint64_t{header.width} * header.height > limits.max_pixels) {
        throw distributo::permanent(name + " has " + std::to_string(header.width) + "×" +
                                    std::to_string(header.height) + " pixels, more than the " +
                                    std::to_string(limits.max_pixels) +
                                    " that this host allows (max_pixels)");
    }
}

}  // namespace image
