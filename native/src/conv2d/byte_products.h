// The innermost loop of quantised convolutions: uint8 times int8, summed in int32, exactly. Only kernels include this.
//
// As the weights lie in memory, [depth][columns] but for byte_side numbers of the depth side by side, of type
// byte_weight; their depth is rounded up to byte_depth_step with zeros:
//     VPDPBUSD     int8, four of them; so does ARM64's USDOT
//     PMADDWD      int16, two of them. (PMADDUBSW would take int8, but its sums of 16 bits saturate.)
//     otherwise    int16, one; NEON's SMLAL, which multiplies as many as FMLA does of floats
// SDOT, of ARM64 processors that have no USDOT, would take int8 of pixels less 128, and a correction as for the input's
// zero. No such processor was at hand that could say what it brings.
#ifndef ATROUS_CONV2D_BYTE_PRODUCTS_H
#define ATROUS_CONV2D_BYTE_PRODUCTS_H

#include "conv2d/products.h"
#include "simd_bytes.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

constexpr int64_t byte_depth_step = 4;

// The numbers of a pixel that one step multiplies.
inline int32_t four_bytes(const uint8_t* p) {
    int32_t four;
    memcpy(&four, p, sizeof(four));
    return four;
}
// Of the last step, 1 to 3; no more are read. Without a loop: one among those over a tile's pixels and vectors would
// keep the sums in memory.
inline int32_t some_bytes(const uint8_t* p, int64_t count) {
    return p[0] | (count > 1 ? p[1] << 8 : 0) | (count > 2 ? p[2] << 16 : 0);
}

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(ATROUS_NEON_I8MM)

using byte_weight = int8_t;
constexpr int byte_side = 4;

#if defined(__AVX512VNNI__)
inline ivec add_products(ivec sum, ivec x, ivec w) {
    return {_mm512_dpbusd_epi32(sum.v, x.v, w.v)};
}
#elif defined(__AVXVNNI__)
inline ivec add_products(ivec sum, ivec x, ivec w) {
    return {_mm256_dpbusd_avx_epi32(sum.v, x.v, w.v)};
}
#else
inline ivec add_products(ivec sum, ivec x, ivec w) {
    return {vusdotq_s32(sum.v, vreinterpretq_u8_s32(x.v), vreinterpretq_s8_s32(w.v))};
}
#endif

// One step along the depth for every sum; bytes(m) are a pixel's.
template <int M, int V, class Bytes>
[[gnu::always_inline]] inline void multiply_bytes(const byte_weight* weights, Bytes bytes, ivec (&sum)[M][V]) {
    ivec w[V];
    for (int v = 0; v < V; ++v) w[v] = load(reinterpret_cast<const int32_t*>(weights) + v * width);
    for (int m = 0; m < M; ++m) {
        const ivec x = all_integers(bytes(m));
        for (int v = 0; v < V; ++v) sum[m][v] = add_products(sum[m][v], x, w[v]);
    }
}

#elif defined(__SSE2__)

using byte_weight = int16_t;
constexpr int byte_side = 2;

// Keeps the order of integer sums: GCC would first add the products of one place to each other, and find no registers
// for them all.
template <class T>
[[gnu::always_inline]] inline ivec as_it_is(T sum) {
#if defined(__AVX512F__)
    asm("" : "+v"(sum));
#else
    asm("" : "+x"(sum));
#endif
    return {sum};
}

// Bytes 2 * Half and 2 * Half + 1 of the four as int16, again and again.
#if defined(__AVX512F__)
template <int Half>
inline ivec two_of(int32_t four) {
    constexpr uint32_t places = Half == 0 ? 0x80018000u : 0x80038002u;
    return {_mm512_shuffle_epi8(_mm512_set1_epi32(four), _mm512_set1_epi32(static_cast<int32_t>(places)))};
}
inline ivec add_products(ivec sum, ivec x, ivec w) {
    return as_it_is(_mm512_add_epi32(sum.v, _mm512_madd_epi16(x.v, w.v)));
}
#elif defined(__AVX2__)
template <int Half>
inline ivec two_of(int32_t four) {
    constexpr uint32_t places = Half == 0 ? 0x80018000u : 0x80038002u;
    return {_mm256_shuffle_epi8(_mm256_set1_epi32(four), _mm256_set1_epi32(static_cast<int32_t>(places)))};
}
inline ivec add_products(ivec sum, ivec x, ivec w) {
    return as_it_is(_mm256_add_epi32(sum.v, _mm256_madd_epi16(x.v, w.v)));
}
#else
template <int Half>
inline ivec two_of(int32_t four) {
    const __m128i halves = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), _mm_setzero_si128());
    return {_mm_shuffle_epi32(halves, Half == 0 ? 0x00 : 0x55)};
}
inline ivec add_products(ivec sum, ivec x, ivec w) {
    return as_it_is(_mm_add_epi32(sum.v, _mm_madd_epi16(x.v, w.v)));
}
#endif

