// From logits to the label of every pixel of the mask, and its softmax probability, without the resized logits ever
// being in memory: at 1024x2048 with 19 classes these are 159 MB. Of logits that are NaN or plus infinity, as those of
// a network that overflows float16, no label is right: a flag says that there are some.
#include "exponential.h"
#include "sampling.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

// body(channel, value) for the interpolated logits of one output pixel in their order.
template <class T, int L, class Body>
ATROUS_FUNCTION void for_each_score(const tensor& logits, int32_t n, const resize_tap& row, const resize_tap& column,
                                    Body body) {
    const T* corners[] = {pixel<T>(logits, n, row.low, column.low), pixel<T>(logits, n, row.low, column.high),
                          pixel<T>(logits, n, row.high, column.low), pixel<T>(logits, n, row.high, column.high)};
    int32_t channel = 0;
    for (; channel + L <= logits.channels; channel += L) {
        float a[L], b[L], c[L], d[L];
        load(corners[0] + channel, a);
        load(corners[1] + channel, b);
        load(corners[2] + channel, c);
        load(corners[3] + channel, d);
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) body(channel + i, mix(row, column, a[i], b[i], c[i], d[i]));
    }
    ATROUS_NO_UNROLL
    for (; channel < logits.channels; ++channel) {
        body(channel, mix(row, column, to_float(corners[0][channel]), to_float(corners[1][channel]),
                          to_float(corners[2][channel]), to_float(corners[3][channel])));
    }
}

constexpr float largest_float = 3.402823466e38f;

template <class T, int L>
ATROUS_FUNCTION void decide(const tensor& logits, int32_t sampling, float row_scale, float column_scale, int32_t height,
                            int32_t width, void* mask, int32_t wide, float* confidence, int32_t* not_finite) {
    const uint32_t rows = static_cast<uint32_t>(logits.batch) * static_cast<uint32_t>(height);
    for_each(rows, static_cast<uint32_t>(width), [&](uint32_t line, uint32_t x) {
        const int32_t n = static_cast<int32_t>(line) / height, y = static_cast<int32_t>(line) % height;
        const resize_tap row = tap_of(sampling, row_scale, logits.height, y);
        const resize_tap column = tap_of(sampling, column_scale, logits.width, static_cast<int32_t>(x));
        // The first of the largest; of the sum neither NaN nor infinity disappears.
        float best = 0.0f, all = 0.0f;
        int32_t label = 0;
        for_each_score<T, L>(logits, n, row, column, [&](int32_t channel, float value) {
            const bool wins = channel == 0 || value > best;
            best = wins ? value : best;
            label = wins ? channel : label;
            all += value;
        });
        if (!(all <= largest_float)) *not_finite = 1;
        const int64_t at = static_cast<int64_t>(line) * width + x;
        if (mask != nullptr && wide != 0) static_cast<uint16_t*>(mask)[at] = static_cast<uint16_t>(label);
        if (mask != nullptr && wide == 0) static_cast<uint8_t*>(mask)[at] = static_cast<uint8_t>(label);
        if (confidence != nullptr) {
            float sum = 0.0f;
            for_each_score<T, L>(logits, n, row, column,
                                 [&](int32_t, float value) { sum += exponential(value - best); });
            confidence[at] = 1.0f / sum;
        }
    });
}

template <class T>
ATROUS_FUNCTION void labels(const tensor& logits, int32_t sampling, float row_scale, float column_scale, int32_t height,
                            int32_t width, void* mask, int32_t wide, float* confidence, int32_t* not_finite) {
    if (is_aligned<T>(logits))
        decide<T, chunk<T>>(logits, sampling, row_scale, column_scale, height, width, mask, wide, confidence,
                            not_finite);
    else
        decide<T, 1>(logits, sampling, row_scale, column_scale, height, width, mask, wide, confidence, not_finite);
}

}  // namespace

// mask, confidence: [batch, height, width], each of them or null; the mask in 16 bits where it is wide, else bytes.
// not_finite: becomes 1 where a logit is NaN or plus infinity.
// Grid: x covers the pixels of a row, y the rows of the batch.
ATROUS_ENTRIES(labels, block_size,
               (tensor logits, int32_t sampling, float row_scale, float column_scale, int32_t height, int32_t width,
                void* mask, int32_t wide, float* confidence, int32_t* not_finite),
               (logits, sampling, row_scale, column_scale, height, width, mask, wide, confidence, not_finite))

}  // namespace atrous::cuda
