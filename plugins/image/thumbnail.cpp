#include "picture.hpp"
#include "scale.hpp"
#include "support/base64.hpp"
#include "support/files.hpp"

#include <distributo/plugin.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

namespace {

using image::Fit;

/// The sensors of today's cameras and telephones fit; decoding an interlaced or progressive
/// picture of this size takes up to 400 MB.
constexpr std::uint64_t default_max_pixels = 50'000'000;
/// The whole file is in memory while it is decoded.
constexpr std::uint64_t max_file_bytes = std::uint64_t{256} << 20;
/// As base64 well below the limit of a result (1 MiB).
constexpr std::size_t max_inline_bytes = std::size_t{512} << 10;
/// The width and height of the box. More is not a thumbnail, and JPEG itself ends at 65500.
constexpr std::uint32_t max_side = 16384;
constexpr std::uint32_t default_quality = 85;

enum class Format { jpeg, png };
BOOST_DESCRIBE_ENUM(Format, jpeg, png)

struct Config {
    std::optional<std::uint64_t> max_pixels;
};
BOOST_DESCRIBE_STRUCT(Config, (), (max_pixels))

struct Request {
    std::string input;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::optional<Fit> fit;
    std::optional<Format> format;
    std::optional<std::uint32_t> quality;
    std::optional<std::string> output;
};
BOOST_DESCRIBE_STRUCT(Request, (), (input, width, height, fit, format, quality, output))

/// As it is meant to be seen, after the turn that Exif data ask for.
struct Source {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    Format format = Format::jpeg;
};
BOOST_DESCRIBE_STRUCT(Source, (), (width, height, format))

struct Thumbnail {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    Format format = Format::jpeg;
    std::uint64_t bytes = 0;
    Source source;
    std::optional<std::string> base64;
};
BOOST_DESCRIBE_STRUCT(Thumbnail, (), (width, height, format, bytes, source, base64))

void require_between(const char* member, std::uint32_t value, std::uint32_t most) {
    if (value < 1 || value > most) {
        throw distributo::permanent(std::string("payload.") + member + ": expected 1 to " +
                                    std::to_string(most) + ", got " + std::to_string(value));
    }
}

image::Bytes read_file(const std::string& path) {
    support::Input file("payload.input", path);
    if (file.size() > max_file_bytes) {
        throw distributo::permanent(path + " has " + std::to_string(file.size()) +
                                    " bytes, expected at most " + std::to_string(max_file_bytes));
    }
    image::Bytes content(static_cast<std::size_t>(file.size()));
    content.resize(file.read(content));
    file.require_unchanged();
    return content;
}

/// By what is in the file; names lie.
Format format_of(const image::Bytes& file, const std::string& path) {
    constexpr std::array<unsigned char, 3> jpeg{0xFF, 0xD8, 0xFF};
    constexpr std::array<unsigned char, 8> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    const auto begins_with = [&file](const auto& signature) {
        return file.size() >= signature.size() &&
               std::memcmp(file.data(), signature.data(), signature.size()) == 0;
    };
    if (begins_with(jpeg)) {
        return Format::jpeg;
    }
    if (!begins_with(png)) {
        throw distributo::permanent(path + " is neither a JPEG nor a PNG file");
    }
    return Format::png;
}

class Maker {
public:
    explicit Maker(const distributo::Setup& setup)
        : max_pixels_(setup.config<Config>().max_pixels.value_or(default_max_pixels)) {}

    Thumbnail make(const Request& request, distributo::Task& task) const {
        require_between("width", request.width, max_side);
        require_between("height", request.height, max_side);
        const std::uint32_t quality = request.quality.value_or(default_quality);
        require_between("quality", quality, 100);

        const image::Bytes file = read_file(request.input);
        const Format from = format_of(file, request.input);
        const Format to = request.format.value_or(from);
        const auto open = from == Format::jpeg ? image::open_jpeg : image::open_png;
        const std::unique_ptr<image::Reader> reader =
            open(file, request.input, {max_pixels_, [&task] { return task.cancelled(); }});
        const image::Header& header = reader->header();
        const image::Picture picture = draw(*reader, request, to, task);
        const image::Bytes written =
            to == Format::jpeg ? image::write_jpeg(picture, static_cast<int>(quality), header.icc)
                               : image::write_png(picture, header.icc);

        const bool swapped = image::swaps_sides(header.orientation);
        Thumbnail out{
            picture.width,
            picture.height,
            to,
            written.size(),
            {swapped ? header.height : header.width, swapped ? header.width : header.height, from},
            std::nullopt};
        deliver(written, request, out);
        return out;
    }

private:
    static image::Picture draw(image::Reader& reader,
                               const Request& request,
                               Format to,
                               const distributo::Task& task) {
        const image::Header& header = reader.header();
        const bool swapped = image::swaps_sides(header.orientation);
        const image::Size box = swapped ? image::Size{request.height, request.width}
                                        : image::Size{request.width, request.height};
        const image::Frame frame =
            image::fit_into({header.width, header.height}, box, request.fit.value_or(Fit::contain));
        const auto alpha = to == Format::png ? image::Alpha::keep : image::Alpha::on_white;
        const auto after_row = [&](std::uint32_t rows) {
            task.check();
            task.progress(static_cast<double>(rows) / header.height);
        };
        return image::upright(image::scale(reader, frame, alpha, after_row), header.orientation);
    }

    static void deliver(const image::Bytes& written, const Request& request, Thumbnail& out) {
        if (request.output) {
            support::Output file("payload.output", *request.output);
            file.write(written);
            file.commit();
        } else if (written.size() > max_inline_bytes) {
            throw distributo::permanent("the thumbnail has " + std::to_string(written.size()) +
                                        " bytes, too many for a result: name a payload.output");
        } else {
            out.base64 = support::to_base64(written);
        }
    }

    std::uint64_t max_pixels_;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.image",
                  "1.0.0",
                  distributo::task_type<&Maker::make>("image.thumbnail")
                      .summary("Scales a JPEG or PNG picture down")
                      .idempotent(),
                  distributo::config<Config>(),
                  distributo::license("MIT"));
