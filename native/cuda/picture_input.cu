// From the bytes of a picture to the network's input, with the bits of the CPU's way (imaging/normalize.cpp).
#include "tensor.h"

namespace atrous::cuda {
namespace {

// How one channel of the input is made.
struct channel_map {
    float mean, std, fill;  // fill: the byte value around the picture
    int32_t source;         // channel of the picture
};

// A scale that is the float nearest to 1 / 255 (or 1 / 127.5) means that division, as in normalize.cpp.
ATROUS_FUNCTION float normalised(float value, float scale, const channel_map& map) {
    const float divisor = static_cast<float>(static_cast<int32_t>(2.0f / scale + 0.5f)) / 2.0f;
    const float scaled = 1.0f / divisor == scale ? value / divisor : value * scale;
    return (scaled - map.mean) / map.std;
}

template <class T, int L>
ATROUS_FUNCTION void normalise(const uint8_t* picture, int32_t height, int32_t width, int32_t picture_channels,
                               int32_t top, int32_t left, float scale, const channel_map* maps, int32_t channels,
                               const tensor& y) {
    for_each_chunk<L>(y, [&](place p) {
        const int32_t row = p.y - top, column = p.x - left;
        const bool inside = row >= 0 && row < height && column >= 0 && column < width;
        const uint8_t* from =
            picture + ((static_cast<int64_t>(p.n) * height + row) * width + column) * picture_channels;
        float values[L];
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) {
            values[i] = 0.0f;
            if (p.c + i >= channels) continue;
            const channel_map map = maps[p.c + i];
            values[i] = normalised(inside ? static_cast<float>(from[map.source]) : map.fill, scale, map);
        }
        store(pixel<T>(y, p.n, p.y, p.x) + p.c, values);
    });
}

template <class T>
ATROUS_FUNCTION void picture_input(const uint8_t* picture, int32_t height, int32_t width, int32_t picture_channels,
                                   int32_t top, int32_t left, float scale, const channel_map* maps, int32_t channels,
                                   const tensor& y) {
    if (y.channels % chunk<T> == 0 && is_aligned<T>(y))
        normalise<T, chunk<T>>(picture, height, width, picture_channels, top, left, scale, maps, channels, y);
    else
        normalise<T, 1>(picture, height, width, picture_channels, top, left, scale, maps, channels, y);
}

}  // namespace

// The network's input: channel c is (picture[maps[c].source] * scale - mean) / std where the picture lies, its top left
// pixel at (top, left); maps[c].fill instead of a pixel around it; 0 in the channels that pad.
// picture: [y.batch][height][width][picture_channels]; maps: [channels]; y.channels at least channels.
// Grid: x covers the chunks of a row, y the rows of the batch.
ATROUS_ENTRIES(picture_input, block_size,
               (const uint8_t* picture, int32_t height, int32_t width, int32_t picture_channels, int32_t top,
                int32_t left, float scale, const void* maps, int32_t channels, tensor y),
               (picture, height, width, picture_channels, top, left, scale, static_cast<const channel_map*>(maps),
                channels, y))

}  // namespace atrous::cuda
