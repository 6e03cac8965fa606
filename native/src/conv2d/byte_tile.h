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

// Sums of one register of channels as the output's numbers; residual: of the pixel, or null. Of bytes neither the lower
// bound is applied yet nor the rounding.
template <int V, class Out>
inline vec finish_vector(const tile_args<uint8_t, Out>& t, ivec sum, int v, const Out* residual) {
    const requantisation& q = t.quantised;
    vec y = to_float(sum) * load(q.factor + v * width) + load(q.offset + v * width);
    if constexpr (std::is_same_v<Out, uint8_t>) {
        if (residual != nullptr) {
            const vec r = read_vector<V>(residual, v, t.last_lanes) - all(q.residual_zero);
            y = y + r * all(q.residual_factor);
        }
        return smaller(all(q.high), y);
    } else {
        if (residual != nullptr) y = y + read_vector<V>(residual, v, t.last_lanes);
        return activate(y, t.activation, t.slope);
    }
}

template <int V>
inline void write_pixel(const tile_args<uint8_t, float>& t, float* out, const vec (&y)[V]) {
    for (int v = 0; v < V; ++v) write_vector<V>(out, y[v], v, t.last_lanes);
}

template <int V>
inline void write_pixel(const tile_args<uint8_t, uint8_t>& t, uint8_t* out, const vec (&y)[V]) {
#if defined(__AVX512F__)
    // Bytes of four registers at once: they are packed lane by lane, then the lanes are put in order. The lower bound
    // is an integer, so it is the same after the rounding as before.
    if constexpr (V == 4) {
        if (t.last_lanes == width) {
            const __m512i low = _mm512_packs_epi32(_mm512_cvtps_epi32(y[0].v), _mm512_cvtps_epi32(y[1].v));
            const __m512i high = _mm512_packs_epi32(_mm512_cvtps_epi32(y[2].v), _mm512_cvtps_epi32(y[3].v));
            const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
            const __m512i least = _mm512_set1_epi8(static_cast<char>(static_cast<int>(t.quantised.low)));
            _mm512_storeu_si512(out, _mm512_max_epu8(bytes, least));
            return;
        }
    }
#endif
    for (int v = 0; v < V; ++v) write_vector<V>(out, larger(y[v], all(t.quantised.low)), v, t.last_lanes);
}

template <int M, int V, class Out>
[[gnu::always_inline]] inline void finish_tile(const tile_args<uint8_t, Out>& t, ivec (&sum)[M][V]) {
    if (!t.last) {
#pragma GCC unroll 16
        for (int m = 0; m < M; ++m)
            for (int v = 0; v < V; ++v) store(t.sums + (m * V + v) * width, sum[m][v]);
        return;
    }
#pragma GCC unroll 16
    for (int m = 0; m < M; ++m) {
        if (m >= t.pixels) return;
        const Out* residual = t.residual == nullptr ? nullptr : t.residual + m * t.residual_stride;
        vec y[V];
        for (int v = 0; v < V; ++v) y[v] = finish_vector<V>(t, sum[m][v], v, residual);
        write_pixel(t, t.output + m * t.output_stride, y);
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
