// Resize and argmax in one walk. A strip of argmax_pixels columns goes down the rows: two buffers hold the source rows
// of the strip, interpolated along x and stored class by class, so that many output rows share them and sixteen pixels
// are compared at once. The operation order is that of resize_bilinear, so the labels are those of resize, then argmax.
#include <float.h>

#include "kernels.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

constexpr int64_t pitch = argmax_pixels;  // floats from a class to the next in a buffer

// One source row, interpolated to the columns [first, first + count), as [class][pixel]. False where some are NaN or
// plus infinity: of their sum neither disappears.
bool interpolate_row(const resize_argmax_args& a, int64_t source_row, int64_t first, int64_t count, float* out) {
    const int64_t channels = a.logits.channels, stride = a.logits.pixel_stride;
    const float* in = elements<float>(a.logits) + source_row * a.logits.width * stride;
    vec sums = all(0.0f);
    float sum = 0.0f;
    for (int64_t x = 0; x < count; ++x) {
        const resize_tap& tap = a.columns[first + x];
        const float* low = in + tap.low * stride;
        const float* high = in + tap.high * stride;
        const bool flat = tap.high_weight == 0.0f;
        int64_t c = 0;
        for (; c + width <= channels; c += width) {
            float lanes[width];
            const vec values =
                flat ? load(low + c) : all(tap.low_weight) * load(low + c) + all(tap.high_weight) * load(high + c);
            sums = sums + values;
            store(lanes, values);
            for (int i = 0; i < width; ++i) out[(c + i) * pitch + x] = lanes[i];
        }
        float rest = 0.0f;
        for (; c < channels; ++c) {
            const float value = flat ? low[c] : tap.low_weight * low[c] + tap.high_weight * high[c];
            rest += out[c * pitch + x] = value;
        }
        sum += rest;
    }
    float lanes[width];
    store(lanes, sums);
    for (float lane : lanes) sum += lane;
    return sum <= FLT_MAX;
}

// The buffers of the source rows that were interpolated last.
struct row_cache {
    float* rows[2];
    int64_t held[2];

    // The row, unless held already, replaces the one that is not `other`.
    float* get(const resize_argmax_args& a, int64_t row, int64_t other, int64_t first, int64_t count) {
        for (int i = 0; i < 2; ++i)
            if (held[i] == row) return rows[i];
        const int place = held[0] == other ? 1 : 0;
        if (!interpolate_row(a, row, first, count, rows[place])) __atomic_store_n(a.not_finite, 1, __ATOMIC_RELAXED);
        held[place] = row;
        return rows[place];
    }
};

void decide(const resize_argmax_args& a, const float* upper, const float* lower, const resize_tap& tap, float* values,
            int64_t count, uint16_t* labels, float* confidence) {
    const int64_t channels = a.logits.channels;
    const vec h0 = all(tap.low_weight), h1 = all(tap.high_weight);
    const bool flat = tap.high_weight == 0.0f;
    for (int64_t x = 0; x < count; x += width) {
        const auto value = [&](int64_t c) {
            const vec top = load(upper + c * pitch + x);
            return flat ? top : h0 * top + h1 * load(lower + c * pitch + x);
        };
        vec best = value(0), label = all(0.0f);
        if (confidence != nullptr) store(values, best);
        for (int64_t c = 1; c < channels; ++c) {
            const vec next = value(c);
            const mask wins = greater(next, best);
            best = select(wins, next, best);
            label = select(wins, all(static_cast<float>(c)), label);
            if (confidence != nullptr) store(values + c * width, next);
        }
        const int64_t lanes = count - x < width ? count - x : width;
        float indices[width];
        store(indices, label);
        if (labels != nullptr)
            for (int64_t i = 0; i < lanes; ++i) labels[x + i] = static_cast<uint16_t>(indices[i]);
        if (confidence != nullptr) {
            vec sum = all(0.0f);
            for (int64_t c = 0; c < channels; ++c) sum = sum + exponential(load(values + c * width) - best);
            store_part(confidence + x, all(1.0f) / sum, lanes);
        }
    }
}

}  // namespace

void resize_argmax(const resize_argmax_args& a, int64_t begin, int64_t end, float* memory) {
    const int64_t buffer = pitch * a.logits.channels;
    // The last strip is narrower than its vectors: what those read beyond it must at least be numbers.
    for (int64_t i = 0; i < 3 * buffer; ++i) memory[i] = 0.0f;
    for (int64_t first = 0; first < a.width; first += argmax_pixels) {
        const int64_t count = a.width - first < argmax_pixels ? a.width - first : argmax_pixels;
        row_cache cache{{memory, memory + buffer}, {-1, -1}};
        for (int64_t row = begin; row < end; ++row) {
            const int64_t picture = row / a.height * a.logits.height;
            const resize_tap& tap = a.rows[row % a.height];
            const int64_t low = picture + tap.low, high = picture + (tap.high_weight == 0.0f ? tap.low : tap.high);
            const float* upper = cache.get(a, low, high, first, count);
            const float* lower = cache.get(a, high, low, first, count);
            const int64_t at = row * a.width + first;
            decide(a, upper, lower, tap, memory + 2 * buffer, count, a.labels == nullptr ? nullptr : a.labels + at,
                   a.confidence == nullptr ? nullptr : a.confidence + at);
        }
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
