// Separable self-attention: y = max(v, 0) * sum of softmax(scores) * k over the pixels at the same place of their
// patches. Channels that pad become 0.
#include "exponential.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

constexpr int columns = 32, runners = block_size / columns;  // of a block: channels, and threads that share a channel

template <class T>
ATROUS_FUNCTION void linear_attention(const tensor& scores, const tensor& keys, const tensor& values, int32_t patch,
                                      const tensor& y) {
    ATROUS_SHARED float maxima[block_size];
    ATROUS_SHARED float sums[block_size];
    ATROUS_SHARED float contexts[block_size];
    const int32_t thread = static_cast<int32_t>(thread_index()), n = static_cast<int32_t>(block_row());
    const int32_t groups = (y.channels + columns - 1) / columns, block = static_cast<int32_t>(block_column());
    const int32_t place = block / groups, top = place / patch, left = place % patch;
    const int32_t width = y.width / patch, count = y.height / patch * width;
    const int32_t channel = block % groups * columns + thread % columns, runner = thread / columns;
    const auto at = [&](const tensor& t, int32_t i) {
        return pixel<T>(t, n, i / width * patch + top, i % width * patch + left);
    };
    const auto best_of_all = [&] {
        float best = maxima[0];
        for (int i = 1; i < block_size; ++i) best = maxima[i] > best ? maxima[i] : best;
        return best;
    };
    if (in_phase(0)) {
        float best = -__builtin_inff();
        for (int32_t i = thread; i < count; i += block_size) {
            const float score = to_float(*at(scores, i));
            best = score > best ? score : best;
        }
        maxima[thread] = best;
    }
    barrier();
    if (in_phase(1)) {
        const float best = best_of_all();
        float sum = 0.0f, context = 0.0f;
        for (int32_t i = thread; i < count; i += block_size) sum += exponential(to_float(*at(scores, i)) - best);
        if (channel < keys.channels) {
            for (int32_t i = runner; i < count; i += runners) {
                const float weight = exponential(to_float(*at(scores, i)) - best);
                context = fused(weight, to_float(at(keys, i)[channel]), context);
            }
        }
        sums[thread] = sum;
        contexts[thread] = context;
    }
    barrier();
    if (in_phase(2) && channel < y.channels) {
        float sum = 0.0f, context = 0.0f;
        for (int i = 0; i < block_size; ++i) sum += sums[i];
        for (int i = 0; i < runners; ++i) context += contexts[i * columns + thread % columns];
        context /= sum;
        for (int32_t i = runner; i < count; i += runners) {
            float result = 0.0f;
            if (channel < values.channels) {
                const float value = to_float(at(values, i)[channel]);
                result = (value < 0.0f ? 0.0f : value) * context;
            }
            at(y, i)[channel] = from_float<T>(result);
        }
    }
}

}  // namespace

// scores has one channel; keys and values have as many as y without those that pad.
// Grid: x = places of a patch times groups of 32 channels of y, a block each; y = batch.
ATROUS_ENTRIES(linear_attention, block_size, (tensor scores, tensor keys, tensor values, int32_t patch, tensor y),
               (scores, keys, values, patch, y))

}  // namespace atrous::cuda
