// Vectors of AVX-512; what they promise is said in simd.h.
#ifndef ATROUS_SIMD_AVX512_H
#define ATROUS_SIMD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

constexpr int width = 16;
constexpr int registers = 32;
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

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_SIMD_AVX512_H
