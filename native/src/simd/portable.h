// Vectors of four floats in the compiler's own words, for the baseline of a processor that is not an x86; what they
// promise is said in simd.h. The same operations as SSE2's, so the same results.
#ifndef ATROUS_SIMD_PORTABLE_H
#define ATROUS_SIMD_PORTABLE_H

#include <stdint.h>
#include <string.h>

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

typedef float four_floats __attribute__((vector_size(16)));
typedef int32_t four_integers __attribute__((vector_size(16)));

constexpr int width = 4;
constexpr int registers = 16;
struct vec {
    four_floats v;
};
using mask = four_integers;

inline vec load(const float* p) {
    vec x;
    memcpy(&x, p, sizeof(x));
    return x;
}
inline void store(float* p, vec x) {
    memcpy(p, &x, sizeof(x));
}
inline vec all(float x) {
    return {four_floats{x, x, x, x}};
}
inline vec operator+(vec a, vec b) {
    return {a.v + b.v};
}
inline vec operator-(vec a, vec b) {
    return {a.v - b.v};
}
inline vec operator*(vec a, vec b) {
    return {a.v * b.v};
}
inline vec operator/(vec a, vec b) {
    return {a.v / b.v};
}
inline vec multiply_add(vec a, vec b, vec c) {
    return a * b + c;
}
inline mask greater(vec a, vec b) {
    return a.v > b.v;
}
inline vec select(mask m, vec yes, vec no) {
    return {(four_floats)((m & (four_integers)yes.v) | (~m & (four_integers)no.v))};
}
inline vec larger(vec a, vec b) {
    return select(greater(a, b), a, b);
}
inline vec smaller(vec a, vec b) {
    return select(greater(b, a), a, b);
}
// Adding 1.5 * 2^23 leaves no room for a fraction.
inline vec round_to_integer(vec a) {
    return a + all(12582912.0f) - all(12582912.0f);
}
inline vec power_of_two(vec n) {
    return {(four_floats)((__builtin_convertvector(n.v, four_integers) + 127) << 23)};
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_SIMD_PORTABLE_H
