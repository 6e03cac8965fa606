// softmax(x)_i = exp(x_i - max) / sum_j exp(x_j - max) along the channels of a pixel, or among slices of them; the
// probabilities are float32.
#include "exponential.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

template <class T, int L>
ATROUS_FUNCTION void normalise(const tensor& x, const tensor& y) {
    const uint32_t height = static_cast<uint32_t>(y.height);
    for_each(
        static_cast<uint32_t>(y.batch) * height, static_cast<uint32_t>(y.width), [&](uint32_t row, uint32_t column) {
            const int32_t n = static_cast<int32_t>(row / height), line = static_cast<int32_t>(row % height);
            const T* in = pixel<T>(x, n, line, static_cast<int32_t>(column));
            float* out = pixel<float>(y, n, line, static_cast<int32_t>(column));
            float best = to_float(in[0]), sum = 0.0f;
            for_each_channel<T, L>(in, x.channels, [&](int32_t, float value) { best = value > best ? value : best; });
            for_each_channel<T, L>(in, x.channels, [&](int32_t, float value) { sum += exponential(value - best); });
            for_each_channel<T, L>(
                in, x.channels, [&](int32_t channel, float value) { out[channel] = exponential(value - best) / sum; });
        });
}

template <class T>
ATROUS_FUNCTION void softmax(const tensor& x, const tensor& y) {
    if (is_aligned<T>(x))
        normalise<T, chunk<T>>(x, y);
    else
        normalise<T, 1>(x, y);
}

template <class T>
ATROUS_FUNCTION void slice_softmax(const tensor& x, int32_t slices, const tensor& y) {
    const uint32_t height = static_cast<uint32_t>(y.height), step = static_cast<uint32_t>(x.channels / slices);
    for_each(static_cast<uint32_t>(y.batch) * height, static_cast<uint32_t>(y.width) * step,
             [&](uint32_t row, uint32_t item) {
                 const int32_t n = static_cast<int32_t>(row / height), line = static_cast<int32_t>(row % height);
                 const int32_t column = static_cast<int32_t>(item / step), channel = static_cast<int32_t>(item % step);
                 const T* in = pixel<T>(x, n, line, column) + channel;
                 float* out = pixel<float>(y, n, line, column) + channel;
                 float best = to_float(in[0]), sum = 0.0f;
                 ATROUS_NO_UNROLL
                 for (int32_t s = 1; s < slices; ++s) {
                     const float value = to_float(in[static_cast<int64_t>(s) * step]);
                     best = value > best ? value : best;
                 }
                 ATROUS_NO_UNROLL
                 for (int32_t s = 0; s < slices; ++s) {
                     sum += exponential(to_float(in[static_cast<int64_t>(s) * step]) - best);
                 }
                 ATROUS_NO_UNROLL
                 for (int32_t s = 0; s < slices; ++s) {
                     const int64_t at = static_cast<int64_t>(s) * step;
                     out[at] = exponential(to_float(in[at]) - best) / sum;
                 }
             });
}

}  // namespace

// y is float32 whatever x is; y may be x in softmax_f32.
// Grid: x covers the pixels of a row, y the rows of the batch.
ATROUS_ENTRIES(softmax, block_size, (tensor x, tensor y), (x, y))

// Among slices of x's channels, for each channel of a slice by itself; as above.
// Grid: x covers the channels of a slice of the pixels of a row, y the rows of the batch.
ATROUS_ENTRIES(slice_softmax, block_size, (tensor x, int32_t slices, tensor y), (x, slices, y))

}  // namespace atrous::cuda
