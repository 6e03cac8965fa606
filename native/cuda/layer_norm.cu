// y = (x - mean) / sqrt(variance + epsilon) * scale[c] + shift[c], with the mean and variance of a pixel's channels or
// of a whole picture. Channels that pad become 0.
#include "tensor.h"

namespace atrous::cuda {
namespace {

struct moments {
    float mean, factor;
};

// The channels of one pixel, which have these moments.
template <class T, int L>
ATROUS_FUNCTION void write(const T* in, int32_t channels, moments m, const float* scale, const float* shift, T* out,
                           int32_t padded) {
    for_each_channel<T, L>(in, channels, [&](int32_t channel, float value) {
        out[channel] = from_float<T>(fused((value - m.mean) * m.factor, scale[channel], shift[channel]));
    });
    ATROUS_NO_UNROLL
    for (int32_t channel = channels; channel < padded; ++channel) out[channel] = from_float<T>(0.0f);
}

template <class T, int L>
ATROUS_FUNCTION void normalise_pixels(const tensor& x, const float* scale, const float* shift, float epsilon,
                                      const tensor& y) {
    const uint32_t height = static_cast<uint32_t>(y.height);
    for_each(
        static_cast<uint32_t>(y.batch) * height, static_cast<uint32_t>(y.width), [&](uint32_t row, uint32_t column) {
            const int32_t n = static_cast<int32_t>(row / height), line = static_cast<int32_t>(row % height);
            const T* in = pixel<T>(x, n, line, static_cast<int32_t>(column));
            const float count = static_cast<float>(x.channels);
            float sum = 0.0f, squares = 0.0f;
            // From one of the values, so that a mean far from 0 costs no bits.
            const float from = to_float(in[0]);
            for_each_channel<T, L>(in, x.channels, [&](int32_t, float value) { sum += value - from; });
            const float mean = from + sum / count;
            for_each_channel<T, L>(in, x.channels,
                                   [&](int32_t, float value) { squares = fused(value - mean, value - mean, squares); });
            const float factor = 1.0f / square_root(squares / count + epsilon);
            write<T, L>(in, x.channels, {mean, factor}, scale, shift,
                        pixel<T>(y, n, line, static_cast<int32_t>(column)), y.channels);
        });
}

template <class T>
ATROUS_FUNCTION void layer_norm(const tensor& x, const float* scale, const float* shift, float epsilon,
                                const tensor& y) {
    if (is_aligned<T>(x))
        normalise_pixels<T, chunk<T>>(x, scale, shift, epsilon, y);
    else
        normalise_pixels<T, 1>(x, scale, shift, epsilon, y);
}

constexpr int threads = 1024, groups = 32;

// The sum of what all threads stored, in the same order everywhere; the groups' sums are there already.
ATROUS_FUNCTION float total_of(const float* sums) {
    float total = 0.0f;
    for (int i = 0; i < groups; ++i) total += sums[i * (threads / groups)];
    return total;
}

// Each group of threads' numbers into its first one's place, which no other thread reads.
ATROUS_FUNCTION void sum_groups(float* sums, int32_t thread) {
    if (thread >= groups) return;
    float* group = sums + thread * (threads / groups);
    float total = group[0];
    for (int i = 1; i < threads / groups; ++i) total += group[i];
    group[0] = total;
}

template <class T, int L>
ATROUS_FUNCTION void normalise_picture(const tensor& x, const float* scale, const float* shift, float epsilon,
                                       const tensor& y, float* sums, float* squares) {
    const int32_t thread = static_cast<int32_t>(thread_index()), n = static_cast<int32_t>(block_row());
    const int32_t pixels = x.height * x.width;
    const float count = static_cast<float>(static_cast<int64_t>(pixels) * x.channels);
    if (in_phase(0)) {
        float sum = 0.0f;
        for (int32_t p = thread; p < pixels; p += threads) {
            float part = 0.0f;
            for_each_channel<T, L>(pixel<T>(x, n, 0, p), x.channels, [&](int32_t, float value) { part += value; });
            sum += part;
        }
        sums[thread] = sum;
    }
    barrier();
    if (in_phase(1)) sum_groups(sums, thread);
    barrier();
    if (in_phase(2)) {
        const float mean = total_of(sums) / count;
        float sum = 0.0f;
        for (int32_t p = thread; p < pixels; p += threads) {
            float part = 0.0f;
            for_each_channel<T, L>(pixel<T>(x, n, 0, p), x.channels,
                                   [&](int32_t, float value) { part = fused(value - mean, value - mean, part); });
            sum += part;
        }
        squares[thread] = sum;
    }
    barrier();
    if (in_phase(3)) sum_groups(squares, thread);
    barrier();
    if (in_phase(4)) {
        const float mean = total_of(sums) / count;
        const float factor = 1.0f / square_root(total_of(squares) / count + epsilon);
        for (int32_t p = thread; p < pixels; p += threads) {
            write<T, L>(pixel<T>(x, n, 0, p), x.channels, {mean, factor}, scale, shift, pixel<T>(y, n, 0, p),
                        y.channels);
        }
    }
}

template <class T>
ATROUS_FUNCTION void picture_norm(const tensor& x, const float* scale, const float* shift, float epsilon,
                                  const tensor& y) {
    ATROUS_SHARED float sums[threads];
    ATROUS_SHARED float squares[threads];
    if (is_aligned<T>(x))
        normalise_picture<T, chunk<T>>(x, scale, shift, epsilon, y, sums, squares);
    else
        normalise_picture<T, 1>(x, scale, shift, epsilon, y, sums, squares);
}

}  // namespace

// scale, shift: [channel] of x. Grid: x covers the pixels of a row, y the rows of the batch.
ATROUS_ENTRIES(layer_norm, block_size, (tensor x, const float* scale, const float* shift, float epsilon, tensor y),
               (x, scale, shift, epsilon, y))

// Block: 1024 threads, which walk a picture. Grid: x = 1, y = batch.
ATROUS_ENTRIES(picture_norm, threads, (tensor x, const float* scale, const float* shift, float epsilon, tensor y),
               (x, scale, shift, epsilon, y))

}  // namespace atrous::cuda
