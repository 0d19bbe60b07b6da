#include "picture.hpp"

#include <distributo/plugin.hpp>

#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstdio>
#include <cstring>

namespace image {

namespace {

struct Decoder {
    Decoder() = default;
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }

    png_structp png = nullptr;
    png_infop info = nullptr;
};

class PngReader final : public Reader {
public:
    PngReader(std::span<const std::byte> file, const std::string& name, const Limits& limits)
        : name_(name), limits_(limits), rest_(file) {
        png_.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &on_error, &on_warning);
        png_.info = png_.png == nullptr ? nullptr : png_create_info_struct(png_.png);
        if (png_.info == nullptr) {
            throw distributo::retry(name_ + ": no memory for a PNG decoder");
        }
        png_set_read_fn(png_.png, this, &on_read);
        call([this] { png_read_info(png_.png, png_.info); });
        header_.width = png_get_image_width(png_.png, png_.info);
        header_.height = png_get_image_height(png_.png, png_.info);
        require_pixels(header_, name_, limits_);
        read_notes();
        choose_samples();
    }

    [[nodiscard]] const Header& header() const noexcept override { return header_; }

    std::span<const std::byte> next_row() override {
        const std::size_t size = row_bytes_;
        std::byte* const row = rows_.data() + (interlaced_ ? next_ * size : 0);
        if (!interlaced_) {
            read_row(row);
        } else if (next_ == 0) {
            read_passes();
        }
        if (++next_ == header_.height) {
            call([this] { png_read_end(png_.png, nullptr); });
        }
        return {row, size};
    }

private:
    // As in the JPEG reader: libpng's errors jump, so `step` may do nothing but call libpng, and
    // exceptions are thrown after the jump.
    template <class Step>
    void call(Step step) {
        if (setjmp(jump_) == 0) {
            step();
        } else {
            throw distributo::permanent(name_ + ": cannot decode this PNG: " + message_);
        }
    }

    [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
        auto& self = *static_cast<PngReader*>(png_get_error_ptr(png));
        std::snprintf(self.message_, sizeof self.message_, "%s", message);
        std::longjmp(self.jump_, 1);
    }
    static void on_warning(png_structp, png_const_charp) {}  // about notes that do not matter here

    static void on_read(png_structp png, png_bytep to, std::size_t size) {
        auto& self = *static_cast<PngReader*>(png_get_io_ptr(png));
        if (size > self.rest_.size()) {
            png_error(png, "it is truncated");
        }
        std::memcpy(to, self.rest_.data(), size);
        self.rest_ = self.rest_.subspan(size);
    }

    /// Orientation and colour profile.
    void read_notes() {
        png_uint_32 size = 0;
        png_bytep exif = nullptr;
        if (png_get_eXIf_1(png_.png, png_.info, &size, &exif) != 0) {
            header_.orientation =
                exif_orientation({reinterpret_cast<const std::byte*>(exif), size});
        }
        png_charp title = nullptr;
        png_bytep profile = nullptr;
        int compression = 0;
        if (png_get_iCCP(png_.png, png_.info, &title, &compression, &profile, &size) != 0) {
            const auto* const bytes = reinterpret_cast<const std::byte*>(profile);
            header_.icc.assign(bytes, bytes + size);
        }
    }

    /// Palettes and small samples become 8 bits, transparent colours an alpha channel.
    void choose_samples() {
        header_.wide = png_get_bit_depth(png_.png, png_.info) == 16;
        interlaced_ = png_get_interlace_type(png_.png, png_.info) != PNG_INTERLACE_NONE;
        call([this] {
            png_set_expand(png_.png);
            if (header_.wide && std::endian::native == std::endian::little) {
                png_set_swap(png_.png);
            }
            png_set_interlace_handling(png_.png);
            png_read_update_info(png_.png, png_.info);
        });
        header_.channels = png_get_channels(png_.png, png_.info);
        row_bytes_ = png_get_rowbytes(png_.png, png_.info);
        rows_.resize(row_bytes_ * (interlaced_ ? header_.height : 1));
    }

    void read_row(std::byte* row) {
        if (limits_.cancelled()) {
            throw distributo::Cancelled();
        }
        call([&] { png_read_row(png_.png, reinterpret_cast<png_bytep>(row), nullptr); });
    }

    /// An interlaced picture is complete only after its last pass.
    void read_passes() {
        for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) {
            for (std::size_t y = 0; y < header_.height; ++y) {
                read_row(rows_.data() + y * row_bytes_);
            }
        }
    }

    std::string name_;
    Limits limits_;
    std::span<const std::byte> rest_;
    Header header_;
    bool interlaced_ = false;
    Bytes rows_;  // one, or all when the picture is interlaced
    std::size_t row_bytes_ = 0;
    std::size_t next_ = 0;
    std::jmp_buf jump_{};
    char message_[200] = "";
    Decoder png_;  // last: it refers to those above until it is destroyed
};

}  // namespace

std::unique_ptr<Reader> open_png(std::span<const std::byte> file,
                                 const std::string& name,
                                 const Limits& limits) {
    return std::make_unique<PngReader>(file, name, limits);
}

}  // namespace image
