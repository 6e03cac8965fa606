// y = activation(x * scale[c] + shift[c]): a batch norm that was not folded away, or an activation alone.
#include "activation.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

template <class T, int L>
ATROUS_FUNCTION void transform(const tensor& x, const float* scale, const float* shift, int32_t kind, float slope,
                               const tensor& y) {
    for_each_chunk<L>(y, [&](place p) {
        float values[L], factors[L];
        load(pixel<T>(x, p.n, p.y, p.x) + p.c, values);
        if (scale != nullptr) {
            load(scale + p.c, factors);
            ATROUS_UNROLL
            for (int i = 0; i < L; ++i) values[i] *= factors[i];
        }
        if (shift != nullptr) {
            load(shift + p.c, factors);
            ATROUS_UNROLL
            for (int i = 0; i < L; ++i) values[i] += factors[i];
        }
        activate(values, kind, slope);
        store(pixel<T>(y, p.n, p.y, p.x) + p.c, values);
    });
}

template <class T>
ATROUS_FUNCTION void affine(const tensor& x, const float* scale, const float* shift, int32_t kind, float slope,
                            const tensor& y) {
    const bool whole =
        y.channels % chunk<T> == 0 && is_aligned<T>(x) && is_aligned<T>(y) && is_aligned(scale) && is_aligned(shift);
    if (whole)
        transform<T, chunk<T>>(x, scale, shift, kind, slope, y);
    else
        transform<T, 1>(x, scale, shift, kind, slope, y);
}

}  // namespace

// scale, shift: [channel], or null for 1 and 0. y may be x.
// Grid: x covers the chunks of a row, y the rows of the batch.
ATROUS_ENTRIES(affine, block_size,
               (tensor x, const float* scale, const float* shift, int32_t activation, float slope, tensor y),
               (x, scale, shift, activation, slope, y))

}  // namespace atrous::cuda
