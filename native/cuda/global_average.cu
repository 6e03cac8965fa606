// The mean of every channel over the whole picture: ASPP's image pooling, squeeze and excite; or the square root of the
// sum of its squares, which global response normalisation divides by.
#include "tensor.h"

namespace atrous::cuda {
namespace {

// A block sums the pixels of a few chunks of one picture: each thread every so manieth pixel, then the threads' sums
// are added up in shared memory.
constexpr int chunks_of_block = 4, runners = 256, groups = 32;
constexpr int threads = chunks_of_block * runners;

template <class T, bool Whole, bool Squares>
ATROUS_FUNCTION void gather(const tensor& x, const tensor& y, float* sums) {
    constexpr int L = chunk<T>, columns = chunks_of_block * L;
    const int32_t thread = static_cast<int32_t>(thread_index()), n = static_cast<int32_t>(block_row());
    const int32_t first = static_cast<int32_t>(block_column()) * columns;
    const int64_t pixels = static_cast<int64_t>(x.height) * x.width;

    if (in_phase(0)) {
        const int32_t runner = thread / chunks_of_block, column = thread % chunks_of_block * L;
        const int32_t rest = x.channels - first - column;
        float totals[L], values[L];
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) totals[i] = 0.0f;
        if (rest > 0) {
            const T* in = pixel<T>(x, n, 0, 0) + first + column;
            for (int64_t p = runner; p < pixels; p += runners) {
                const T* at = in + p * x.pixel_stride;
                if constexpr (Whole) {
                    load(at, values);
                } else {
                    ATROUS_UNROLL
                    for (int i = 0; i < L; ++i) values[i] = i < rest ? to_float(at[i]) : 0.0f;
                }
                ATROUS_UNROLL
                for (int i = 0; i < L; ++i)
                    totals[i] = Squares ? fused(values[i], values[i], totals[i]) : totals[i] + values[i];
            }
        }
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) sums[runner * columns + column + i] = totals[i];
    }
    barrier();
    if (in_phase(1)) {
        // Each group of runners into its first one's place, which no other thread reads.
        for (int32_t t = thread; t < groups * columns; t += threads) {
            float* group = sums + t / columns * (runners / groups) * columns + t % columns;
            float total = group[0];
            ATROUS_UNROLL
            for (int i = 1; i < runners / groups; ++i) total += group[i * columns];
            group[0] = total;
        }
    }
    barrier();
    if (in_phase(2) && thread < columns && first + thread < x.channels) {
        float total = 0.0f;
        for (int i = 0; i < groups; ++i) total += sums[i * (runners / groups) * columns + thread];
        if constexpr (Squares)
            *(pixel<float>(y, n, 0, 0) + first + thread) = square_root(total);
        else
            *(pixel<T>(y, n, 0, 0) + first + thread) = from_float<T>(total / static_cast<float>(pixels));
    }
}

template <class T, bool Squares>
ATROUS_FUNCTION void gather(const tensor& x, const tensor& y) {
    ATROUS_SHARED float sums[runners * chunks_of_block * chunk<T>];
    if (x.channels % chunk<T> == 0 && is_aligned<T>(x))
        gather<T, true, Squares>(x, y, sums);
    else
        gather<T, false, Squares>(x, y, sums);
}

template <class T>
ATROUS_FUNCTION void global_average(const tensor& x, const tensor& y) {
    gather<T, false>(x, y);
}

template <class T>
ATROUS_FUNCTION void global_norm(const tensor& x, const tensor& y) {
    gather<T, true>(x, y);
}

}  // namespace

// Block: 1024 threads. Grid: x covers the chunks, 4 of them a block; y = batch.
ATROUS_ENTRIES(global_average, threads, (tensor x, tensor y), (x, y))

// As above; y is float32 whatever x is.
ATROUS_ENTRIES(global_norm, threads, (tensor x, tensor y), (x, y))

}  // namespace atrous::cuda
