// The sum of each channel's squares over a picture.
#include "kernels.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {

void sum_squares(const sum_squares_args& a, int64_t begin, int64_t end, float*) {
    // Sums of sums: one alone loses a bit whenever the number of pixels doubles.
    constexpr int64_t run = 256;
    const int64_t channels = a.input.channels, blocks = (channels + squares_channels - 1) / squares_channels;
    const int64_t pixels = int64_t{a.input.height} * a.input.width;
    for (int64_t item = begin; item < end; ++item) {
        const int64_t n = item / blocks, first = item % blocks * squares_channels;
        const int64_t last = first + squares_channels < channels ? first + squares_channels : channels;
        const float* picture = elements<float>(a.input) + n * pixels * a.input.pixel_stride;
        for (int64_t c = first; c < last; c += width) {
            const int64_t lanes = last - c < width ? last - c : width;
            vec total = all(0.0f);
            for (int64_t p = 0; p < pixels;) {
                const int64_t stop = p + run < pixels ? p + run : pixels;
                vec part = all(0.0f);
                for (; p < stop; ++p) {
                    const float* in = picture + p * a.input.pixel_stride + c;
                    const vec x = lanes == width ? load(in) : load_part(in, lanes);
                    part = multiply_add(x, x, part);
                }
                total = total + part;
            }
            store_part(a.sums + n * channels + c, total, lanes);
        }
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
