#include "imaging/pixels.h"

#include <algorithm>
#include <cinttypes>
#include <new>
#include <utility>

#include "status.h"

namespace atrous::imaging {

picture::picture(int32_t height, int32_t width, int32_t channels) : height(height), width(width), channels(channels) {
    size_t size;
    if (__builtin_mul_overflow(row_size(), static_cast<size_t>(height), &size)) throw std::bad_alloc();
    pixels.reset(static_cast<uint8_t*>(std::malloc(std::max<size_t>(size, 1))));
    if (pixels == nullptr) throw std::bad_alloc();
}

bool byte_sink::reserve(size_t more) noexcept {
    size_t needed;
    if (__builtin_add_overflow(size, more, &needed)) return false;
    if (needed <= capacity) return true;
    const size_t grown = std::max(needed, capacity + capacity / 2);
    auto* moved = static_cast<uint8_t*>(std::realloc(data, grown));
    if (moved == nullptr) return false;
    data = moved;
    capacity = grown;
    return true;
}

atrous_bytes byte_sink::release() noexcept {
    capacity = 0;
    return {std::exchange(data, nullptr), std::exchange(size, 0)};
}

void check_pixel_count(int64_t height, int64_t width, int64_t max_pixels) {
    // The sides fit 31 bits, so the product fits 63.
    if (height * width > max_pixels) {
        throw fail(ATROUS_TOO_LARGE,
                   "the picture has %" PRId64 " x %" PRId64 " pixels, more than the limit of %" PRId64
                   "; scale it down or raise the limit",
                   width, height, max_pixels);
    }
}

}  // namespace atrous::imaging
