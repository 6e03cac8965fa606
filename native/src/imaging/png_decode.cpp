#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "imaging/codecs.h"
#include "imaging/orientation.h"
#include "imaging/png_chunks.h"
#include "status.h"

namespace atrous::imaging {
namespace {

constexpr size_t signature_size = 8;

// What is wanted of a file: colours of 8 bits, the numbers that stand in it, or only what the header says of the
// colours.
enum class content { colours, labels, header };

}  // namespace

// libpng knows no exceptions: its errors jump back to call(), which throws once libpng's frames are gone.
class png_reader {
 public:
    // Checks the size that the header claims before libpng sees the file.
    png_reader(bytes_view file, int64_t max_pixels, content wanted = content::colours) : file_(file), chunks_(file) {
        check_header(max_pixels);
        handle_.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
        if (handle_.png != nullptr) handle_.info = png_create_info_struct(handle_.png);
        if (handle_.info == nullptr) throw std::bad_alloc();
        call([&] {
            png_set_read_fn(handle_.png, this, on_read);
            png_set_user_limits(handle_.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
            png_set_crc_action(handle_.png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
            // Only what makes the pixels is wanted; everything else (text, profiles) is skipped unread, so that nothing
            // compressed in it is ever unpacked.
            png_set_keep_unknown_chunks(handle_.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
            png_read_info(handle_.png, handle_.info);
        });
        // From here on libpng holds two rows, however long a row the header claims.
        if (wanted == content::header) return;
        if (wanted == content::labels) check_has_labels();
        call([&] {
            if (wanted == content::labels) {
                png_set_packing(handle_.png);  // a byte for each number of less bits
                png_set_swap(handle_.png);     // the low byte of 16 bits first
            } else {
                png_set_strip_16(handle_.png);
                png_set_expand(handle_.png);
            }
            passes_ = png_set_interlace_handling(handle_.png);
            png_read_update_info(handle_.png, handle_.info);
        });
    }
    png_reader(const png_reader&) = delete;
    png_reader& operator=(const png_reader&) = delete;

    int32_t height() const { return static_cast<int32_t>(png_get_image_height(handle_.png, handle_.info)); }
    int32_t width() const { return static_cast<int32_t>(png_get_image_width(handle_.png, handle_.info)); }
    // Bytes of a pixel.
    int32_t channels() const {
        return png_get_channels(handle_.png, handle_.info) * (png_get_bit_depth(handle_.png, handle_.info) / 8);
    }

    // Bytes of a pixel of content::colours, from the header alone.
    int32_t channels_of_colours() const {
        const int type = png_get_color_type(handle_.png, handle_.info);
        const bool alpha =
            (type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(handle_.png, handle_.info, PNG_INFO_tRNS) != 0;
        return ((type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1) + (alpha ? 1 : 0);
    }

    picture decode() {
        picture result(height(), width(), channels());
        if (png_get_rowbytes(handle_.png, handle_.info) != result.row_size())
            throw fail(ATROUS_INTERNAL, "libpng's rows are not what its header says");
        for (int pass = 0; pass < passes_; ++pass) read_rows(result.row(0), result.height);
        end();
        result.lacks_end = lacks_end();
        return result;
    }

    // The next rows, packed.
    void read_rows(uint8_t* pixels, int32_t count) {
        const size_t row_size = png_get_rowbytes(handle_.png, handle_.info);
        call([&] {
            for (int32_t y = 0; y < count; ++y)
                png_read_row(handle_.png, pixels + static_cast<size_t>(y) * row_size, nullptr);
        });
    }

    // The checksums of what follows the last row.
    void end() {
        call([&] { png_read_end(handle_.png, nullptr); });
    }

    bool lacks_end() const { return end_at_ > 0; }
    bool is_interlaced() const { return passes_ > 1; }

    int orientation() const { return chunks_.orientation(); }

 private:
    struct png_handle {
        png_structp png = nullptr;
        png_infop info = nullptr;
        ~png_handle() { png_destroy_read_struct(&png, &info, nullptr); }
    };

    static png_reader& owner(png_structp png) { return *static_cast<png_reader*>(png_get_error_ptr(png)); }

    [[noreturn]] static void on_error(png_structp png, png_const_charp reason) {
        png_reader& self = owner(png);
        if (self.end_at_ > 0) {  // it still wanted pixels
            std::snprintf(self.message_, sizeof(self.message_), "%s", cut_off);
        } else if (!self.ended_early_) {
            std::snprintf(self.message_, sizeof(self.message_), "the PNG is broken (%s); use a sound copy of the file",
                          reason);
        }
        std::longjmp(self.jump_, 1);
    }

    static void on_warning(png_structp, png_const_charp) {}

    static constexpr const char* cut_off = "the PNG ends early; send the whole file";

    static void on_read(png_structp png, png_bytep destination, size_t size) {
        png_reader& self = owner(png);
        const size_t left = self.chunks_.whole_size() - self.at_;
        if (left == 0 && self.chunks_.lacks_only_end() && size <= sizeof(png_end_chunk) - self.end_at_) {
            std::memcpy(destination, png_end_chunk + self.end_at_, size);
            self.end_at_ += size;
            return;
        }
        if (size > left) {
            std::snprintf(self.message_, sizeof(self.message_), "%s", cut_off);
            self.ended_early_ = true;
            png_error(png, "ends early");
        }
        std::memcpy(destination, self.file_.data + self.at_, size);
        self.at_ += size;
    }

    // Runs body, in which nothing may need a destructor: an error of libpng jumps out of it.
    template <class Body>
    void call(Body&& body) {
        if (setjmp(jump_) != 0) throw fail(ATROUS_BAD_IMAGE, "%s", message_);
        body();
    }

    void check_has_labels() const {
        const int type = png_get_color_type(handle_.png, handle_.info);
        if (type != PNG_COLOR_TYPE_PALETTE && type != PNG_COLOR_TYPE_GRAY)
            throw fail(ATROUS_BAD_IMAGE,
                       "the PNG holds %s, a label map one class per pixel; save it as palette or grey PNG",
                       type == PNG_COLOR_TYPE_GRAY_ALPHA ? "grey and alpha" : "colours");
    }

    void check_header(int64_t max_pixels) const {
        constexpr size_t header_end = signature_size + 8 + 13;
        if (file_.size < header_end) throw fail(ATROUS_BAD_IMAGE, "%s", cut_off);
        const uint8_t* chunk = file_.data + signature_size;
        if (std::memcmp(chunk, "\0\0\0\rIHDR", 8) != 0)
            throw fail(ATROUS_BAD_IMAGE,
                       "the PNG is broken (it does not begin with its header); use a sound copy of the file");
        const int64_t width = png_get_uint_32(chunk + 8), height = png_get_uint_32(chunk + 12);
        if (width > INT32_MAX || height > INT32_MAX)
            throw fail(ATROUS_BAD_IMAGE, "the PNG is broken (its sides are impossible); use a sound copy of the file");
        check_pixel_count(height, width, max_pixels);
    }

    bytes_view file_;
    png_chunks chunks_;
    size_t at_ = 0;
    // Bytes of the end mark that libpng got where the file stops behind its pixels, so that it checks all there is.
    size_t end_at_ = 0;
    int passes_ = 1;
    bool ended_early_ = false;
    png_handle handle_;
    std::jmp_buf jump_;
    char message_[256] = "";
};

bool is_png(bytes_view file) {
    return file.size >= signature_size && png_sig_cmp(file.data, 0, signature_size) == 0;
}

atrous_image_info probe_png(bytes_view file) {
    const png_reader reader(file, INT64_MAX, content::header);
    const bool turned = swaps_sides(reader.orientation());
    return {turned ? reader.width() : reader.height(), turned ? reader.height() : reader.width(),
            reader.channels_of_colours(), format_png};
}

picture decode_png(bytes_view file, int64_t max_pixels) {
    png_reader reader(file, max_pixels);
    return upright(reader.decode(), reader.orientation());
}

picture decode_png_labels(bytes_view file, int64_t max_pixels) {
    png_reader reader(file, max_pixels, content::labels);
    return upright(reader.decode(), reader.orientation());
}

png_row_reader::png_row_reader(bytes_view file, int64_t max_pixels) {
    // libpng takes memory for two rows before it reads the first.
    constexpr uint32_t most_width = 100000;
    constexpr size_t width_at = signature_size + 8;
    if (file.size >= width_at + 4 && png_get_uint_32(file.data + width_at) > most_width)
        throw fail(ATROUS_BAD_IMAGE, "a row of the picture has more than %u pixels; cut the picture up", most_width);
    reader_ = std::make_unique<png_reader>(file, max_pixels);
    if (reader_->is_interlaced())
        throw fail(ATROUS_BAD_IMAGE, "an interlaced PNG cannot be read row by row; save it without interlacing");
    if (reader_->orientation() != 1)
        throw fail(ATROUS_BAD_IMAGE, "a PNG that EXIF turns cannot be read row by row; save it upright");
}

png_row_reader::~png_row_reader() = default;

atrous_image_info png_row_reader::info() const {
    return {reader_->height(), reader_->width(), reader_->channels(), format_png};
}

void png_row_reader::read_rows(uint8_t* pixels, int32_t count) {
    if (count < 0 || count > reader_->height() - read_)
        throw fail(ATROUS_INVALID_ARGUMENT, "the picture has %d more rows, not %d", reader_->height() - read_, count);
    reader_->read_rows(pixels, count);
    read_ += count;
    if (read_ == reader_->height()) reader_->end();
}

bool png_row_reader::lacks_end() const {
    return reader_->lacks_end();
}

}  // namespace atrous::imaging
