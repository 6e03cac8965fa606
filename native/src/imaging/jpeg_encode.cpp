#include <csetjmp>
#include <cstdio>

// clang-format off
#include <jpeglib.h>  // after <cstdio>, which it needs and does not include; and before jerror.h
#include <jerror.h>
// clang-format on

#include "imaging/codecs.h"
#include "status.h"

namespace atrous::imaging {
namespace {

struct compress_info : jpeg_compress_struct {
    compress_info() : jpeg_compress_struct{} {}
    ~compress_info() { jpeg_destroy_compress(this); }  // does nothing to one that was never created
};

// Like the reader, it leaves libjpeg by a jump and only then throws.
class jpeg_writer {
 public:
    explicit jpeg_writer(byte_sink& sink) : sink_(sink) {
        info_.err = jpeg_std_error(&errors_);
        errors_.error_exit = [](j_common_ptr info) { owner(info).stop(); };
        errors_.output_message = [](j_common_ptr) {};
        destination_.init_destination = [](j_compress_ptr info) { owner(info).make_room(); };
        destination_.empty_output_buffer = [](j_compress_ptr info) -> boolean {
            // libjpeg means the whole block, whatever free_in_buffer says.
            owner(info).sink_.size += block;
            owner(info).make_room();
            return TRUE;
        };
        destination_.term_destination = [](j_compress_ptr info) {
            owner(info).sink_.size += block - owner(info).destination_.free_in_buffer;
        };
        info_.client_data = this;
    }
    jpeg_writer(const jpeg_writer&) = delete;
    jpeg_writer& operator=(const jpeg_writer&) = delete;

    void encode(const atrous_image& image, int32_t quality) {
        if (setjmp(jump_) != 0) {
            if (errors_.msg_code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
            char reason[JMSG_LENGTH_MAX];
            errors_.format_message(reinterpret_cast<j_common_ptr>(&info_), reason);
            throw fail(ATROUS_INVALID_ARGUMENT, "the picture cannot be a JPEG (%s); save it as PNG", reason);
        }
        compress(image, quality);
    }

 private:
    static constexpr size_t block = 1 << 16;

    static jpeg_writer& owner(void* info) {
        return *static_cast<jpeg_writer*>(static_cast<j_common_ptr>(info)->client_data);
    }

    void compress(const atrous_image& image, int32_t quality) {
        jpeg_create_compress(&info_);
        info_.dest = &destination_;
        info_.image_width = static_cast<JDIMENSION>(image.width);
        info_.image_height = static_cast<JDIMENSION>(image.height);
        info_.input_components = image.channels;
        info_.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
        jpeg_set_defaults(&info_);
        jpeg_set_quality(&info_, quality, TRUE);
        jpeg_start_compress(&info_, TRUE);
        while (info_.next_scanline < info_.image_height) {
            uint8_t* row = image.pixels + static_cast<int64_t>(info_.next_scanline) * row_bytes(image);
            jpeg_write_scanlines(&info_, &row, 1);
        }
        jpeg_finish_compress(&info_);
    }

    void make_room() {
        if (!sink_.reserve(block)) {
            errors_.msg_code = JERR_OUT_OF_MEMORY;
            stop();
        }
        destination_.next_output_byte = sink_.data + sink_.size;
        destination_.free_in_buffer = block;
    }

    [[noreturn]] void stop() { std::longjmp(jump_, 1); }

    byte_sink& sink_;
    compress_info info_;
    jpeg_error_mgr errors_{};
    jpeg_destination_mgr destination_{};
    std::jmp_buf jump_;
};

}  // namespace

void encode_jpeg(const atrous_image& image, int32_t quality, byte_sink& sink) {
    jpeg_writer(sink).encode(image, quality);
}

}  // namespace atrous::imaging
