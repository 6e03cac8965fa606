#include "imaging/orientation.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace atrous::imaging {
namespace {

constexpr int upright_orientation = 1;

// Reads a TIFF structure's integers in its own byte order; callers keep within size.
struct tiff_reader {
    bytes_view tiff;
    bool big_endian;

    uint32_t u16(size_t at) const {
        const uint32_t a = tiff.data[at], b = tiff.data[at + 1];
        return big_endian ? a << 8 | b : b << 8 | a;
    }
    uint32_t u32(size_t at) const {
        const uint32_t a = u16(at), b = u16(at + 2);
        return big_endian ? a << 16 | b : b << 16 | a;
    }
};

template <int Channels>
void permute(const picture& from, picture& to, ptrdiff_t origin, ptrdiff_t step_y, ptrdiff_t step_x) {
    // Square tiles keep both the rows that are read and the rows that are written in the cache.
    constexpr int32_t tile = 64;
    for (int32_t top = 0; top < to.height; top += tile) {
        for (int32_t left = 0; left < to.width; left += tile) {
            const int32_t bottom = std::min(top + tile, to.height), right = std::min(left + tile, to.width);
            for (int32_t y = top; y < bottom; ++y) {
                const uint8_t* in = from.pixels.get() + origin + y * step_y + left * step_x;
                uint8_t* out = to.row(y) + static_cast<ptrdiff_t>(left) * Channels;
                for (int32_t x = left; x < right; ++x, in += step_x, out += Channels)
                    for (int c = 0; c < Channels; ++c) out[c] = in[c];
            }
        }
    }
}

}  // namespace

bytes_view exif_tiff(bytes_view exif) {
    constexpr size_t signature = 6;
    if (exif.size < signature || std::memcmp(exif.data, "Exif\0\0", signature) != 0) return exif;
    return {exif.data + signature, exif.size - signature};
}

int tiff_orientation(bytes_view tiff) {
    constexpr size_t header = 8, entry_size = 12;
    if (tiff.size < header) return upright_orientation;
    const bool big_endian = tiff.data[0] == 'M';
    if (std::memcmp(tiff.data, big_endian ? "MM\0*" : "II*\0", 4) != 0) return upright_orientation;
    const tiff_reader read{tiff, big_endian};

    const size_t directory = read.u32(4);
    if (directory > tiff.size - 2 || directory < header) return upright_orientation;
    const size_t entries = read.u16(directory);
    for (size_t i = 0; i < entries; ++i) {
        const size_t entry = directory + 2 + i * entry_size;
        if (entry + entry_size > tiff.size) break;
        if (read.u16(entry) != 0x0112) continue;
        // A short by the standard; cameras and programs also write it as a long, or with a sign.
        constexpr uint32_t type_short = 3, type_long = 4, type_signed_short = 8, type_signed_long = 9;
        const uint32_t type = read.u16(entry + 2), count = read.u32(entry + 4);
        const bool is_long = type == type_long || type == type_signed_long;
        const uint32_t value = is_long ? read.u32(entry + 8) : read.u16(entry + 8);
        const bool whole = is_long || type == type_short || type == type_signed_short;
        return whole && count == 1 && value >= 1 && value <= 8 ? static_cast<int>(value) : upright_orientation;
    }
    return upright_orientation;
}

picture upright(picture stored, int orientation) {
    if (orientation == upright_orientation) return stored;
    const bool sideways = swaps_sides(orientation);
    picture result(sideways ? stored.width : stored.height, sideways ? stored.height : stored.width, stored.channels);

    // Where the result's first pixel was stored, and what one step down or right in the result means there:
    // 2 mirrored, 3 turned by half, 4 upside down, 5 transposed, 6 to be turned clockwise, 7 transposed the other way,
    // 8 to be turned anticlockwise.
    const ptrdiff_t pixel = stored.channels, row = static_cast<ptrdiff_t>(stored.row_size());
    const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const ptrdiff_t origin =
        (from_right ? (stored.width - 1) * pixel : 0) + (from_bottom ? (stored.height - 1) * row : 0);
    const ptrdiff_t along_x = from_right ? -pixel : pixel, along_y = from_bottom ? -row : row;
    const ptrdiff_t step_y = sideways ? along_x : along_y, step_x = sideways ? along_y : along_x;
    constexpr decltype(&permute<1>) by_channels[] = {permute<1>, permute<2>, permute<3>, permute<4>};
    by_channels[stored.channels - 1](stored, result, origin, step_y, step_x);
    result.lacks_end = stored.lacks_end;
    return result;
}

}  // namespace atrous::imaging
