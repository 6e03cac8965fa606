// Layer norm: y = (x - mean) / sqrt(variance + epsilon) * scale[c] + shift[c], over a pixel's channels or a whole
// picture. Mean first, then the distances from it: a sum of squares alone would cancel.
#include <math.h>

#include "kernels.h"
#include "simd_bfloat16.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// The sum of x - from.
float sum(const float* x, int64_t count, float from) {
    const int64_t whole = count / width * width;
    vec total = all(0.0f);
    for (int64_t i = 0; i < whole; i += width) total = total + (load(x + i) - all(from));
    float result = sum_of_lanes(total);
    for (int64_t i = whole; i < count; ++i) result += x[i] - from;
    return result;
}

float sum_of_squares(const float* x, int64_t count, float mean) {
    const int64_t whole = count / width * width;
    vec total = all(0.0f);
    for (int64_t i = 0; i < whole; i += width) {
        const vec distance = load(x + i) - all(mean);
        total = multiply_add(distance, distance, total);
    }
    float result = sum_of_lanes(total);
    for (int64_t i = whole; i < count; ++i) result += (x[i] - mean) * (x[i] - mean);
    return result;
}

template <class Out>
void normalise(const layer_norm_args& a, int64_t begin, int64_t end) {
    const int64_t channels = a.input.channels, picture = int64_t{a.input.height} * a.input.width;
    for (int64_t p = begin; p < end; ++p) {
        const float* in = elements<float>(a.input) + p * a.input.pixel_stride;
        Out* out = elements<Out>(a.output) + p * a.output.pixel_stride;
        float mean, variance;
        if (a.moments != nullptr) {
            mean = a.moments[p / picture * 2];
            variance = a.moments[p / picture * 2 + 1];
        } else {
            // From one of the values, so that a mean far from 0 costs no bits.
            mean = in[0] + sum(in, channels, in[0]) / static_cast<float>(channels);
            variance = sum_of_squares(in, channels, mean) / static_cast<float>(channels);
        }
        const vec middle = all(mean), factor = all(1.0f / sqrtf(variance + a.epsilon));
        int64_t c = 0;
        for (; c + width <= channels; c += width) {
            const vec x = (load(in + c) - middle) * factor;
            store(out + c, multiply_add(x, load(a.scale + c), load(a.shift + c)));
        }
        if (c < channels) {
            const int64_t rest = channels - c;
            const vec x = (load_part(in + c, rest) - middle) * factor;
            store_part(out + c, multiply_add(x, load_part(a.scale + c, rest), load_part(a.shift + c, rest)), rest);
        }
    }
}

}  // namespace

void row_moments(const row_moments_args& a, int64_t begin, int64_t end, float*) {
    const int64_t channels = a.input.channels, pixels = a.input.width;
    for (int64_t row = begin; row < end; ++row) {
        const float* in = elements<float>(a.input) + row * pixels * a.input.pixel_stride;
        double total = 0, squares = 0;
        for (int64_t x = 0; x < pixels; ++x) total += sum(in + x * a.input.pixel_stride, channels, 0.0f);
        const double mean = total / static_cast<double>(pixels * channels);
        for (int64_t x = 0; x < pixels; ++x)
            squares += sum_of_squares(in + x * a.input.pixel_stride, channels, static_cast<float>(mean));
        a.moments[row * 2] = mean;
        a.moments[row * 2 + 1] = squares;
    }
}

void layer_norm(const layer_norm_args& a, int64_t begin, int64_t end, float*) {
    a.output.type == ATROUS_FLOAT32 ? normalise<float>(a, begin, end) : normalise<bf16>(a, begin, end);
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
