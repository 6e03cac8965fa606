// Vectors in memory as uint8, in registers as float32 or int32; what a convolution of bytes multiplies is in
// conv2d/byte_products.h. Only kernels include this.
//
// ivec holds as many int32 as vec holds floats:
//     load, store, all_integers, + - *     as of vec; sums and products wrap around
//     to_float                             rounded to nearest
//     load_integers                        from uint8
//     float_of_bits                        the float that the bits are
// and of uint8 in memory, load gives their values as floats; store rounds to the nearest integer, ties to even, and
// takes what lies beyond 0 and 255 for these (of at most 2^30 in size, or NaN, which is 0).
#ifndef ATROUS_SIMD_BYTES_H
#define ATROUS_SIMD_BYTES_H

#include "simd_bfloat16.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

#if defined(__AVX512F__)

struct ivec {
    __m512i v;
};
inline ivec load(const int32_t* p) {
    return {_mm512_loadu_si512(p)};
}
inline void store(int32_t* p, ivec x) {
    _mm512_storeu_si512(p, x.v);
}
inline ivec all_integers(int32_t x) {
    return {_mm512_set1_epi32(x)};
}
inline ivec operator+(ivec a, ivec b) {
    return {_mm512_add_epi32(a.v, b.v)};
}
inline ivec operator-(ivec a, ivec b) {
    return {_mm512_sub_epi32(a.v, b.v)};
}
inline ivec operator*(ivec a, ivec b) {
    return {_mm512_mullo_epi32(a.v, b.v)};
}
inline vec to_float(ivec x) {
    return {_mm512_cvtepi32_ps(x.v)};
}
inline vec float_of_bits(ivec x) {
    return {_mm512_castsi512_ps(x.v)};
}
inline ivec load_integers(const uint8_t* p) {
    return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline vec load(const uint8_t* p) {
    return to_float(load_integers(p));
}
inline __m128i to_bytes(vec x) {
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(_mm512_cvtps_epi32(x.v), _mm512_setzero_si512()));
}
inline void store(uint8_t* p, vec x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_bytes(x));
}
inline vec load_part(const uint8_t* p, int64_t n) {
    return to_float({_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first_lanes(n), p))});
}
inline void store_part(uint8_t* p, vec x, int64_t n) {
    _mm_mask_storeu_epi8(p, first_lanes(n), to_bytes(x));
}

#else

#if defined(__AVX2__)

struct ivec {
    __m256i v;
};
inline ivec load(const int32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
inline void store(int32_t* p, ivec x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x.v);
}
inline ivec all_integers(int32_t x) {
    return {_mm256_set1_epi32(x)};
}
inline ivec operator+(ivec a, ivec b) {
    return {_mm256_add_epi32(a.v, b.v)};
}
inline ivec operator-(ivec a, ivec b) {
    return {_mm256_sub_epi32(a.v, b.v)};
}
inline ivec operator*(ivec a, ivec b) {
    return {_mm256_mullo_epi32(a.v, b.v)};
}
inline vec to_float(ivec x) {
    return {_mm256_cvtepi32_ps(x.v)};
}
inline vec float_of_bits(ivec x) {
    return {_mm256_castsi256_ps(x.v)};
}
inline ivec load_integers(const uint8_t* p) {
    return {_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
inline void store(uint8_t* p, vec x) {
    const __m256i integers = _mm256_cvtps_epi32(x.v);
    const __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(halves, halves));
}

#elif defined(__SSE2__)

struct ivec {
    __m128i v;
};
inline ivec load(const int32_t* p) {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
}
inline void store(int32_t* p, ivec x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x.v);
}
inline ivec all_integers(int32_t x) {
    return {_mm_set1_epi32(x)};
}
inline ivec operator+(ivec a, ivec b) {
    return {_mm_add_epi32(a.v, b.v)};
}
inline ivec operator-(ivec a, ivec b) {
    return {_mm_sub_epi32(a.v, b.v)};
}
// The lower halves of 64-bit products are the same with a sign and without.
inline ivec operator*(ivec a, ivec b) {
    const __m128i even = _mm_mul_epu32(a.v, b.v);
    const __m128i odd = _mm_mul_epu32(_mm_srli_epi64(a.v, 32), _mm_srli_epi64(b.v, 32));
    return {_mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x08), _mm_shuffle_epi32(odd, 0x08))};
}
inline vec to_float(ivec x) {
    return {_mm_cvtepi32_ps(x.v)};
}
inline vec float_of_bits(ivec x) {
    return {_mm_castsi128_ps(x.v)};
}
inline ivec load_integers(const uint8_t* p) {
    int32_t four;
    memcpy(&four, p, sizeof(four));
    const __m128i none = _mm_setzero_si128();
    return {_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), none), none)};
}
inline void store(uint8_t* p, vec x) {
    const __m128i integers = _mm_cvtps_epi32(x.v), halves = _mm_packs_epi32(integers, integers);
    const int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(halves, halves));
    memcpy(p, &four, sizeof(four));
}

