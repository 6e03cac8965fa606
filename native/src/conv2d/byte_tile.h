// The register tile of quantised convolutions: sums of int32, and what becomes of them. Only kernels include this.
#ifndef ATROUS_CONV2D_BYTE_TILE_H
#define ATROUS_CONV2D_BYTE_TILE_H

#include "conv2d/tile.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// The products are of the input as it is: what its zero adds to them is taken off here, the zero times the sums of the
// weights of the same taps, which lie after these.
template <int M, int V, class Out>
inline void start_tile(const tile_args<uint8_t, Out>& t, ivec (&sum)[M][V]) {
    ivec start[V];
    for (int v = 0; v < V; ++v) start[v] = all_integers(0);
    if (t.input_zero != 0) {
        const int64_t steps = (t.depth + byte_depth_step - 1) / byte_depth_step;
        for (int64_t tap = 0; tap < t.taps; ++tap) {
            const auto* sums = reinterpret_cast<const int32_t*>(t.weights[tap] + steps * byte_step_weights<V>);
            for (int v = 0; v < V; ++v) start[v] = start[v] - load(sums + v * width);
        }
        for (int v = 0; v < V; ++v) start[v] = start[v] * all_integers(t.input_zero);
    }
    for (int m = 0; m < M; ++m) {
        for (int v = 0; v < V; ++v) sum[m][v] = t.first ? start[v] : start[v] + load(t.sums + (m * V + v) * width);
        // One line holds what is written of a pixel, or two do.
        if (m < t.pixels && t.last) prefetch(t.output + m * t.output_stride);
    }
}

// Sums of one register of channels as the output's numbers, before they are stored. at: the pixel's residual or null.
template <int V, class Out>
inline vec finish_vector(const tile_args<uint8_t, Out>& t, ivec sum, int v, const Out* residual) {
    const requantisation& q = t.quantised;
    vec y = to_float(sum) * load(q.factor + v * width) + load(q.offset + v * width);
    if constexpr (std::is_same_v<Out, uint8_t>) {
        if (residual != nullptr) {
            const vec r = read_vector<V>(residual, v, t.last_lanes) - all(q.residual_zero);
            y = y + r * all(q.residual_factor);
        }
        return smaller(all(q.high), larger(y, all(q.low)));
    } else {
        if (residual != nullptr) y = y + read_vector<V>(residual, v, t.last_lanes);
        return activate(y, t.activation, t.slope);
    }
}

template <int M, int V, class Out>
inline void finish_tile(const tile_args<uint8_t, Out>& t, ivec (&sum)[M][V]) {
    if (!t.last) {
        for (int m = 0; m < M; ++m)
            for (int v = 0; v < V; ++v) store(t.sums + (m * V + v) * width, sum[m][v]);
        return;
    }
    for (int m = 0; m < M; ++m) {
        if (m >= t.pixels) return;
        Out* out = t.output + m * t.output_stride;
        const Out* residual = t.residual == nullptr ? nullptr : t.residual + m * t.residual_stride;
        for (int v = 0; v < V; ++v) write_vector<V>(out, finish_vector<V>(t, sum[m][v], v, residual), v, t.last_lanes);
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
