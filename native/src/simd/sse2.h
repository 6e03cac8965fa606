// Vectors of SSE2, which every x86-64 has; what they promise is said in simd.h.
#ifndef ATROUS_SIMD_SSE2_H
#define ATROUS_SIMD_SSE2_H

#include <immintrin.h>
#include <stdint.h>

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

constexpr int width = 4;
constexpr int registers = 16;
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

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_SIMD_SSE2_H
