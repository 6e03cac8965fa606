// y = activation(a op b): residuals, squeeze-and-excite gates, and, with a b of one pixel per picture, the bias that
// image pooling adds to ASPP's projection.
#include "activation.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

// The numbers of BinaryKind.
enum binary_kind : int32_t { binary_add = 0, binary_multiply = 1, binary_maximum = 2 };

ATROUS_FUNCTION float combine(float a, float b, int32_t op) {
    if (op == binary_add) return a + b;
    if (op == binary_multiply) return a * b;
    return b > a || b != b ? b : a;
}

template <class T, int L>
ATROUS_FUNCTION void combine(int32_t op, const tensor& a, const tensor& b, int32_t kind, float slope, const tensor& y) {
    const bool broadcast = b.height != a.height || b.width != a.width;
    for_each_chunk<L>(y, [&](place p) {
        float values[L], others[L];
        load(pixel<T>(a, p.n, p.y, p.x) + p.c, values);
        load(pixel<T>(b, p.n, broadcast ? 0 : p.y, broadcast ? 0 : p.x) + p.c, others);
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) values[i] = combine(values[i], others[i], op);
        activate(values, kind, slope);
        store(pixel<T>(y, p.n, p.y, p.x) + p.c, values);
    });
}

template <class T>
ATROUS_FUNCTION void binary(int32_t op, const tensor& a, const tensor& b, int32_t kind, float slope, const tensor& y) {
    if (y.channels % chunk<T> == 0 && is_aligned<T>(a) && is_aligned<T>(b) && is_aligned<T>(y))
        combine<T, chunk<T>>(op, a, b, kind, slope, y);
    else
        combine<T, 1>(op, a, b, kind, slope, y);
}

}  // namespace

// b has a's size, or is 1x1 and the same for every pixel of its picture. y may be a or b (where it is not broadcast).
// Grid: x covers the chunks of a row, y the rows of the batch.
ATROUS_ENTRIES(binary, block_size, (int32_t op, tensor a, tensor b, int32_t activation, float slope, tensor y),
               (op, a, b, activation, slope, y))

}  // namespace atrous::cuda
