// Where a bilinear resize reads: the arithmetic of fill_resize_taps in resize_taps.cpp.
#ifndef ATROUS_CUDA_SAMPLING_H
#define ATROUS_CUDA_SAMPLING_H

#include "device.h"

namespace atrous::cuda {

// The numbers of Sampling.
enum sampling_grid : int32_t { sampling_half_pixel = 0, sampling_align_corners = 1, sampling_asymmetric = 2 };

struct resize_tap {
    int32_t low, high;
    float low_weight, high_weight;
};

// scale: input pixels per output pixel, as the caller made it from the sizes (ResizeScale in KernelLaunches.cs).
ATROUS_FUNCTION resize_tap tap_of(int32_t sampling, float scale, int32_t size, int32_t out) {
    double source = static_cast<double>(scale) * out;
    if (sampling == sampling_half_pixel) {
        source = scale * (out + 0.5) - 0.5;
        source = source < 0.0 ? 0.0 : source;
    }
    if (sampling == sampling_asymmetric) source = static_cast<float>(source);
    const int32_t low = source < size - 1 ? static_cast<int32_t>(source) : size - 1;
    const float share = static_cast<float>(source - low);
    const float high_weight = share > 1.0f ? 1.0f : share;
    return {low, low + 1 < size ? low + 1 : size - 1, 1.0f - high_weight, high_weight};
}

// In the operation order of PyTorch's upsample_bilinear2d.
ATROUS_FUNCTION float mix(const resize_tap& row, const resize_tap& column, float a, float b, float c, float d) {
    return row.low_weight * (column.low_weight * a + column.high_weight * b) +
           row.high_weight * (column.low_weight * c + column.high_weight * d);
}

}  // namespace atrous::cuda

#endif  // ATROUS_CUDA_SAMPLING_H
