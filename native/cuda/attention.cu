// Scaled dot-product attention between pixels: y = softmax(scale * q k^T) v for each head, over the pixels at the same
// place of their patches. The softmax is summed as the keys come by (Milakov and Gimelshein 2018, arXiv:1805.02867), so
// that no score is stored. Channels that pad become 0.
#include "exponential.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

constexpr int group = 32;  // channels of a head that one thread sums

template <class T>
ATROUS_FUNCTION void attention(const tensor& queries, const tensor& keys, const tensor& values, int32_t heads,
                               float scale, int32_t patch, const tensor& y) {
    const uint32_t height = static_cast<uint32_t>(y.height), depth = static_cast<uint32_t>(queries.channels / heads);
    const uint32_t groups = (depth + group - 1) / group, parts = groups * static_cast<uint32_t>(heads);
    for_each(static_cast<uint32_t>(y.batch) * height, static_cast<uint32_t>(y.width) * parts,
             [&](uint32_t row, uint32_t item) {
                 const int32_t n = static_cast<int32_t>(row / height), line = static_cast<int32_t>(row % height);
                 const int32_t x = static_cast<int32_t>(item / parts);
                 const uint32_t head = item % parts / groups, first = item % groups * group;
                 const int32_t channel = static_cast<int32_t>(head * depth);
                 const int32_t count = static_cast<int32_t>(depth - first < group ? depth - first : group);
                 const T* query = pixel<T>(queries, n, line, x) + channel;
                 float best = -__builtin_inff(), sum = 0.0f, totals[group];
                 ATROUS_UNROLL
                 for (int i = 0; i < group; ++i) totals[i] = 0.0f;
                 ATROUS_NO_UNROLL
                 for (int32_t at_y = line % patch; at_y < keys.height; at_y += patch) {
                     ATROUS_NO_UNROLL
                     for (int32_t at_x = x % patch; at_x < keys.width; at_x += patch) {
                         const T* key = pixel<T>(keys, n, at_y, at_x) + channel;
                         float score = 0.0f;
                         for (uint32_t c = 0; c < depth; ++c)
                             score = fused(to_float(query[c]), to_float(key[c]), score);
                         score *= scale;
                         if (score > best) {
                             const float less = exponential(best - score);
                             sum *= less;
                             ATROUS_UNROLL
                             for (int i = 0; i < group; ++i) totals[i] *= less;
                             best = score;
                         }
                         const float weight = exponential(score - best);
                         sum += weight;
                         const T* value = pixel<T>(values, n, at_y, at_x) + channel + first;
                         ATROUS_UNROLL
                         for (int i = 0; i < group; ++i)
                             if (i < count) totals[i] = fused(weight, to_float(value[i]), totals[i]);
                     }
                 }
                 T* out = pixel<T>(y, n, line, x);
                 ATROUS_UNROLL
                 for (int i = 0; i < group; ++i)
                     if (i < count) out[channel + static_cast<int32_t>(first) + i] = from_float<T>(totals[i] / sum);
                 if (item % parts != parts - 1) return;
                 ATROUS_NO_UNROLL
                 for (int32_t c = queries.channels; c < y.channels; ++c) out[c] = from_float<T>(0.0f);
             });
}

}  // namespace

// The three inputs have as many channels, which heads divides.
// Grid: x covers the 32-channel parts of the heads of a row's pixels, y the rows of the batch.
ATROUS_ENTRIES(attention, block_size,
               (tensor queries, tensor keys, tensor values, int32_t heads, float scale, int32_t patch, tensor y),
               (queries, keys, values, heads, scale, patch, y))

}  // namespace atrous::cuda
