// Bilinear interpolation in the operation order of PyTorch's upsample_bilinear2d:
//     value = h0 * (w0 * p00 + w1 * p01) + h1 * (w0 * p10 + w1 * p11)
#include "kernels.h"
#include "simd_bytes.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

template <class T>
void interpolate(const resize_args& a, int64_t begin, int64_t end) {
    const int64_t channels = a.input.channels, whole = channels / width * width, rest = channels - whole;
    for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / a.output.height, y = row % a.output.height;
        const resize_tap& tap = a.rows[y];
        const int64_t in_row = a.input.width * a.input.pixel_stride;
        const T* upper = elements<T>(a.input) + (n * a.input.height + tap.low) * in_row;
        const T* lower = elements<T>(a.input) + (n * a.input.height + tap.high) * in_row;
        const vec h0 = all(tap.low_weight), h1 = all(tap.high_weight);
        T* out = elements<T>(a.output) + row * a.output.width * a.output.pixel_stride;
        for (int64_t x = 0; x < a.output.width; ++x, out += a.output.pixel_stride) {
            const resize_tap& column = a.columns[x];
            const T* p00 = upper + column.low * a.input.pixel_stride;
            const T* p01 = upper + column.high * a.input.pixel_stride;
            const T* p10 = lower + column.low * a.input.pixel_stride;
            const T* p11 = lower + column.high * a.input.pixel_stride;
            const vec w0 = all(column.low_weight), w1 = all(column.high_weight);
            const auto mix = [&](vec a00, vec a01, vec a10, vec a11) {
                return h0 * (w0 * a00 + w1 * a01) + h1 * (w0 * a10 + w1 * a11);
            };
            for (int64_t c = 0; c < whole; c += width)
                store(out + c, mix(load(p00 + c), load(p01 + c), load(p10 + c), load(p11 + c)));
            if (rest > 0) {
                store_part(out + whole,
                           mix(load_part(p00 + whole, rest), load_part(p01 + whole, rest), load_part(p10 + whole, rest),
                               load_part(p11 + whole, rest)),
                           rest);
            }
        }
    }
}

}  // namespace

void resize_bilinear(const resize_args& a, int64_t begin, int64_t end, float*) {
    switch (a.input.type) {
        case ATROUS_FLOAT32:
            return interpolate<float>(a, begin, end);
        case ATROUS_BFLOAT16:
            return interpolate<bf16>(a, begin, end);
        default:
            return interpolate<uint8_t>(a, begin, end);
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
