#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include "imaging/codecs.h"
#include "status.h"

namespace atrous::imaging {

// Like the reader, it leaves libpng by a jump and only then throws.
class png_writer {
 public:
    // Writes all that comes before the first row.
    png_writer(const png_source& source, int32_t level, byte_sink& sink) : source_(source), sink_(sink) {
        handle_.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
        if (handle_.png != nullptr) handle_.info = png_create_info_struct(handle_.png);
        if (handle_.info == nullptr) throw std::bad_alloc();
        if (source.palette != nullptr) indices_.resize(static_cast<size_t>(source.width));
        call([&] { begin(source, level); });
    }
    png_writer(const png_writer&) = delete;
    png_writer& operator=(const png_writer&) = delete;

    // The next rows, row_stride bytes apart.
    void write_rows(const void* rows, int32_t count) {
        call([&] {
            const auto* row = static_cast<const uint8_t*>(rows);
            for (int32_t y = 0; y < count; ++y, row += source_.row_stride)
                png_write_row(handle_.png, source_.palette == nullptr ? row : narrow(row, source_.width));
        });
    }

    // Behind the last row.
    void end() {
        call([&] { png_write_end(handle_.png, handle_.info); });
    }

 private:
    struct png_handle {
        png_structp png = nullptr;
        png_infop info = nullptr;
        ~png_handle() { png_destroy_write_struct(&png, &info); }
    };

    // Runs body, in which nothing may need a destructor: an error of libpng jumps out of it.
    template <class Body>
    void call(Body&& body) {
        if (setjmp(jump_) != 0) {
            if (out_of_memory_) throw std::bad_alloc();
            throw fail(ATROUS_INVALID_ARGUMENT, "the picture cannot be a PNG (%s)", message_);
        }
        body();
    }

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

    void begin(const png_source& source, int32_t level) {
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
    }

    // A row of labels as the bytes of the file.
    const uint8_t* narrow(const uint8_t* row, int32_t width) {
        const auto* labels = reinterpret_cast<const uint16_t*>(row);
        for (int32_t x = 0; x < width; ++x) indices_[x] = static_cast<uint8_t>(labels[x]);
        return indices_.data();
    }

    png_source source_;
    byte_sink& sink_;
    std::vector<uint8_t> indices_;
    bool out_of_memory_ = false;
    png_handle handle_;
    std::jmp_buf jump_;
    char message_[128] = "";
};

void encode_png(const png_source& source, int32_t level, byte_sink& sink) {
    png_writer writer(source, level, sink);
    writer.write_rows(source.pixels, source.height);
    writer.end();
}

png_label_writer::png_label_writer(int32_t height, int32_t width, const uint8_t* palette, int32_t colours,
                                   int32_t level)
    : height_(height), width_(width), colours_(palette == nullptr ? UINT16_MAX + 1 : colours) {
    const int64_t row = static_cast<int64_t>(width) * static_cast<int64_t>(sizeof(uint16_t));
    const bool grey = palette == nullptr;
    const png_source source{nullptr,       row,     height, width, grey ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_PALETTE,
                            grey ? 16 : 8, palette, colours};
    writer_ = std::make_unique<png_writer>(source, level, sink_);
}

png_label_writer::~png_label_writer() = default;

void png_label_writer::write_rows(const uint16_t* labels, int32_t count) {
    if (count < 0 || count > height_ - written_)
        throw fail(ATROUS_INVALID_ARGUMENT, "the picture has %d rows, and %d more were given", height_ - written_,
                   count);
    const int32_t highest =
        count == 0 ? 0 : *std::max_element(labels, labels + static_cast<size_t>(count) * static_cast<size_t>(width_));
    if (highest >= colours_)
        throw fail(ATROUS_INVALID_ARGUMENT, "label %d has no colour: the palette has %d", highest, colours_);
    writer_->write_rows(labels, count);
    written_ += count;
}

atrous_bytes png_label_writer::end() {
    if (written_ != height_)
        throw fail(ATROUS_INVALID_ARGUMENT, "%d of the picture's %d rows were given", written_, height_);
    writer_->end();
    return sink_.release();
}

}  // namespace atrous::imaging
