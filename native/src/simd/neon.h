// Vectors of NEON with fused products, which every ARM64 has; what they promise is said in simd.h.
#ifndef ATROUS_SIMD_NEON_H
#define ATROUS_SIMD_NEON_H

#include <arm_neon.h>
#include <stdint.h>

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

constexpr int width = 4;
constexpr int registers = 32;
struct vec {
    float32x4_t v;
};
using mask = uint32x4_t;

inline vec load(const float* p) {
    return {vld1q_f32(p)};
}
inline void store(float* p, vec x) {
    vst1q_f32(p, x.v);
}
inline vec all(float x) {
    return {vdupq_n_f32(x)};
}
inline vec operator+(vec a, vec b) {
    return {vaddq_f32(a.v, b.v)};
}
inline vec operator-(vec a, vec b) {
    return {vsubq_f32(a.v, b.v)};
}
inline vec operator*(vec a, vec b) {
    return {vmulq_f32(a.v, b.v)};
}
inline vec operator/(vec a, vec b) {
    return {vdivq_f32(a.v, b.v)};
}
inline vec multiply_add(vec a, vec b, vec c) {
    return {vfmaq_f32(c.v, a.v, b.v)};
}
inline mask greater(vec a, vec b) {
    return vcgtq_f32(a.v, b.v);
}
inline vec select(mask m, vec yes, vec no) {
    return {vbslq_f32(m, yes.v, no.v)};
}
// Not FMAX and FMIN, which make a NaN of a NaN in either.
inline vec larger(vec a, vec b) {
    return select(greater(a, b), a, b);
}
inline vec smaller(vec a, vec b) {
    return select(greater(b, a), a, b);
}
inline vec round_to_integer(vec a) {
    return {vrndnq_f32(a.v)};
}
inline vec power_of_two(vec n) {
    return {vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n.v), vdupq_n_s32(127)), 23))};
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_SIMD_NEON_H
