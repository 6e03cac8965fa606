// Copies that change the place, the type or the number of channels: into a slice of a concatenation, out of a window,
// from one pixel to all, to the precision of the network and back, with zeros in the channels that pad.
#include "tensor.h"

namespace atrous::cuda {
namespace {

// The place that one beyond a picture of so many mirrors.
ATROUS_FUNCTION int32_t mirrored(int32_t i, int32_t size) {
    return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
}

template <class From, class To, int L>
ATROUS_FUNCTION void move(const tensor& x, int32_t top, int32_t left, const tensor& y) {
    const bool broadcast = x.height == 1 && x.width == 1;
    for_each_chunk<L>(y, [&](place p) {
        float values[L];
        if (p.c < x.channels) {
            load(pixel<From>(x, p.n, broadcast ? 0 : mirrored(p.y + top, x.height),
                             broadcast ? 0 : mirrored(p.x + left, x.width)) +
                     p.c,
                 values);
        } else {
            ATROUS_UNROLL
            for (int i = 0; i < L; ++i) values[i] = 0.0f;
        }
        store(pixel<To>(y, p.n, p.y, p.x) + p.c, values);
    });
}

template <class From, class To>
ATROUS_FUNCTION void copy(const tensor& x, int32_t top, int32_t left, const tensor& y) {
    constexpr int L = chunk<From, To>;
    if (x.channels % L == 0 && y.channels % L == 0 && is_aligned<From>(x) && is_aligned<To>(y))
        move<From, To, L>(x, top, left, y);
    else
        move<From, To, 1>(x, top, left, y);
}

}  // namespace

// y's pixel (i, j) is x's (i + top, j + left), mirrored at x's borders, or x's only pixel. y's channels beyond x's
// become 0.
// Grid: x covers the chunks of a row, y the rows of the batch.
#define ATROUS_PARAMETERS (tensor x, int32_t top, int32_t left, tensor y)
ATROUS_ENTRY_F32(copy_f32, block_size, ATROUS_PARAMETERS, (copy<float, float>(x, top, left, y)))
ATROUS_ENTRY_F16(copy_f16, block_size, ATROUS_PARAMETERS, (copy<float16, float16>(x, top, left, y)))
ATROUS_ENTRY_F16(copy_f32_f16, block_size, ATROUS_PARAMETERS, (copy<float, float16>(x, top, left, y)))
ATROUS_ENTRY_F16(copy_f16_f32, block_size, ATROUS_PARAMETERS, (copy<float16, float>(x, top, left, y)))
ATROUS_ENTRY_BF16(copy_bf16, block_size, ATROUS_PARAMETERS, (copy<bfloat16, bfloat16>(x, top, left, y)))
ATROUS_ENTRY_BF16(copy_f32_bf16, block_size, ATROUS_PARAMETERS, (copy<float, bfloat16>(x, top, left, y)))
ATROUS_ENTRY_BF16(copy_bf16_f32, block_size, ATROUS_PARAMETERS, (copy<bfloat16, float>(x, top, left, y)))

}  // namespace atrous::cuda