#elif defined(ATROUS_NEON)

struct ivec {
    int32x4_t v;
};
inline ivec load(const int32_t* p) {
    return {vld1q_s32(p)};
}
inline void store(int32_t* p, ivec x) {
    vst1q_s32(p, x.v);
}
inline ivec all_integers(int32_t x) {
    return {vdupq_n_s32(x)};
}
inline ivec operator+(ivec a, ivec b) {
    return {vaddq_s32(a.v, b.v)};
}
inline ivec operator-(ivec a, ivec b) {
    return {vsubq_s32(a.v, b.v)};
}
inline ivec operator*(ivec a, ivec b) {
    return {vmulq_s32(a.v, b.v)};
}
inline vec to_float(ivec x) {
    return {vcvtq_f32_s32(x.v)};
}
inline vec float_of_bits(ivec x) {
    return {vreinterpretq_f32_s32(x.v)};
}
inline ivec load_integers(const uint8_t* p) {
    uint32_t four;
    memcpy(&four, p, sizeof(four));
    const uint16x8_t halves = vmovl_u8(vcreate_u8(four));
    return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(halves)))};
}
inline void store(uint8_t* p, vec x) {
    const int16x4_t halves = vqmovn_s32(vcvtnq_s32_f32(x.v));
    const uint8x8_t bytes = vqmovun_s16(vcombine_s16(halves, halves));
    const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    memcpy(p, &four, sizeof(four));
}

#else

struct ivec {
    four_integers v;
};
inline ivec load(const int32_t* p) {
    ivec x;
    memcpy(&x, p, sizeof(x));
    return x;
}
inline void store(int32_t* p, ivec x) {
    memcpy(p, &x, sizeof(x));
}
inline ivec all_integers(int32_t x) {
    return {four_integers{x, x, x, x}};
}
inline ivec operator+(ivec a, ivec b) {
    return {a.v + b.v};
}
inline ivec operator-(ivec a, ivec b) {
    return {a.v - b.v};
}
inline ivec operator*(ivec a, ivec b) {
    return {a.v * b.v};
}
inline vec to_float(ivec x) {
    return {__builtin_convertvector(x.v, four_floats)};
}
inline vec float_of_bits(ivec x) {
    return {(four_floats)x.v};
}
inline ivec load_integers(const uint8_t* p) {
    return {four_integers{p[0], p[1], p[2], p[3]}};
}
inline void store(uint8_t* p, vec x) {
    const vec whole = round_to_integer(smaller(all(255.0f), larger(x, all(0.0f))));
    for (int i = 0; i < width; ++i) p[i] = static_cast<uint8_t>(whole.v[i]);
}

#endif

inline vec load(const uint8_t* p) {
    return to_float(load_integers(p));
}
inline vec load_part(const uint8_t* p, int64_t n) {
    uint8_t lanes[width] = {};
    memcpy(lanes, p, static_cast<size_t>(n));
    return load(lanes);
}
inline void store_part(uint8_t* p, vec x, int64_t n) {
    uint8_t lanes[width];
    store(lanes, x);
    memcpy(p, lanes, static_cast<size_t>(n));
}

#endif

// Bytes less a number from 0 to 255 as floats. In the bits of 2^23 a byte is added to it, so that this takes no
// conversion, and no instruction more than one.
struct difference {
    static constexpr float base = 0x1p23f;
    vec base_and_zero;
    explicit difference(int32_t zero) : base_and_zero(all(base + static_cast<float>(zero))) {}
    vec of(ivec bytes) const { return float_of_bits(bytes + all_integers(0x4b000000)) - base_and_zero; }
};

inline ivec load_integers_part(const uint8_t* p, int64_t n) {
    uint8_t lanes[width] = {};
    memcpy(lanes, p, static_cast<size_t>(n));
    return load_integers(lanes);
}

// A number as an element of a quantised tensor, to be stored: quantise() of atrous.h, but for its rint.
inline vec quantise(vec x, vec per_step, vec zero) {
    return smaller(all(255.0f), larger(x * per_step + zero, all(0.0f)));
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_SIMD_BYTES_H
