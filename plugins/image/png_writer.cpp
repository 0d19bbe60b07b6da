#include "picture.hpp"

#include <distributo/plugin.hpp>

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <new>

namespace image {

namespace {

constexpr int color_types[] = {0,
                               PNG_COLOR_TYPE_GRAY,
                               PNG_COLOR_TYPE_GRAY_ALPHA,
                               PNG_COLOR_TYPE_RGB,
                               PNG_COLOR_TYPE_RGB_ALPHA};

class PngWriter {
public:
    PngWriter(const Picture& picture, const Bytes& icc) : picture_(picture), icc_(icc) {
        png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, &on_error, &on_warning);
        info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    }
    PngWriter(const PngWriter&) = delete;
    PngWriter& operator=(const PngWriter&) = delete;
    ~PngWriter() { png_destroy_write_struct(&png_, &info_); }

    Bytes write() {
        if (info_ == nullptr) {
            throw distributo::retry("no memory for a PNG encoder");
        }
        // As in the reader: nothing between here and a jump has a destructor to run.
        if (setjmp(jump_) != 0) {
            throw distributo::permanent(std::string("cannot write a PNG: ") + message_);
        }
        encode();
        return std::move(out_);
    }

private:
    [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
        auto& self = *static_cast<PngWriter*>(png_get_error_ptr(png));
        std::snprintf(self.message_, sizeof self.message_, "%s", message);
        std::longjmp(self.jump_, 1);
    }
    static void on_warning(png_structp, png_const_charp) {}

    static void on_write(png_structp png, png_bytep data, std::size_t size) {
        auto& self = *static_cast<PngWriter*>(png_get_io_ptr(png));
        bool written = true;
        try {
            const auto* const bytes = reinterpret_cast<const std::byte*>(data);
            self.out_.insert(self.out_.end(), bytes, bytes + size);
        } catch (const std::bad_alloc&) {
            written = false;  // an exception may not cross libpng, and a jump not leave a handler
        }
        if (!written) {
            png_error(png, "no memory");
        }
    }
    static void on_flush(png_structp) {}

    void encode() {
        png_set_write_fn(png_, this, &on_write, &on_flush);
        // A profile that libpng finds fault with is left out.
        png_set_benign_errors(png_, 1);
        png_set_IHDR(png_,
                     info_,
                     picture_.width,
                     picture_.height,
                     8,
                     color_types[picture_.channels],
                     PNG_INTERLACE_NONE,
                     PNG_COMPRESSION_TYPE_DEFAULT,
                     PNG_FILTER_TYPE_DEFAULT);
        if (icc_.empty()) {
            png_set_sRGB(png_, info_, PNG_sRGB_INTENT_PERCEPTUAL);
        } else {
            png_set_iCCP(png_,
                         info_,
                         "icc",
                         PNG_COMPRESSION_TYPE_BASE,
                         reinterpret_cast<png_const_bytep>(icc_.data()),
                         static_cast<png_uint_32>(icc_.size()));
        }
        png_write_info(png_, info_);
        const std::size_t row = std::size_t{picture_.width} * picture_.channels;
        for (std::size_t y = 0; y < picture_.height; ++y) {
            png_write_row(png_, picture_.samples.data() + y * row);
        }
        png_write_end(png_, info_);
    }

    const Picture& picture_;
    const Bytes& icc_;
    Bytes out_;
    std::jmp_buf jump_{};
    char message_[200] = "";
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
};

}  // namespace

Bytes write_png(const Picture& picture, const Bytes& icc) {
    return PngWriter(picture, icc).write();
}

}  // namespace image
