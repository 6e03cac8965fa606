// The memory that pictures and encoded files live in: malloc's, so that it can be handed over the C ABI.
#ifndef ATROUS_IMAGING_PIXELS_H
#define ATROUS_IMAGING_PIXELS_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "atrous.h"

namespace atrous::imaging {

struct bytes_view {
    const uint8_t* data;
    size_t size;
};

struct free_memory {
    void operator()(void* memory) const { std::free(memory); }
};

// A picture on its way to the caller: height * width * channels bytes, rows packed.
struct picture {
    std::unique_ptr<uint8_t[], free_memory> pixels;
    int32_t height, width, channels;
    // The file stops before its end mark, behind the last pixel.
    bool lacks_end = false;

    // Uninitialised pixels. Throws std::bad_alloc.
    picture(int32_t height, int32_t width, int32_t channels);

    size_t row_size() const { return static_cast<size_t>(width) * static_cast<size_t>(channels); }
    uint8_t* row(int64_t y) { return pixels.get() + static_cast<size_t>(y) * row_size(); }
    const uint8_t* row(int64_t y) const { return pixels.get() + static_cast<size_t>(y) * row_size(); }
};

// Bytes from a row of a caller's picture to the next.
inline int64_t row_bytes(const atrous_image& image) {
    return image.row_stride != 0 ? image.row_stride : static_cast<int64_t>(image.width) * image.channels;
}

// The growing output of an encoder. Nothing in it throws, and a longjmp over its use leaks nothing.
struct byte_sink {
    uint8_t* data = nullptr;
    size_t size = 0, capacity = 0;

    byte_sink() = default;
    byte_sink(const byte_sink&) = delete;
    byte_sink& operator=(const byte_sink&) = delete;
    ~byte_sink() { std::free(data); }

    // Makes room for `more` bytes after `size`. False when there is no memory; what was written stays.
    [[nodiscard]] bool reserve(size_t more) noexcept;
    // Hands the bytes to the caller.
    atrous_bytes release() noexcept;
};

// Throws ATROUS_TOO_LARGE when the picture has more than max_pixels. Called before anything is allocated.
void check_pixel_count(int64_t height, int64_t width, int64_t max_pixels);

}  // namespace atrous::imaging

#endif  // ATROUS_IMAGING_PIXELS_H
