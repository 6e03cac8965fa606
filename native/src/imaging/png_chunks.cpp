#include "imaging/png_chunks.h"

#include <png.h>

#include <cstring>

#include "imaging/orientation.h"

namespace atrous::imaging {

const uint8_t png_end_chunk[12] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};

png_chunks::png_chunks(bytes_view file) : file_(file) {
    constexpr size_t signature = 8, head = 8, checksum = 4;
    for (size_t at = signature; at < file.size && !end_;) {
        const size_t left = file.size - at;
        const uint8_t* chunk = file.data + at;
        // A part of the end mark is no more than none. Of a chunk whose name is cut off too nobody knows whether it had
        // pixels; libpng tells whether a row is missing.
        const bool begins_end = left < sizeof(png_end_chunk) && std::memcmp(chunk, png_end_chunk, left) == 0;
        if (left < head || begins_end) break;
        const size_t size = png_get_uint_32(chunk);
        const bool whole = left - head >= checksum && size <= left - head - checksum;
        if (std::memcmp(chunk + 4, "IDAT", 4) == 0) {
            pixels_ = true;
            broken_pixels_ = broken_pixels_ || !whole;
        }
        if (!whole) {
            // What a name in small letters begins is no pixel's. Everything else is damage, not a file cut off.
            constexpr uint8_t small_letter = 0x20;
            broken_pixels_ = broken_pixels_ || (chunk[4] & small_letter) == 0;
            break;
        }
        if (std::memcmp(chunk + 4, "IEND", 4) == 0) end_ = true;
        if (std::memcmp(chunk + 4, "eXIf", 4) == 0) orientation_ = tiff_orientation(exif_tiff({chunk + head, size}));
        at += head + size + checksum;
        whole_size_ = at;
    }
}

}  // namespace atrous::imaging
