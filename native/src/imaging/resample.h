// The taps of Pillow's antialiased resize (Resample.c): which input cells each output cell is the weighted sum of.
#ifndef ATROUS_IMAGING_RESAMPLE_H
#define ATROUS_IMAGING_RESAMPLE_H

#include <cstdint>
#include <vector>

namespace atrous::imaging {

// Weights are fixed-point numbers with this many bits after the point: 8 bits of pixel, 2 of headroom for the negative
// lobes of the cubic, and the rest of 32.
constexpr int weight_bits = 32 - 8 - 2;

struct taps {
    struct span {
        int32_t first, count;
    };
    std::vector<span> spans;       // one per output cell
    std::vector<int32_t> weights;  // stride per output cell
    int32_t stride = 0;

    const int32_t* of(int64_t cell) const { return weights.data() + cell * stride; }
};

// The triangle (support 1) or the cubic with a = -0.5 (support 2), widened by the scale where it shrinks.
taps bilinear_taps(int32_t in_size, int32_t out_size);
taps bicubic_taps(int32_t in_size, int32_t out_size);

// The two neighbours of the cell's centre whatever the scale; weights with plain_weight_bits bits after the point.
constexpr int plain_weight_bits = 11;
taps plain_bilinear_taps(int32_t in_size, int32_t out_size);

}  // namespace atrous::imaging

#endif  // ATROUS_IMAGING_RESAMPLE_H
