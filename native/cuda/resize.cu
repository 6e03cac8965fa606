// Bilinear interpolation, into a slice of a concatenation or to full-size logits.
#include "sampling.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

template <class From, class To, int L>
ATROUS_FUNCTION void interpolate(const tensor& x, int32_t sampling, float row_scale, float column_scale,
                                 const tensor& y) {
    for_each_chunk<L>(y, [&](place p) {
        const resize_tap row = tap_of(sampling, row_scale, x.height, p.y);
        const resize_tap column = tap_of(sampling, column_scale, x.width, p.x);
        float a[L], b[L], c[L], d[L];
        load(pixel<From>(x, p.n, row.low, column.low) + p.c, a);
        load(pixel<From>(x, p.n, row.low, column.high) + p.c, b);
        load(pixel<From>(x, p.n, row.high, column.low) + p.c, c);
        load(pixel<From>(x, p.n, row.high, column.high) + p.c, d);
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) a[i] = mix(row, column, a[i], b[i], c[i], d[i]);
        store(pixel<To>(y, p.n, p.y, p.x) + p.c, a);
    });
}

template <class From, class To>
ATROUS_FUNCTION void resize(const tensor& x, int32_t sampling, float row_scale, float column_scale, const tensor& y) {
    constexpr int L = chunk<From, To>;
    if (y.channels % L == 0 && is_aligned<From>(x) && is_aligned<To>(y))
        interpolate<From, To, L>(x, sampling, row_scale, column_scale, y);
    else
        interpolate<From, To, 1>(x, sampling, row_scale, column_scale, y);
}

}  // namespace

// Grid: x covers the chunks of a row, y the rows of the batch.
#define ATROUS_PARAMETERS (tensor x, int32_t sampling, float row_scale, float column_scale, tensor y)
#define ATROUS_ARGUMENTS (x, sampling, row_scale, column_scale, y)
ATROUS_ENTRY_F32(resize_f32, block_size, ATROUS_PARAMETERS, (resize<float, float> ATROUS_ARGUMENTS))
ATROUS_ENTRY_F16(resize_f16, block_size, ATROUS_PARAMETERS, (resize<float16, float16> ATROUS_ARGUMENTS))
ATROUS_ENTRY_F16(resize_f16_f32, block_size, ATROUS_PARAMETERS, (resize<float16, float> ATROUS_ARGUMENTS))
ATROUS_ENTRY_BF16(resize_bf16, block_size, ATROUS_PARAMETERS, (resize<bfloat16, bfloat16> ATROUS_ARGUMENTS))
ATROUS_ENTRY_BF16(resize_bf16_f32, block_size, ATROUS_PARAMETERS, (resize<bfloat16, float> ATROUS_ARGUMENTS))

}  // namespace atrous::cuda
