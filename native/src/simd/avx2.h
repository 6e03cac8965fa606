// Vectors of AVX2 and FMA; what they promise is said in simd.h.
#ifndef ATROUS_SIMD_AVX2_H
#define ATROUS_SIMD_AVX2_H

#include <immintrin.h>
#include <stdint.h>

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

constexpr int width = 8;
constexpr int registers = 16;
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

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_SIMD_AVX2_H
