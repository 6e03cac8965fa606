// NHWC views, their elements in chunks of 16 bytes, and the walk over them.
#ifndef ATROUS_CUDA_TENSOR_H
#define ATROUS_CUDA_TENSOR_H

#include "device.h"

namespace atrous::cuda {

// Element (n, y, x, c) is at data[((n * height + y) * width + x) * pixel_stride + c]: a slice of a wider tensor's
// channels is a pointer and a stride, as atrous_tensor in atrous.h. The element's type is the kernel's.
struct tensor {
    void* data;
    int64_t pixel_stride;  // elements from a pixel to the next; at least channels
    int32_t batch, height, width, channels;
};

template <class T>
ATROUS_FUNCTION T* pixel(const tensor& t, int32_t n, int32_t y, int32_t x) {
    const int64_t index = (static_cast<int64_t>(n) * t.height + y) * t.width + x;
    return static_cast<T*>(t.data) + index * t.pixel_stride;
}

// Elements that 16 bytes hold of the narrower of two types; of the wider one they are several times 16 bytes.
template <class T, class U = T>
constexpr int chunk = 16 / static_cast<int>(sizeof(T) < sizeof(U) ? sizeof(T) : sizeof(U));

// True where chunks of T may be read and written as 16-byte words.
template <class T>
ATROUS_FUNCTION bool is_aligned(const tensor& t) {
    return bits_of<uint64_t>(t.data) % 16 == 0 && t.pixel_stride * static_cast<int64_t>(sizeof(T)) % 16 == 0;
}

ATROUS_FUNCTION bool is_aligned(const float* p) {
    return bits_of<uint64_t>(p) % 16 == 0;
}

struct __attribute__((aligned(16), may_alias)) quad {
    uint32_t words[4];
};

// L elements as float. L is 1 or a chunk, then p is a multiple of 16 bytes.
template <int L, class T>
ATROUS_FUNCTION void load(const T* p, float (&values)[L]) {
    if constexpr (L == 1) {
        values[0] = to_float(*p);
    } else {
        constexpr int each = 16 / sizeof(T);
        ATROUS_UNROLL
        for (int i = 0; i < L / each; ++i) {
            const quad q = reinterpret_cast<const quad*>(p)[i];
            T elements[each];
            __builtin_memcpy(elements, &q, 16);
            ATROUS_UNROLL
            for (int j = 0; j < each; ++j) values[i * each + j] = to_float(elements[j]);
        }
    }
}

template <int L, class T>
ATROUS_FUNCTION void store(T* p, const float (&values)[L]) {
    if constexpr (L == 1) {
        *p = from_float<T>(values[0]);
    } else {
        constexpr int each = 16 / sizeof(T);
        ATROUS_UNROLL
        for (int i = 0; i < L / each; ++i) {
            T elements[each];
            ATROUS_UNROLL
            for (int j = 0; j < each; ++j) elements[j] = from_float<T>(values[i * each + j]);
            quad q;
            __builtin_memcpy(&q, elements, 16);
            reinterpret_cast<quad*>(p)[i] = q;
        }
    }
}

// body(channel, value) for the channels of a pixel, L at a time. L is 1 or a chunk, then in is a multiple of 16 bytes.
template <class T, int L, class Body>
ATROUS_FUNCTION void for_each_channel(const T* in, int32_t channels, Body body) {
    int32_t channel = 0;
    for (; channel + L <= channels; channel += L) {
        float values[L];
        load(in + channel, values);
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) body(channel + i, values[i]);
    }
    ATROUS_NO_UNROLL
    for (; channel < channels; ++channel) body(channel, to_float(in[channel]));
}

// body(row, item) for the rows of a batch and the items of a row. A block column covers items, a block row covers rows;
// both stride on where the grid is smaller. items is below 2^31, so that no sum here overflows.
template <class Body>
ATROUS_FUNCTION void for_each(uint32_t rows, uint32_t items, Body body) {
    for (uint32_t row = block_row(); row < rows; row += grid_rows()) {
        const uint32_t step = grid_columns() * block_threads();
        for (uint32_t item = block_column() * block_threads() + thread_index(); item < items; item += step)
            body(row, item);
    }
}

// A chunk of a pixel's channels of a tensor whose rows for_each walks.
struct place {
    int32_t n, y, x, c;
};

// body(place) for each chunk of L channels of y; y.channels is a multiple of L.
template <int L, class Body>
ATROUS_FUNCTION void for_each_chunk(const tensor& y, Body body) {
    const uint32_t chunks = static_cast<uint32_t>(y.channels) / L, height = static_cast<uint32_t>(y.height);
    for_each(static_cast<uint32_t>(y.batch) * height, static_cast<uint32_t>(y.width) * chunks,
             [&](uint32_t row, uint32_t item) {
                 const uint32_t x = item / chunks;
                 body(place{static_cast<int32_t>(row / height), static_cast<int32_t>(row % height),
                            static_cast<int32_t>(x), static_cast<int32_t>((item - x * chunks) * L)});
             });
}

}  // namespace atrous::cuda

#endif  // ATROUS_CUDA_TENSOR_H