template <int Half, int M, int V, class Bytes>
[[gnu::always_inline]] inline void multiply_half(const byte_weight* weights, Bytes bytes, ivec (&sum)[M][V]) {
    weights += Half * byte_side * V * width;
    ivec w[V];
    for (int v = 0; v < V; ++v) w[v] = load(reinterpret_cast<const int32_t*>(weights) + v * width);
    for (int m = 0; m < M; ++m) {
        const ivec x = two_of<Half>(bytes(m));
        for (int v = 0; v < V; ++v) sum[m][v] = add_products(sum[m][v], x, w[v]);
    }
}
template <int M, int V, class Bytes>
[[gnu::always_inline]] inline void multiply_bytes(const byte_weight* weights, Bytes bytes, ivec (&sum)[M][V]) {
    multiply_half<0>(weights, bytes, sum);
    // Pixels are read again rather than kept: there are registers for the sums alone.
    asm volatile("" ::: "memory");
    multiply_half<1>(weights, bytes, sum);
}

#else

using byte_weight = int16_t;
constexpr int byte_side = 1;

#if defined(ATROUS_NEON)

using four_weights = int16x4_t;
inline four_weights load_weights(const byte_weight* p) {
    return vld1_s16(p);
}
// The four as int16.
inline int16x4_t four_of(int32_t four) {
    return vreinterpret_s16_u16(vget_low_u16(vmovl_u8(vcreate_u8(static_cast<uint32_t>(four)))));
}
template <int Lane>
inline ivec add_products(ivec sum, int16x4_t x, four_weights w) {
    return {vmlal_lane_s16(sum.v, w, x, Lane)};
}

#else

using four_weights = four_integers;
inline four_weights load_weights(const byte_weight* p) {
    return {p[0], p[1], p[2], p[3]};
}
inline four_integers four_of(int32_t four) {
    const uint32_t bits = static_cast<uint32_t>(four);
    return {static_cast<int32_t>(bits & 255), static_cast<int32_t>(bits >> 8 & 255),
            static_cast<int32_t>(bits >> 16 & 255), static_cast<int32_t>(bits >> 24)};
}
template <int Lane>
inline ivec add_products(ivec sum, four_integers x, four_weights w) {
    return {sum.v + w * x[Lane]};
}

#endif

template <int Lane, int M, int V, class Four>
[[gnu::always_inline]] inline void multiply_lane(const byte_weight* weights, const Four (&x)[M], ivec (&sum)[M][V]) {
    weights += Lane * V * width;
    for (int v = 0; v < V; ++v) {
        const four_weights w = load_weights(weights + v * width);
        for (int m = 0; m < M; ++m) sum[m][v] = add_products<Lane>(sum[m][v], x[m], w);
    }
}
template <int M, int V, class Bytes>
[[gnu::always_inline]] inline void multiply_bytes(const byte_weight* weights, Bytes bytes, ivec (&sum)[M][V]) {
    decltype(four_of(0)) x[M];
    for (int m = 0; m < M; ++m) x[m] = four_of(bytes(m));
    multiply_lane<0>(weights, x, sum);
    multiply_lane<1>(weights, x, sum);
    multiply_lane<2>(weights, x, sum);
    multiply_lane<3>(weights, x, sum);
}

#endif

// Numbers of packed weights that one step takes.
template <int V>
constexpr int64_t byte_step_weights = byte_depth_step* V* width;

// sum[m][v] += row[m][k] * weights[k][v] over k in [0, depth). Nothing beyond the depth is read of a row.
template <int M, int V>
[[gnu::always_inline]] inline void multiply_depth(const byte_weight* weights, const uint8_t* const (&row)[M],
                                                  int64_t depth, ivec (&sum)[M][V]) {
    const int64_t whole = depth / byte_depth_step * byte_depth_step;
    // Sums whose address others know may be written back in every turn, for the pictures might be they.
    ivec own[M][V];
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) own[m][v] = sum[m][v];
    int64_t k = 0;
    for (; k < whole; k += byte_depth_step, weights += byte_step_weights<V>) {
        multiply_bytes<M, V>(
            weights, [&](int m) { return four_bytes(row[m] + k); }, own);
    }
    if (k < depth) {
        multiply_bytes<M, V>(
            weights, [&](int m) { return some_bytes(row[m] + k, depth - k); }, own);
    }
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) sum[m][v] = own[m][v];
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_CONV2D_BYTE_PRODUCTS_H
