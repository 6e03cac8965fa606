// The register tile of quantised convolutions: sums of int32, and what becomes of them. Only kernels include this.
#ifndef ATROUS_CONV2D_BYTE_TILE_H
#define ATROUS_CONV2D_BYTE_TILE_H

#include "conv2d/tile.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// A tile is short where its taps are not deep, so what is before and after its products counts: loops over its sums are
// unrolled, lest these go by way of memory.

// The products are of the input as it is: what its zero adds to them is taken off here, the zero times the sums of the
// weights of the same taps, which lie after these.
template <int V, class Out>
inline void correct_for_zero(const tile_args<uint8_t, Out>& t, ivec (&sum)[V]) {
    const int64_t steps = (t.depth + byte_depth_step - 1) / byte_depth_step;
    for (int64_t tap = 0; tap < t.taps; ++tap) {
        const auto* sums = reinterpret_cast<const int32_t*>(t.weights[tap] + steps * byte_step_weights<V>);
        for (int v = 0; v < V; ++v) sum[v] = sum[v] - load(sums + v * width);
    }
    for (int v = 0; v < V; ++v) sum[v] = sum[v] * all_integers(t.input_zero);
}

template <int M, int V, class Out>
[[gnu::always_inline]] inline void start_tile(const tile_args<uint8_t, Out>& t, ivec (&sum)[M][V]) {
    if (t.last) {
        // The products take long enough for the lines to arrive that will be read and written after them.
        for (int64_t m = 0; m < t.pixels; ++m) {
            prefetch(t.output + m * t.output_stride);
            if (t.residual != nullptr) prefetch(t.residual + m * t.residual_stride);
        }
    }
    ivec start[V];
    for (int v = 0; v < V; ++v) start[v] = all_integers(0);
    if (t.input_zero != 0) correct_for_zero(t, start);
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) sum[m][v] = start[v];
    if (t.first) return;
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) sum[m][v] = sum[m][v] + load(t.sums + (m * V + v) * width);
}

// What the sums of a pixel become, as floats, and how they are written.
template <int V, class Out>
struct finisher;

template <int V>
struct finisher<V, float> {
    const tile_args<uint8_t, float>& t;

    void write(const ivec (&sum)[V], const float* residual, float* out) const {
        for (int v = 0; v < V; ++v) {
            vec y = to_float(sum[v]) * load(t.quantised.factor + v * width) + load(t.quantised.offset + v * width);
            if (residual != nullptr) y = y + read_vector<V>(residual, v, t.last_lanes);
            write_vector<V>(out, activate(y, t.activation, t.slope), v, t.last_lanes);
        }
    }
};

// Holds what is the same for all pixels: bytes that are written might be anything that lies in memory.
template <int V>
struct finisher<V, uint8_t> {
    const float* const factor;
    const float* const offset;
    const int64_t last_lanes;
    const vec residual_factor, low, high;
    const difference above;
    const bool is_small;
    const uint8_t low_byte, high_byte;

    explicit finisher(const tile_args<uint8_t, uint8_t>& t)
        : factor(t.quantised.factor),
          offset(t.quantised.offset),
          last_lanes(t.last_lanes),
          residual_factor(all(t.quantised.residual_factor)),
          low(all(t.quantised.low)),
          high(all(t.quantised.high)),
          above(t.quantised.residual_zero),
          is_small(t.quantised.is_small),
          low_byte(t.quantised.low_byte),
          high_byte(t.quantised.high_byte) {}

    [[gnu::always_inline]] void write(const ivec (&sum)[V], const uint8_t* residual, uint8_t* out) const {
        vec y[V];
        for (int v = 0; v < V; ++v) y[v] = to_float(sum[v]) * load(factor + v * width) + load(offset + v * width);
        if (residual != nullptr) {
            for (int v = 0; v < V; ++v) {
                const bool whole = v + 1 < V || last_lanes == width;
                const uint8_t* p = residual + v * width;
                const ivec r = whole ? load_integers(p) : load_integers_part(p, last_lanes);
                y[v] = y[v] + above.of(r) * residual_factor;
            }
        }
#if defined(__AVX512F__)
        if constexpr (V == 4) {
            if (is_small && last_lanes == width) return write_whole(y, out);
        }
#endif
        for (int v = 0; v < V; ++v) write_vector<V>(out, smaller(high, larger(y[v], low)), v, last_lanes);
    }

#if defined(__AVX512F__)
    // Bytes of four registers at once: they are packed lane by lane, then the lanes are put in order. Rounding keeps
    // the order of numbers, so the bounds are the same after it, rounded, as before.
    void write_whole(const vec (&y)[V], uint8_t* out) const {
        const __m512i front = _mm512_packs_epi32(_mm512_cvtps_epi32(y[0].v), _mm512_cvtps_epi32(y[1].v));
        const __m512i back = _mm512_packs_epi32(_mm512_cvtps_epi32(y[2].v), _mm512_cvtps_epi32(y[3].v));
        const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(front, back));
        const __m512i least = _mm512_set1_epi8(static_cast<char>(low_byte));
        const __m512i most = _mm512_set1_epi8(static_cast<char>(high_byte));
        _mm512_storeu_si512(out, _mm512_min_epu8(_mm512_max_epu8(bytes, least), most));
    }
#endif
};

template <int M, int V, class Out>
[[gnu::always_inline]] inline void finish_tile(const tile_args<uint8_t, Out>& t, ivec (&sum)[M][V]) {
    if (!t.last) {
#pragma GCC unroll 16
        for (int m = 0; m < M; ++m)
            for (int v = 0; v < V; ++v) store(t.sums + (m * V + v) * width, sum[m][v]);
        return;
    }
    const finisher<V, Out> finish{t};
    const int64_t pixels = t.pixels, output_stride = t.output_stride, residual_stride = t.residual_stride;
    Out* out = t.output;
    const Out* residual = t.residual;
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) {
        if (m >= pixels) return;
        finish.write(sum[m], residual, out);
        out += output_stride;
        if (residual != nullptr) residual += residual_stride;
    }
}

template <int M, int V, class Out>
void multiply_tile(const tile_args<uint8_t, Out>& t) {
    ivec sum[M][V];
    start_tile<M, V>(t, sum);
    for (int64_t tap = 0; tap < t.taps; ++tap) {
        const uint8_t* row[M];
        for (int m = 0; m < M; ++m) row[m] = t.rows[tap * M + m];
        multiply_depth<M, V>(t.weights[tap], row, t.depth, sum);
    }
    finish_tile<M, V>(t, sum);
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_CONV2D_BYTE_TILE_H
