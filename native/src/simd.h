// The one vector type of the kernels: as many floats as the instruction set holds in a register. Only kernels include
// this; everything has internal linkage, so that code of one instruction set never stands in for another's.
#ifndef ATROUS_SIMD_H
#define ATROUS_SIMD_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

#if defined(__AVX512F__)

constexpr int width = 16;
struct vec {
    __m512 v;
};
using mask = __mmask16;

inline vec load(const float* p) {
    return {_mm512_loadu_ps(p)};
}
inline void store(float* p, vec x) {
    _mm512_storeu_ps(p, x.v);
}
// The first n lanes, n in [0, width]; the others read as zero and are not written.
inline mask first_lanes(int64_t n) {
    return static_cast<mask>((1u << n) - 1u);
}
inline vec load_part(const float* p, int64_t n) {
    return {_mm512_maskz_loadu_ps(first_lanes(n), p)};
}
inline void store_part(float* p, vec x, int64_t n) {
    _mm512_mask_storeu_ps(p, first_lanes(n), x.v);
}
inline vec all(float x) {
    return {_mm512_set1_ps(x)};
}
inline vec operator+(vec a, vec b) {
    return {_mm512_add_ps(a.v, b.v)};
}
inline vec operator-(vec a, vec b) {
    return {_mm512_sub_ps(a.v, b.v)};
}
inline vec operator*(vec a, vec b) {
    return {_mm512_mul_ps(a.v, b.v)};
}
inline vec operator/(vec a, vec b) {
    return {_mm512_div_ps(a.v, b.v)};
}
inline vec multiply_add(vec a, vec b, vec c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
// Where a lane of either is not a number, the result is b's: larger(all(0), x) keeps x's NaN.
inline vec larger(vec a, vec b) {
    return {_mm512_max_ps(a.v, b.v)};
}
inline vec smaller(vec a, vec b) {
    return {_mm512_min_ps(a.v, b.v)};
}
inline mask greater(vec a, vec b) {
    return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ);
}
inline vec select(mask m, vec yes, vec no) {
    return {_mm512_mask_blend_ps(m, no.v, yes.v)};
}
inline vec round_to_integer(vec a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
// 2^n for integral n in [-126, 127].
inline vec power_of_two(vec n) {
    return {
        _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127)), 23))};
}

#elif defined(__AVX2__)

constexpr int width = 8;
struct vec {
    __m256 v;
};
using mask = __m256;

inline vec load(const float* p) {
    return {_mm256_loadu_ps(p)};
}
inline void store(float* p, vec x) {
    _mm256_storeu_ps(p, x.v);
}
inline __m256i first_lanes(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline vec load_part(const float* p, int64_t n) {
    return {_mm256_maskload_ps(p, first_lanes(n))};
}
inline void store_part(float* p, vec x, int64_t n) {
    _mm256_maskstore_ps(p, first_lanes(n), x.v);
}
inline vec all(float x) {
    return {_mm256_set1_ps(x)};
}
inline vec operator+(vec a, vec b) {
    return {_mm256_add_ps(a.v, b.v)};
}
inline vec operator-(vec a, vec b) {
    return {_mm256_sub_ps(a.v, b.v)};
}
inline vec operator*(vec a, vec b) {
    return {_mm256_mul_ps(a.v, b.v)};
}
inline vec operator/(vec a, vec b) {
    return {_mm256_div_ps(a.v, b.v)};
}
inline vec multiply_add(vec a, vec b, vec c) {
    return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
inline vec larger(vec a, vec b) {
    return {_mm256_max_ps(a.v, b.v)};
}
inline vec smaller(vec a, vec b) {
    return {_mm256_min_ps(a.v, b.v)};
}
inline mask greater(vec a, vec b) {
    return _mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ);
}
inline vec select(mask m, vec yes, vec no) {
    return {_mm256_blendv_ps(no.v, yes.v, m)};
}
inline vec round_to_integer(vec a) {
    return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline vec power_of_two(vec n) {
    return {
        _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127)), 23))};
}

#else

constexpr int width = 4;
struct vec {
    __m128 v;
};
using mask = __m128;

inline vec load(const float* p) {
    return {_mm_loadu_ps(p)};
}
inline void store(float* p, vec x) {
    _mm_storeu_ps(p, x.v);
}
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
inline vec all(float x) {
    return {_mm_set1_ps(x)};
}
inline vec operator+(vec a, vec b) {
    return {_mm_add_ps(a.v, b.v)};
}
inline vec operator-(vec a, vec b) {
    return {_mm_sub_ps(a.v, b.v)};
}
inline vec operator*(vec a, vec b) {
    return {_mm_mul_ps(a.v, b.v)};
}
inline vec operator/(vec a, vec b) {
    return {_mm_div_ps(a.v, b.v)};
}
inline vec multiply_add(vec a, vec b, vec c) {
    return a * b + c;
}
inline vec larger(vec a, vec b) {
    return {_mm_max_ps(a.v, b.v)};
}
inline vec smaller(vec a, vec b) {
    return {_mm_min_ps(a.v, b.v)};
}
inline mask greater(vec a, vec b) {
    return _mm_cmpgt_ps(a.v, b.v);
}
inline vec select(mask m, vec yes, vec no) {
    return {_mm_or_ps(_mm_and_ps(m, yes.v), _mm_andnot_ps(m, no.v))};
}
inline vec round_to_integer(vec a) {
    return {_mm_cvtepi32_ps(_mm_cvtps_epi32(a.v))};
}
inline vec power_of_two(vec n) {
    return {_mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(_mm_cvtps_epi32(n.v), _mm_set1_epi32(127)), 23))};
}

#endif

// Asks for a cache line; any address will do.
inline void prefetch(const void* p) {
    _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
}

// The same for a line that is wanted later: it comes no nearer than the second cache level.
inline void prefetch_far(const void* p) {
    _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1);
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
