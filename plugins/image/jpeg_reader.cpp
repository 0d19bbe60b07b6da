#include "picture.hpp"

#include <distributo/plugin.hpp>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

// jpeglib.h needs FILE.
#include <jerror.h>
#include <jpeglib.h>

namespace image {

namespace {

/// Each scan of a progressive file goes over the whole picture once more. Encoders make about ten;
/// a file of a few KiB could ask for thousands.
constexpr int max_scans = 100;

constexpr unsigned max_marker_bytes = 0xFFFF;  // all that a marker can have
constexpr int exif_marker = JPEG_APP0 + 1;
constexpr int icc_marker = JPEG_APP0 + 2;

/// Owns the decompressor; also when it was never created, or is in the middle of a picture.
struct Decompressor {
    Decompressor() = default;
    Decompressor(const Decompressor&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;
    ~Decompressor() { jpeg_destroy_decompress(&info); }

    jpeg_decompress_struct info{};
};

class JpegReader final : public Reader {
public:
    JpegReader(std::span<const std::byte> file, const std::string& name, const Limits& limits)
        : name_(name), limits_(limits) {
        set_up_errors();
        call([&] {
            jpeg_create_decompress(&jpeg_.info);
            jpeg_.info.progress = &progress_;
            jpeg_mem_src(
                &jpeg_.info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
            jpeg_save_markers(&jpeg_.info, exif_marker, max_marker_bytes);
            jpeg_save_markers(&jpeg_.info, icc_marker, max_marker_bytes);
            jpeg_read_header(&jpeg_.info, TRUE);
        });
        describe();
        call([this] { jpeg_start_decompress(&jpeg_.info); });
        row_.resize(std::size_t{header_.width} * header_.channels);
    }

    [[nodiscard]] const Header& header() const noexcept override { return header_; }

    std::span<const std::byte> next_row() override {
        JSAMPROW row = reinterpret_cast<JSAMPROW>(row_.data());
        call([&] { jpeg_read_scanlines(&jpeg_.info, &row, 1); });
        if (jpeg_.info.output_scanline == jpeg_.info.output_height) {
            call([this] { jpeg_finish_decompress(&jpeg_.info); });
        }
        return row_;
    }

private:
    // libjpeg tells its owner of an error by a callback that must not return; the only way out is
    // longjmp. That is allowed in C++ as long as no frame is skipped that has a destructor to run:
    // `step` may do nothing but call libjpeg, and exceptions are thrown from here, after the jump.
    template <class Step>
    void call(Step step) {
        if (setjmp(jump_) == 0) {
            step();
        } else {
            fail();
        }
    }

    [[noreturn]] void fail() const {
        if (was_cancelled_) {
            throw distributo::Cancelled();
        }
        const std::string text = name_ + ": cannot decode this JPEG: " + message_;
        if (errors_.msg_code == JERR_OUT_OF_MEMORY) {
            throw distributo::retry(text);
        }
        throw distributo::permanent(text);
    }

    static JpegReader& of(j_common_ptr info) {
        return *static_cast<JpegReader*>(info->client_data);
    }

    void set_up_errors() {
        jpeg_.info.err = jpeg_std_error(&errors_);
        jpeg_.info.client_data = this;
        errors_.error_exit = [](j_common_ptr info) {
            JpegReader& self = of(info);
            info->err->format_message(info, self.message_);
            std::longjmp(self.jump_, 1);
        };
        // Where libjpeg would only warn and make up the rest of the picture, it is damaged.
        errors_.emit_message = [](j_common_ptr info, int level) {
            const int code = info->err->msg_code;
            const bool harmless = level >= 0 || code == JWRN_EXTRANEOUS_DATA ||
                                  code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
                                  code == JWRN_BOGUS_ICC;
            if (!harmless) {
                info->err->error_exit(info);
            }
        };
        progress_.progress_monitor = [](j_common_ptr info) {
            JpegReader& self = of(info);
            self.was_cancelled_ = self.limits_.cancelled();
            if (self.jpeg_.info.input_scan_number > max_scans) {
                std::strcpy(self.message_, "it has more than 100 scans");
                std::longjmp(self.jump_, 1);
            }
            if (self.was_cancelled_) {
                std::longjmp(self.jump_, 1);
            }
        };
    }

    /// Fills the header, and chooses what the samples are decoded to.
    void describe() {
        jpeg_decompress_struct& info = jpeg_.info;
        if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK) {
            throw distributo::permanent(name_ +
                                        " is a CMYK picture, expected grey or RGB: convert it "
                                        "with its colour profile first");
        }
        const bool grey = info.jpeg_color_space == JCS_GRAYSCALE;
        info.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
        header_.width = info.image_width;
        header_.height = info.image_height;
        header_.channels = grey ? 1 : 3;
        require_pixels(header_, name_, limits_);
        for (auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
            const std::span data(reinterpret_cast<const std::byte*>(marker->data),
                                 marker->data_length);
            constexpr std::string_view exif("Exif\0\0", 6);
            if (marker->marker == exif_marker && data.size() >= exif.size() &&
                std::memcmp(data.data(), exif.data(), exif.size()) == 0) {
                header_.orientation = exif_orientation(data.subspan(exif.size()));
                break;
            }
        }
        JOCTET* profile = nullptr;
        unsigned size = 0;
        call([&] { jpeg_read_icc_profile(&jpeg_.info, &profile, &size); });
        if (profile != nullptr) {
            const std::unique_ptr<JOCTET, decltype(&std::free)> owner(profile, &std::free);
            const auto* const bytes = reinterpret_cast<const std::byte*>(profile);
            header_.icc.assign(bytes, bytes + size);
        }
    }

    std::string name_;
    Limits limits_;
    Header header_;
    Bytes row_;
    std::jmp_buf jump_{};
    char message_[JMSG_LENGTH_MAX] = "";
    bool was_cancelled_ = false;
    jpeg_error_mgr errors_{};
    jpeg_progress_mgr progress_{};
    Decompressor jpeg_;  // last: it refers to those above until it is destroyed
};

}  // namespace

std::unique_ptr<Reader> open_jpeg(std::span<const std::byte> file,
                                  const std::string& name,
                                  const Limits& limits) {
    return std::make_unique<JpegReader>(file, name, limits);
}

}  // namespace image
