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

}  // namespace atrous::imaging

#endif  // ATROUS_IMAGING_CODECS_H
