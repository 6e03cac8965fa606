// Maximum and mean over a window. Cells outside the picture never win and do not count.
#include "tensor.h"

namespace atrous::cuda {
namespace {

struct window {
    int32_t height, width, stride, top, left;
};

struct maximum {
    static ATROUS_FUNCTION float start() { return -__builtin_inff(); }
    // A NaN stays.
    static ATROUS_FUNCTION float next(float best, float x) { return x > best || x != x ? x : best; }
    static ATROUS_FUNCTION float finish(float best, float) { return best; }
};

struct mean {
    static ATROUS_FUNCTION float start() { return 0.0f; }
    static ATROUS_FUNCTION float next(float sum, float x) { return sum + x; }
    static ATROUS_FUNCTION float finish(float sum, float cells) { return sum / cells; }
};

template <class Pool, class T, int L>
ATROUS_FUNCTION void walk(const tensor& x, const window& at, const tensor& y) {
    for_each_chunk<L>(y, [&](place p) {
        const int32_t top = p.y * at.stride - at.top, left = p.x * at.stride - at.left;
        const int32_t first_y = top < 0 ? 0 : top, last_y = top + at.height < x.height ? top + at.height : x.height;
        const int32_t first_x = left < 0 ? 0 : left, last_x = left + at.width < x.width ? left + at.width : x.width;
        float results[L], values[L];
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) results[i] = Pool::start();
        ATROUS_NO_UNROLL
        for (int32_t in_y = first_y; in_y < last_y; ++in_y) {
            const T* in = pixel<T>(x, p.n, in_y, first_x) + p.c;
            ATROUS_NO_UNROLL
            for (int32_t in_x = first_x; in_x < last_x; ++in_x, in += x.pixel_stride) {
                load(in, values);
                ATROUS_UNROLL
                for (int i = 0; i < L; ++i) results[i] = Pool::next(results[i], values[i]);
            }
        }
        const float cells = static_cast<float>((last_y - first_y) * (last_x - first_x));
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) results[i] = Pool::finish(results[i], cells);
        store(pixel<T>(y, p.n, p.y, p.x) + p.c, results);
    });
}

template <class Pool, class T>
ATROUS_FUNCTION void pool(const tensor& x, const window& at, const tensor& y) {
    if (y.channels % chunk<T> == 0 && is_aligned<T>(x) && is_aligned<T>(y))
        walk<Pool, T, chunk<T>>(x, at, y);
    else
        walk<Pool, T, 1>(x, at, y);
}

template <class T>
ATROUS_FUNCTION void max_pool(const tensor& x, const window& at, const tensor& y) {
    pool<maximum, T>(x, at, y);
}

template <class T>
ATROUS_FUNCTION void average_pool(const tensor& x, const window& at, const tensor& y) {
    pool<mean, T>(x, at, y);
}

}  // namespace

// y's size ends the walk, rounded up or not; every window touches the picture.
// Grid: x covers the chunks of a row, y the rows of the batch.
ATROUS_ENTRIES(max_pool, block_size,
               (tensor x, int32_t height, int32_t width, int32_t stride, int32_t top, int32_t left, tensor y),
               (x, window{height, width, stride, top, left}, y))
ATROUS_ENTRIES(average_pool, block_size,
               (tensor x, int32_t height, int32_t width, int32_t stride, int32_t top, int32_t left, tensor y),
               (x, window{height, width, stride, top, left}, y))

}  // namespace atrous::cuda
