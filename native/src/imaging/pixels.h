// Pictures between two steps.
#ifndef ATROUS_IMAGING_PIXELS_H
#define ATROUS_IMAGING_PIXELS_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include "atrous.h"

namespace atrous::imaging {

// height * width * channels bytes, rows packed.
struct picture {
    std::unique_ptr<uint8_t[]> pixels;
    int32_t height, width, channels;

    // Uninitialised pixels. Throws std::bad_alloc.
    picture(int32_t height, int32_t width, int32_t channels)
        : pixels(new uint8_t[static_cast<size_t>(height) * static_cast<size_t>(width) * static_cast<size_t>(channels)]),
          height(height),
          width(width),
          channels(channels) {}
};

// Bytes from a row of a caller's picture to the next.
inline int64_t row_bytes(const atrous_image& image) {
    return image.row_stride != 0 ? image.row_stride : static_cast<int64_t>(image.width) * image.channels;
}

}  // namespace atrous::imaging

#endif  // ATROUS_IMAGING_PIXELS_H
