// Vectors in memory as bfloat16, in registers as float32; and products of pairs where the processor has them. Only
// kernels include this.
#ifndef ATROUS_SIMD_BFLOAT16_H
#define ATROUS_SIMD_BFLOAT16_H

#include "bfloat16.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

#if defined(__AVX512F__)

inline vec widen(__m256i halves) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16))};
}
inline __m256i narrow(vec x) {
#if defined(__AVX512BF16__)
    return (__m256i)_mm512_cvtneps_pbh(x.v);
#else
    const __m512i bits = _mm512_castps_si512(x.v),
                  odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __mmask16 nan = _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q);
    const __m512i kept = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(kept, 16));
#endif
}
inline vec load(const bf16* p) {
    return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void store(bf16* p, vec x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(x));
}
inline vec load_part(const bf16* p, int64_t n) {
    return widen(_mm256_maskz_loadu_epi16(first_lanes(n), p));
}
inline void store_part(bf16* p, vec x, int64_t n) {
    _mm256_mask_storeu_epi16(p, first_lanes(n), narrow(x));
}

#else

#if defined(__AVX2__)

using half_register = __m128i;
inline vec load(const bf16* p) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16))};
}
inline void store(bf16* p, vec x) {
    const __m256i bits = _mm256_castps_si256(x.v),
                  odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x.v, x.v, _CMP_UNORD_Q));
    const __m256i kept = _mm256_blendv_epi8(rounded, _mm256_or_si256(bits, _mm256_set1_epi32(0x400000)), nan);
    // Shifted with their signs, the halves pass through the saturation unchanged.
    const __m256i halves = _mm256_srai_epi32(kept, 16);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm_packs_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1)));
}

#elif defined(__SSE2__)

inline vec load(const bf16* p) {
    const __m128i halves = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return {_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), halves))};
}
inline void store(bf16* p, vec x) {
    const __m128i bits = _mm_castps_si128(x.v), odd = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(1));
    const __m128i rounded = _mm_add_epi32(bits, _mm_add_epi32(odd, _mm_set1_epi32(0x7fff)));
    const __m128i nan = _mm_castps_si128(_mm_cmpunord_ps(x.v, x.v));
    const __m128i kept =
        _mm_or_si128(_mm_andnot_si128(nan, rounded), _mm_and_si128(nan, _mm_or_si128(bits, _mm_set1_epi32(0x400000))));
    // Shifted with their signs, the halves pass through the saturation unchanged.
    const __m128i halves = _mm_srai_epi32(kept, 16);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(halves, halves));
}

#elif defined(ATROUS_NEON)

inline vec load(const bf16* p) {
    return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(&p->bits), 16))};
}
inline void store(bf16* p, vec x) {
#if defined(ATROUS_NEON_BF16)
    vst1_u16(&p->bits, vreinterpret_u16_bf16(vcvt_bf16_f32(x.v)));
#else
    const uint32x4_t bits = vreinterpretq_u32_f32(x.v), odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    const uint32x4_t number = vceqq_f32(x.v, x.v), quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    vst1_u16(&p->bits, vshrn_n_u32(vbslq_u32(number, rounded, quiet), 16));
#endif
}

#else

inline vec load(const bf16* p) {
    vec x;
    for (int i = 0; i < width; ++i) x.v[i] = to_float(p[i]);
    return x;
}
inline void store(bf16* p, vec x) {
    for (int i = 0; i < width; ++i) p[i] = round_to_bf16(x.v[i]);
}

#endif

inline vec load_part(const bf16* p, int64_t n) {
    bf16 lanes[width] = {};
    memcpy(lanes, p, static_cast<size_t>(n) * sizeof(bf16));
    return load(lanes);
}
inline void store_part(bf16* p, vec x, int64_t n) {
    bf16 lanes[width];
    store(lanes, x);
    memcpy(p, lanes, static_cast<size_t>(n) * sizeof(bf16));
}

#endif

inline float value_of(float x) {
    return x;
}
inline float value_of(bf16 x) {
    return to_float(x);
}

// ---- The factors of a matrix product: for float one number, for bf16 two whose products are summed at once

// Numbers along the depth that one instruction multiplies.
template <class T>
constexpr int64_t depth_step = sizeof(float) / sizeof(T);

template <class T>
struct factor;

template <>
struct factor<float> {
    vec v;
    static factor load(const float* p) { return {ATROUS_ISA_NAMESPACE::load(p)}; }
    static factor broadcast(const float* p) { return {all(*p)}; }
};
inline vec multiply_add(factor<float> x, factor<float> w, vec sum) {
    return multiply_add(x.v, w.v, sum);
}
#if defined(ATROUS_NEON)
// x's number in a lane, times all of w.
template <int Lane>
inline vec multiply_add(factor<float> x, factor<float> w, vec sum) {
    return {vfmaq_laneq_f32(sum.v, w.v.v, x.v.v, Lane)};
}
#endif

#if defined(__AVX512BF16__)
#define ATROUS_BF16_PRODUCTS

template <>
struct factor<bf16> {
    __m512bh v;
    static factor load(const bf16* p) { return {(__m512bh)_mm512_loadu_si512(p)}; }
    static factor broadcast(const bf16* p) {
        int32_t pair;
        memcpy(&pair, p, sizeof(pair));
        return {(__m512bh)_mm512_set1_epi32(pair)};
    }
    // The last number of an odd depth; nothing beyond it is read.
    static factor broadcast_single(const bf16* p) { return {(__m512bh)_mm512_set1_epi32(p->bits)}; }
};
// Products and their sum are float32; denormals count as zero (VDPBF16PS).
inline vec multiply_add(factor<bf16> x, factor<bf16> w, vec sum) {
    return {_mm512_dpbf16_ps(sum.v, x.v, w.v)};
}

#elif defined(ATROUS_NEON_BF16)
#define ATROUS_BF16_PRODUCTS

template <>
struct factor<bf16> {
    bfloat16x8_t v;
    static factor load(const bf16* p) { return {vreinterpretq_bf16_u16(vld1q_u16(&p->bits))}; }
    static factor broadcast(const bf16* p) {
        uint32_t pair;
        memcpy(&pair, p, sizeof(pair));
        return {vreinterpretq_bf16_u32(vdupq_n_u32(pair))};
    }
    // The last number of an odd depth; nothing beyond it is read.
    static factor broadcast_single(const bf16* p) { return {vreinterpretq_bf16_u32(vdupq_n_u32(p->bits))}; }
};
// Products and their sum are float32; denormals count as zero, and the sum of a pair is rounded to odd (BFDOT).
inline vec multiply_add(factor<bf16> x, factor<bf16> w, vec sum) {
    return {vbfdotq_f32(sum.v, w.v, x.v)};
}
template <int Lane>
inline vec multiply_add(factor<bf16> x, factor<bf16> w, vec sum) {
    return {vbfdotq_laneq_f32(sum.v, w.v, x.v, Lane)};
}

#endif

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_SIMD_BFLOAT16_H
