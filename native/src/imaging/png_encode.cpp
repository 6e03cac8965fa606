#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include "imaging/codecs.h"
#include "status.h"

namespace atrous::imaging {
namespace {

// Like the reader, it leaves libpng by a jump and only then throws.
class png_writer {
 public:
    explicit png_writer(byte_sink& sink) : sink_(sink) {
        handle_.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
        if (handle_.png != nullptr) handle_.info = png_create_info_struct(handle_.png);
        if (handle_.info == nullptr) throw std::bad_alloc();
    }
    png_writer(const png_writer&) = delete;
    png_writer& operator=(const png_writer&) = delete;

    void encode(const png_source& source, int32_t level) {
        if (source.palette != nullptr) indices_.resize(static_cast<size_t>(source.width));
        if (setjmp(jump_) != 0) {
            if (out_of_memory_) throw std::bad_alloc();
            throw fail(ATROUS_INVALID_ARGUMENT, "the picture cannot be a PNG (%s)", message_);
        }
        write(source, level);
    }

 private:
    struct png_handle {
        png_structp png = nullptr;
        png_infop info = nullptr;
        ~png_handle() { png_destroy_write_struct(&png, &info); }
    };

    static png_writer& owner(png_structp png) { return *static_cast<png_writer*>(png_get_error_ptr(png)); }

    [[noreturn]] static void on_error(png_structp png, png_const_charp reason) {
        png_writer& self = owner(png);
        std::snprintf(self.message_, sizeof(self.message_), "%s", reason);
        std::longjmp(self.jump_, 1);
    }

    static void on_warning(png_structp, png_const_charp) {}

    static void on_write(png_structp png, png_bytep bytes, size_t size) {
        png_writer& self = owner(png);
        if (!self.sink_.reserve(size)) {
            self.out_of_memory_ = true;
            png_error(png, "out of memory");
        }
        std::memcpy(self.sink_.data + self.sink_.size, bytes, size);
        self.sink_.size += size;
    }

    void write(const png_source& source, int32_t level) {
        png_structp png = handle_.png;
        png_set_write_fn(png, this, on_write, nullptr);
        png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
        png_set_compression_level(png, level);
        png_set_IHDR(png, handle_.info, static_cast<png_uint_32>(source.width), static_cast<png_uint_32>(source.height),
                     source.bit_depth, source.colour_type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                     PNG_FILTER_TYPE_DEFAULT);
        if (source.palette != nullptr) {
            png_color colours[256];
            for (int32_t i = 0; i < source.colours; ++i)
                colours[i] = {source.palette[3 * i], source.palette[3 * i + 1], source.palette[3 * i + 2]};
            png_set_PLTE(png, handle_.info, colours, source.colours);
        }
        // A label's neighbours are most often the same label, which filters would only disturb. For photos the one
        // filter costs a fraction of libpng's own search and loses little.
        const bool photo = source.palette == nullptr && source.bit_depth == 8;
        png_set_filter(png, PNG_FILTER_TYPE_BASE, photo ? PNG_FILTER_PAETH : PNG_FILTER_NONE);
        png_write_info(png, handle_.info);
        if (source.bit_depth == 16) png_set_swap(png);  // PNG is big-endian, x86 is not

        const auto* row = static_cast<const uint8_t*>(source.pixels);
        for (int32_t y = 0; y < source.height; ++y, row += source.row_stride)
            png_write_row(png, source.palette == nullptr ? row : narrow(row, source.width));
        png_write_end(png, handle_.info);
    }

    // A row of labels as the bytes of the file.
    const uint8_t* narrow(const uint8_t* row, int32_t width) {
        const auto* labels = reinterpret_cast<const uint16_t*>(row);
        for (int32_t x = 0; x < width; ++x) indices_[x] = static_cast<uint8_t>(labels[x]);
        return indices_.data();
    }

    byte_sink& sink_;
    std::vector<uint8_t> indices_;
    bool out_of_memory_ = false;
    png_handle handle_;
    std::jmp_buf jump_;
    char message_[128] = "";
};

}  // namespace

void encode_png(const png_source& source, int32_t level, byte_sink& sink) {
    png_writer(sink).encode(source, level);
}

}  // namespace atrous::imaging
