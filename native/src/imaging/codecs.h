// What each file format offers. Failures are thrown: BAD_IMAGE for bytes that are not a whole, sound picture, TOO_LARGE
// before anything of the picture's size is allocated.
#ifndef ATROUS_IMAGING_CODECS_H
#define ATROUS_IMAGING_CODECS_H

#include "imaging/pixels.h"

namespace atrous::imaging {

enum file_format : int32_t { format_jpeg = 1, format_png = 2 };

bool is_jpeg(bytes_view file);
atrous_image_info probe_jpeg(bytes_view file);
picture decode_jpeg(bytes_view file, int64_t max_pixels);
void encode_jpeg(const atrous_image& image, int32_t quality, byte_sink& sink);

bool is_png(bytes_view file);
atrous_image_info probe_png(bytes_view file);
picture decode_png(bytes_view file, int64_t max_pixels);
picture decode_png_labels(bytes_view file, int64_t max_pixels);

// What the PNG writer needs to know of its picture: uint8_t, or uint16_t where it has 16 bits or a palette.
struct png_source {
    const void* pixels;
    int64_t row_stride;  // bytes
    int32_t height, width;
    int32_t colour_type, bit_depth;    // as libpng names them
    const uint8_t* palette = nullptr;  // RGB triples
    int32_t colours = 0;
};

void encode_png(const png_source& source, int32_t level, byte_sink& sink);

// A PNG that is too large to be held: its rows one after the other. Neither interlaced nor turned.
class png_reader;
class png_row_reader {
 public:
    // The bytes stay the caller's until the reader is gone.
    png_row_reader(bytes_view file, int64_t max_pixels);
    ~png_row_reader();
    atrous_image_info info() const;
    // The next rows. After the last it reads the file to its end, as decode_png does.
    void read_rows(uint8_t* pixels, int32_t count);
    bool lacks_end() const;

 private:
    std::unique_ptr<png_reader> reader_;
    int32_t read_ = 0;
};

// A label map's PNG from rows that come one after the other.
class png_writer;
class png_label_writer {
 public:
    // palette: colours * 3 bytes, or null for 16-bit grey; it may go once this returns.
    png_label_writer(int32_t height, int32_t width, const uint8_t* palette, int32_t colours, int32_t level);
    ~png_label_writer();
    void write_rows(const uint16_t* labels, int32_t count);
    atrous_bytes end();

 private:
    byte_sink sink_;
    std::unique_ptr<png_writer> writer_;
    int32_t height_, width_, colours_, written_ = 0;
};

}  // namespace atrous::imaging

#endif  // ATROUS_IMAGING_CODECS_H
