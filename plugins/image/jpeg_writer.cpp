#include "picture.hpp"

#include <distributo/plugin.hpp>

#include <csetjmp>
#include <cstdio>
#include <new>

// jpeglib.h needs FILE.
#include <jerror.h>
#include <jpeglib.h>

namespace image {

namespace {

/// From here on colour keeps the full resolution, as whoever asks for such a quality expects.
constexpr int full_colour_quality = 90;

class JpegWriter {
public:
    JpegWriter(const Picture& picture, int quality, const Bytes& icc)
        : picture_(picture), quality_(quality), icc_(icc) {
        info_.err = jpeg_std_error(&errors_);
        info_.client_data = this;
        errors_.error_exit = [](j_common_ptr info) {
            JpegWriter& self = of(info);
            info->err->format_message(info, self.message_);
            std::longjmp(self.jump_, 1);
        };
        destination_.init_destination = [](j_compress_ptr) {};
        destination_.empty_output_buffer = [](j_compress_ptr info) -> boolean {
            of(reinterpret_cast<j_common_ptr>(info)).grow();
            return TRUE;
        };
        destination_.term_destination = [](j_compress_ptr) {};
    }
    JpegWriter(const JpegWriter&) = delete;
    JpegWriter& operator=(const JpegWriter&) = delete;
    ~JpegWriter() { jpeg_destroy_compress(&info_); }

    Bytes write() {
        // As in the reader: nothing between here and a jump has a destructor to run.
        if (setjmp(jump_) != 0) {
            throw distributo::permanent(std::string("cannot write a JPEG: ") + message_);
        }
        compress();
        out_.resize(out_.size() - destination_.free_in_buffer);
        return std::move(out_);
    }

private:
    static JpegWriter& of(j_common_ptr info) {
        return *static_cast<JpegWriter*>(info->client_data);
    }

    void compress() {
        jpeg_create_compress(&info_);
        info_.dest = &destination_;
        grow();
        info_.image_width = picture_.width;
        info_.image_height = picture_.height;
        info_.input_components = static_cast<int>(picture_.channels);
        info_.in_color_space = picture_.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
        jpeg_set_defaults(&info_);
        jpeg_set_quality(&info_, quality_, TRUE);
        info_.optimize_coding = TRUE;
        if (picture_.channels == 3 && quality_ >= full_colour_quality) {
            info_.comp_info[0].h_samp_factor = 1;
            info_.comp_info[0].v_samp_factor = 1;
        }
        jpeg_start_compress(&info_, TRUE);
        if (!icc_.empty()) {
            jpeg_write_icc_profile(&info_,
                                   reinterpret_cast<const JOCTET*>(icc_.data()),
                                   static_cast<unsigned>(icc_.size()));
        }
        while (info_.next_scanline < info_.image_height) {
            const std::size_t offset =
                std::size_t{info_.next_scanline} * picture_.width * picture_.channels;
            JSAMPROW row = const_cast<JSAMPROW>(picture_.samples.data() + offset);
            jpeg_write_scanlines(&info_, &row, 1);
        }
        jpeg_finish_compress(&info_);
    }

    /// More room; libjpeg asks for it only when all of it is full.
    void grow() {
        const std::size_t used = out_.size();
        bool grown = true;
        try {
            out_.resize(used == 0 ? first_bytes : used * 2);
        } catch (const std::bad_alloc&) {
            grown = false;  // an exception may not cross libjpeg, and a jump not leave a handler
        }
        if (!grown) {
            ERREXIT1(&info_, JERR_OUT_OF_MEMORY, 0);
        }
        destination_.next_output_byte = reinterpret_cast<JOCTET*>(out_.data() + used);
        destination_.free_in_buffer = out_.size() - used;
    }

    static constexpr std::size_t first_bytes = 65536;

    const Picture& picture_;
    int quality_;
    const Bytes& icc_;
    Bytes out_;
    std::jmp_buf jump_{};
    char message_[JMSG_LENGTH_MAX] = "";
    jpeg_error_mgr errors_{};
    jpeg_destination_mgr destination_{};
    jpeg_compress_struct info_{};
};

}  // namespace

Bytes write_jpeg(const Picture& picture, int quality, const Bytes& icc) {
    return JpegWriter(picture, quality, icc).write();
}

}  // namespace image
