// Concatenation along the channels in one launch, for ASPP: the branches side by side, an image pooling branch of 1x1
// broadcast (Chen et al. 2017, arXiv:1706.05587, fig. 5). For branches that could not be written in place.
#include "tensor.h"

namespace atrous::cuda {
namespace {

constexpr int most_parts = 6;

struct part_list {
    tensor parts[most_parts];
};

ATROUS_FUNCTION bool is_pixel(const tensor& x) {
    return x.height == 1 && x.width == 1;
}

template <class T, int L>
ATROUS_FUNCTION void join(const part_list& list, const tensor& y) {
    for_each_chunk<L>(y, [&](place p) {
        // The last part that starts at or before the channel. A part without channels never holds one. Field by field,
        // because a choice between whole parts would go through memory.
        const void* data = list.parts[0].data;
        int64_t stride = list.parts[0].pixel_stride;
        bool broadcast = is_pixel(list.parts[0]);
        int32_t first = 0, next = list.parts[0].channels;
        ATROUS_UNROLL
        for (int i = 1; i < most_parts; ++i) {
            const bool later = p.c >= next;
            data = later ? list.parts[i].data : data;
            stride = later ? list.parts[i].pixel_stride : stride;
            broadcast = later ? is_pixel(list.parts[i]) : broadcast;
            first = later ? next : first;
            next += list.parts[i].channels;
        }
        const int64_t row = static_cast<int64_t>(p.n) * y.height + p.y;
        const int64_t index = broadcast ? p.n : row * y.width + p.x;
        float values[L];
        load(static_cast<const T*>(data) + index * stride + p.c - first, values);
        store(pixel<T>(y, p.n, p.y, p.x) + p.c, values);
    });
}

template <class T>
ATROUS_FUNCTION void concat(const part_list& list, const tensor& y) {
    bool whole = is_aligned<T>(y);
    ATROUS_UNROLL
    for (int i = 0; i < most_parts; ++i)
        whole = whole && list.parts[i].channels % chunk<T> == 0 && is_aligned<T>(list.parts[i]);
    if (whole)
        join<T, chunk<T>>(list, y);
    else
        join<T, 1>(list, y);
}

}  // namespace

// y's channels are those of a, b, ... f in this order; a part that is not needed has null data and no channels.
// Grid: x covers the chunks of a row, y the rows of the batch.
ATROUS_ENTRIES(concat, block_size, (tensor a, tensor b, tensor c, tensor d, tensor e, tensor f, tensor y),
               (part_list{{a, b, c, d, e, f}}, y))

}  // namespace atrous::cuda
