// The pointwise functions of Graph/Activation.cs; a NaN comes out as NaN.
#ifndef ATROUS_CUDA_ACTIVATION_H
#define ATROUS_CUDA_ACTIVATION_H

#include "exponential.h"

namespace atrous::cuda {

// The numbers of ActivationKind.
enum activation_kind : int32_t {
    activation_none = 0,
    activation_relu = 1,
    activation_relu6 = 2,
    activation_leaky_relu = 3,
    activation_hard_swish = 4,
    activation_hard_sigmoid = 5,
    activation_sigmoid = 6,
    activation_silu = 7,
    activation_gelu = 8,
};

ATROUS_FUNCTION float relu6(float x) {
    return x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x;
}

// As native/src/activation.h has it: erfc by Abramowitz and Stegun 1964, formula 7.1.26.
ATROUS_FUNCTION float gelu(float x) {
    const float size = x < 0.0f ? -x : x, bounded = size > 32.0f ? 32.0f : size, z = bounded * 0.70710678118654752f;
    const float t = 1.0f / fused(z, 0.3275911f, 1.0f);
    float p = 1.061405429f;
    p = fused(p, t, -1.453152027f);
    p = fused(p, t, 1.421413741f);
    p = fused(p, t, -0.284496736f);
    p = fused(p, t, 0.254829592f);
    return (x < 0.0f ? 0.0f : x) - 0.5f * bounded * (p * t * exponential(-z * z));
}

ATROUS_FUNCTION float activate(float x, int32_t kind, float slope) {
    switch (kind) {
        case activation_relu:
            return x < 0.0f ? 0.0f : x;
        case activation_relu6:
            return relu6(x);
        case activation_leaky_relu:
            return x < 0.0f ? slope * x : x;
        case activation_hard_swish:
            return x * relu6(x + 3.0f) / 6.0f;
        case activation_hard_sigmoid:
            return relu6(x + 3.0f) / 6.0f;
        case activation_sigmoid:
            return 1.0f / (1.0f + exponential(-x));
        case activation_silu:
            return x / (1.0f + exponential(-x));
        case activation_gelu:
            return gelu(x);
        default:
            return x;
    }
}

// All elements of a chunk; the kind is the same everywhere, so no thread waits for another's branch.
template <int L>
ATROUS_FUNCTION void activate(float (&values)[L], int32_t kind, float slope) {
    if (kind == activation_none) return;
    if (kind == activation_relu) {
        ATROUS_UNROLL
        for (int i = 0; i < L; ++i) values[i] = values[i] < 0.0f ? 0.0f : values[i];
        return;
    }
    // The code of the others stands once: the elements rotate through the first register, because registers have no
    // index.
    ATROUS_NO_UNROLL
    for (int turn = 0; turn < L; ++turn) {
        const float result = activate(values[0], kind, slope);
        ATROUS_UNROLL
        for (int i = 1; i < L; ++i) values[i - 1] = values[i];
        values[L - 1] = result;
    }
}

}  // namespace atrous::cuda

#endif  // ATROUS_CUDA_ACTIVATION_H
