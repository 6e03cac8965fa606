// softmax(x)_i = exp(x_i - max) / sum_j exp(x_j - max) along the channels of a pixel; the probabilities are float32.
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

}  // namespace

// y is float32 whatever x is; y may be x in softmax_f32.
// Grid: x covers the pixels of a row, y the rows of the batch.
ATROUS_ENTRIES(softmax, block_size, (tensor x, tensor y), (x, y))

}  // namespace atrous::cuda
