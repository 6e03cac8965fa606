// The one vector type of the kernels: as many floats as the instruction set holds in a register. Only kernels include
// this; everything has internal linkage, so that code of one instruction set never stands in for another's.
//
// A file per instruction set defines vec and mask, width (floats in a register), registers (how many there are), and
//     load, store, all         any address; all(x) has x in every lane
//     + - * /, multiply_add    a * b + c, in one rounding where the processor has that
//     larger, smaller          where a lane of either is not a number, the result is b's: larger(all(0), x) keeps x's
//     NaN greater, select          greater is false where a lane of either is not a number round_to_integer         to
//     nearest, ties to even; of at most 2^22 power_of_two             2^n for integral n in [-126, 127]
// and load_part, store_part: the first n lanes, n in [0, width]; the others read as zero and are not written.
#ifndef ATROUS_SIMD_H
#define ATROUS_SIMD_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include "simd/avx512.h"
#elif defined(__AVX2__)
#include "simd/avx2.h"
#elif defined(__SSE2__)
#include "simd/sse2.h"
#elif defined(ATROUS_NEON)
#include "simd/neon.h"
#else
#include "simd/portable.h"
#endif

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

#if !defined(__AVX2__)

inline vec load_part(const float* p, int64_t n) {
    float lanes[width] = {};
    memcpy(lanes, p, static_cast<size_t>(n) * sizeof(float));
    return load(lanes);
}
inline void store_part(float* p, vec x, int64_t n) {
    float lanes[width];
    store(lanes, x);
    memcpy(p, lanes, static_cast<size_t>(n) * sizeof(float));
}

#endif

// Asks for a cache line; any address will do.
inline void prefetch(const void* p) {
    __builtin_prefetch(p, 0, 3);
}

// The same for a line that is wanted later: it comes no nearer than the second cache level.
inline void prefetch_far(const void* p) {
    __builtin_prefetch(p, 0, 2);
}

inline float sum_of_lanes(vec x) {
    float lanes[width], sum = 0;
    store(lanes, x);
    for (float lane : lanes) sum += lane;
    return sum;
}

inline float largest_lane(vec x) {
    float lanes[width];
    store(lanes, x);
    float best = lanes[0];
    for (float lane : lanes) best = lane > best ? lane : best;
    return best;
}

// e^x to about two units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, then Cephes' polynomial for e^r.
// Below -87.3, where the true value is denormal, it is 0; above 88.37, half of the largest number, it is infinite.
inline vec exponential(vec x) {
    const mask vanishes = greater(all(-87.3f), x), overflows = greater(x, all(88.37f));
    x = larger(all(-87.3f), smaller(all(88.37f), x));
    const vec n = round_to_integer(x * all(1.44269504088896341f));
    vec r = multiply_add(n, all(-0.693359375f), x);
    r = multiply_add(n, all(2.12194440e-4f), r);
    vec p = all(1.9875691500e-4f);
    p = multiply_add(p, r, all(1.3981999507e-3f));
    p = multiply_add(p, r, all(8.3334519073e-3f));
    p = multiply_add(p, r, all(4.1665795894e-2f));
    p = multiply_add(p, r, all(1.6666665459e-1f));
    p = multiply_add(p, r, all(5.0000001201e-1f));
    p = multiply_add(p, r * r, r + all(1.0f));
    const vec result = select(vanishes, all(0.0f), p * power_of_two(n));
    return select(overflows, all(__builtin_inff()), result);
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_SIMD_H
