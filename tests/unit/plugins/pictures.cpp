#include "pictures.hpp"

#include <png.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

// jpeglib.h needs FILE.
#include <jpeglib.h>

namespace pictures {

namespace {

constexpr int color_types[] = {0,
                               PNG_COLOR_TYPE_GRAY,
                               PNG_COLOR_TYPE_GRAY_ALPHA,
                               PNG_COLOR_TYPE_RGB,
                               PNG_COLOR_TYPE_RGB_ALPHA};

/// Samples of `depth` bits, packed as PNG wants them.
std::vector<std::vector<std::uint8_t>> packed_rows(std::uint32_t width,
                                                   std::uint32_t height,
                                                   std::uint32_t channels,
                                                   int depth,
                                                   const Paint& paint) {
    std::vector<std::vector<std::uint8_t>> rows(height);
    for (std::uint32_t y = 0; y < height; ++y) {
        unsigned used = 8;  // bits of the last byte
        for (std::uint32_t i = 0; i < width * channels; ++i) {
            const std::uint32_t sample = paint(i / channels, y, i % channels);
            if (depth >= 8) {
                if (depth == 16) {
                    rows[y].push_back(static_cast<std::uint8_t>(sample >> 8));
                }
                rows[y].push_back(static_cast<std::uint8_t>(sample));
                continue;
            }
            if (used == 8) {
                rows[y].push_back(0);
                used = 0;
            }
            used += static_cast<unsigned>(depth);
            rows[y].back() = static_cast<std::uint8_t>(rows[y].back() | sample << (8 - used));
        }
    }
    return rows;
}

std::string write(png_structp png, png_infop info, std::vector<std::vector<std::uint8_t>> rows) {
    std::string out;
    png_set_write_fn(
        png,
        &out,
        [](png_structp from, png_bytep data, std::size_t size) {
            static_cast<std::string*>(png_get_io_ptr(from))
                ->append(reinterpret_cast<const char*>(data), size);
        },
        [](png_structp) {});
    std::vector<png_bytep> pointers;
    for (auto& row : rows) {
        pointers.push_back(row.data());
    }
    png_set_rows(png, info, pointers.data());
    png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
    png_destroy_write_struct(&png, &info);
    return out;
}

[[noreturn]] void give_up(png_structp, png_const_charp message) {
    std::fprintf(stderr, "test helper: %s\n", message);
    std::abort();
}

}  // namespace

std::string png(std::uint32_t width,
                std::uint32_t height,
                std::uint32_t channels,
                const Paint& paint,
                const PngOptions& options) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, &give_up, nullptr);
    png_infop info = png_create_info_struct(png);
    png_set_IHDR(png,
                 info,
                 width,
                 height,
                 options.depth,
                 color_types[channels],
                 options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    std::string exif = options.exif;
    if (!exif.empty()) {
        png_set_eXIf_1(png,
                       info,
                       static_cast<png_uint_32>(exif.size()),
                       reinterpret_cast<png_bytep>(exif.data()));
    }
    return write(png, info, packed_rows(width, height, channels, options.depth, paint));
}

std::string palette_png(std::uint32_t width, std::uint32_t height, const Paint& paint) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, &give_up, nullptr);
    png_infop info = png_create_info_struct(png);
    png_set_IHDR(png,
                 info,
                 width,
                 height,
                 2,
                 PNG_COLOR_TYPE_PALETTE,
                 PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    const png_color colors[] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {0, 0, 0}};
    const png_byte opacity[] = {255, 255, 255, 0};
    png_set_PLTE(png, info, colors, 4);
    png_set_tRNS(png, info, opacity, 4, nullptr);
    return write(png, info, packed_rows(width, height, 1, 2, paint));
}

std::string jpeg(std::uint32_t width,
                 std::uint32_t height,
                 std::uint32_t channels,
                 const Paint& paint,
                 const JpegOptions& options) {
    jpeg_compress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* buffer = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&info, &buffer, &size);
    info.image_width = width;
    info.image_height = height;
    info.input_components = static_cast<int>(channels);
    info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, options.quality, TRUE);
    std::vector<jpeg_scan_info> scans;
    if (options.progressive) {
        jpeg_simple_progression(&info);
    }
    if (options.scan_per_coefficient) {
        scans.push_back({static_cast<int>(channels), {0, 1, 2, 3}, 0, 0, 0, 0});
        for (int c = 0; c < static_cast<int>(channels); ++c) {
            for (int k = 1; k < DCTSIZE2; ++k) {
                scans.push_back({1, {c, 0, 0, 0}, k, k, 0, 0});
            }
        }
        info.scan_info = scans.data();
        info.num_scans = static_cast<int>(scans.size());
    }
    jpeg_start_compress(&info, TRUE);
    if (!options.exif.empty()) {
        const std::string marker = std::string("Exif\0\0", 6) + options.exif;
        jpeg_write_marker(&info,
                          JPEG_APP0 + 1,
                          reinterpret_cast<const JOCTET*>(marker.data()),
                          static_cast<unsigned>(marker.size()));
    }
    if (!options.icc.empty()) {
        jpeg_write_icc_profile(&info,
                               reinterpret_cast<const JOCTET*>(options.icc.data()),
                               static_cast<unsigned>(options.icc.size()));
    }
    for (auto& row : packed_rows(width, height, channels, 8, paint)) {
        JSAMPROW pointer = row.data();
        jpeg_write_scanlines(&info, &pointer, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    std::string out(reinterpret_cast<const char*>(buffer), size);
    std::free(buffer);
    return out;
}

Picture read_png(const std::string& file) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, &give_up, nullptr);
    png_infop info = png_create_info_struct(png);
    const char* rest = file.data();
    png_set_read_fn(png, &rest, [](png_structp from, png_bytep to, std::size_t size) {
        auto& at = *static_cast<const char**>(png_get_io_ptr(from));
        std::memcpy(to, at, size);
        at += size;
    });
    png_read_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
    Picture out{png_get_image_width(png, info),
                png_get_image_height(png, info),
                png_get_channels(png, info),
                {}};
    png_bytepp rows = png_get_rows(png, info);
    for (std::uint32_t y = 0; y < out.height; ++y) {
        out.samples.insert(
            out.samples.end(), rows[y], rows[y] + std::size_t{out.width} * out.channels);
    }
    png_destroy_read_struct(&png, &info, nullptr);
    return out;
}

Picture read_jpeg(const std::string& file, std::string* icc) {
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
    jpeg_save_markers(&info, JPEG_APP0 + 2, 0xFFFF);
    jpeg_read_header(&info, TRUE);
    JOCTET* profile = nullptr;
    unsigned size = 0;
    if (icc != nullptr && jpeg_read_icc_profile(&info, &profile, &size) != 0) {
        icc->assign(reinterpret_cast<const char*>(profile), size);
        std::free(profile);
    }
    jpeg_start_decompress(&info);
    Picture out{info.output_width,
                info.output_height,
                static_cast<std::uint32_t>(info.output_components),
                {}};
    out.samples.resize(std::size_t{out.width} * out.height * out.channels);
    while (info.output_scanline < info.output_height) {
        JSAMPROW row =
            out.samples.data() + std::size_t{info.output_scanline} * out.width * out.channels;
        jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
    return out;
}

}  // namespace pictures
