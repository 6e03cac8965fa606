// The activations on vectors. Only kernels include this.
#ifndef ATROUS_ACTIVATION_H
#define ATROUS_ACTIVATION_H

#include "atrous.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// NaN comes out as NaN: the comparisons below give their second operand then.
inline vec relu6(vec x) {
    return smaller(all(6.0f), larger(all(0.0f), x));
}
inline vec sigmoid(vec x) {
    return all(1.0f) / (all(1.0f) + exponential(all(0.0f) - x));
}

// x * (1 + erf(x / sqrt(2))) / 2 as max(x, 0) - |x| erfc(|x| / sqrt(2)) / 2, in which nothing cancels. erfc by
// Abramowitz and Stegun 1964, formula 7.1.26: within 1.5e-7.
inline vec gelu(vec x) {
    const vec size = smaller(all(32.0f), larger(x, all(0.0f) - x)), z = size * all(0.70710678118654752f);
    const vec t = all(1.0f) / multiply_add(z, all(0.3275911f), all(1.0f));
    vec p = all(1.061405429f);
    p = multiply_add(p, t, all(-1.453152027f));
    p = multiply_add(p, t, all(1.421413741f));
    p = multiply_add(p, t, all(-0.284496736f));
    p = multiply_add(p, t, all(0.254829592f));
    return larger(all(0.0f), x) - all(0.5f) * size * (p * t * exponential(all(0.0f) - z * z));
}

inline vec activate(vec x, int32_t activation, float slope) {
    switch (activation) {
        case ATROUS_ACTIVATION_RELU:
            return larger(all(0.0f), x);
        case ATROUS_ACTIVATION_RELU6:
            return relu6(x);
        case ATROUS_ACTIVATION_LEAKY_RELU:
            return select(greater(all(0.0f), x), x * all(slope), x);
        case ATROUS_ACTIVATION_HARD_SWISH:
            return x * relu6(x + all(3.0f)) / all(6.0f);
        case ATROUS_ACTIVATION_HARD_SIGMOID:
            return relu6(x + all(3.0f)) / all(6.0f);
        case ATROUS_ACTIVATION_SIGMOID:
            return sigmoid(x);
        case ATROUS_ACTIVATION_SILU:
            return x * sigmoid(x);
        case ATROUS_ACTIVATION_GELU:
            return gelu(x);
        default:
            return x;
    }
}

// The same of several, which are told apart but once.
template <int N>
[[gnu::always_inline]] inline void activate_all(vec (&x)[N], int32_t activation, float slope) {
    switch (activation) {
        case ATROUS_ACTIVATION_NONE:
            return;
        case ATROUS_ACTIVATION_RELU:
            for (vec& v : x) v = larger(all(0.0f), v);
            return;
        default:
            for (vec& v : x) v = activate(v, activation, slope);
    }
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_ACTIVATION_H
