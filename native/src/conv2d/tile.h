// A register tile of pixels x output channels: its start, its products, its end. Only kernels include this.
#ifndef ATROUS_CONV2D_TILE_H
#define ATROUS_CONV2D_TILE_H

#include <type_traits>

#include "activation.h"
#include "conv2d/byte_products.h"
#include "kernels.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

template <class In>
using weight_for = std::conditional_t<std::is_same_v<In, uint8_t>, byte_weight, In>;
template <class In>
using sum_for = std::conditional_t<std::is_same_v<In, uint8_t>, int32_t, float>;

// What the tiles of one run have in common, and where this tile reads and writes.
template <class In, class Out>
struct tile_args {
    const In* const* rows;                 // [tap][pixels of a tile]: the input channels of each pixel, or zeros
    const weight_for<In>* const* weights;  // [tap]: [depth][vectors * width], as conv2d_block says
    int64_t taps, depth;
    const float* bias;
    const Out* residual;  // of the first pixel, or null
    int64_t residual_stride;
    Out* output;  // of the first pixel
    int64_t output_stride;
    sum_for<In>* sums;   // between depth blocks: [pixel of the tile][vectors * width]
    int64_t pixels;      // of the tile, how many are stored
    int64_t last_lanes;  // channels in the last vector
    bool first, last;    // the first depth block starts from the bias, the last one applies the activation
    int32_t activation;
    float slope;
    requantisation quantised;  // its pointers at the channels of the tile
    int32_t input_zero;
};

// Pixels of a tile whose channels take so many vectors: as many accumulators as fit beside the operands.
constexpr int tile_pixels(int vectors) {
#if defined(ATROUS_NEON)
    return vectors == 1 ? 12 : vectors == 2 ? 8 : 6;  // which take a register each
#else
    return registers == 16 ? (vectors == 2 ? 6 : 12) : vectors == 4 ? 6 : vectors == 3 ? 8 : 12;
#endif
}

template <int V, class T>
inline vec read_vector(const T* p, int v, int64_t last_lanes) {
    return v + 1 < V || last_lanes == width ? load(p + v * width) : load_part(p + v * width, last_lanes);
}
template <int V, class T>
inline void write_vector(T* p, vec x, int v, int64_t last_lanes) {
    if (v + 1 < V || last_lanes == width) {
        store(p + v * width, x);
    } else {
        store_part(p + v * width, x, last_lanes);
    }
}

template <int M, int V, class In, class Out>
inline void start_tile(const tile_args<In, Out>& t, vec (&sum)[M][V]) {
    for (int m = 0; m < M; ++m) {
        for (int v = 0; v < V; ++v) sum[m][v] = load(t.first ? t.bias + v * width : t.sums + (m * V + v) * width);
        if (m >= t.pixels) continue;
        // The products take long enough for the lines that will be written to arrive.
        if (t.last)
            for (int v = 0; v < V; ++v) prefetch(t.output + m * t.output_stride + v * width);
        if (!t.first || t.residual == nullptr) continue;
        const Out* residual = t.residual + m * t.residual_stride;
        for (int v = 0; v < V; ++v) sum[m][v] = sum[m][v] + read_vector<V>(residual, v, t.last_lanes);
    }
}

template <int M, int V, class In, class Out>
inline void finish_tile(const tile_args<In, Out>& t, vec (&sum)[M][V]) {
    if (!t.last) {
        for (int m = 0; m < M; ++m)
            for (int v = 0; v < V; ++v) store(t.sums + (m * V + v) * width, sum[m][v]);
        return;
    }
    for (int m = 0; m < M; ++m) {
        if (m >= t.pixels) return;
        Out* out = t.output + m * t.output_stride;
        for (int v = 0; v < V; ++v) {
            vec x = activate(sum[m][v], t.activation, t.slope);
            if constexpr (std::is_same_v<Out, uint8_t>)
                x = quantise(x, all(t.quantised.per_step), all(t.quantised.zero));
            write_vector<V>(out, x, v, t.last_lanes);
        }
    }
}

template <int M, int V, class In, class Out>
void multiply_tile(const tile_args<In, Out>& t) {
    vec sum[M][V];
    start_tile<M, V>(t, sum);
    for (int64_t tap = 0; tap < t.taps; ++tap) {
        const In* row[M];
        for (int m = 0; m < M; ++m) row[m] = t.rows[tap * M + m];
        multiply_depth<M, V>(t.weights[tap], row, t.depth, sum, [](int) {});
    }
    finish_tile<M, V>(t, sum);
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_CONV2D_TILE_H
