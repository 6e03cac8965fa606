// The innermost loop of a convolution: a register tile of pixels x output channels. Only kernels include this.
#ifndef ATROUS_CONV2D_TILE_H
#define ATROUS_CONV2D_TILE_H

#include "activation.h"
#include "kernels.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// What the tiles of one run have in common, and where this tile reads.
struct tile_args {
    const float* const* rows;     // [tap][pixels of a tile]: the input channels of each pixel, or zeros
    const float* const* weights;  // [tap]: [depth][vectors * width]
    int64_t taps, depth;
    const float* bias;
    const float* residual;  // of the first pixel, or null
    int64_t residual_stride;
    float* output;  // of the first pixel
    int64_t output_stride;
    int64_t pixels;      // of the tile, how many are stored
    int64_t last_lanes;  // channels in the last vector
    bool first, last;    // the first depth block starts from the bias, the last one applies the activation
    int32_t activation;
    float slope;
};

// Pixels of a tile whose channels take so many vectors: as many accumulators as fit beside the operands.
constexpr int tile_pixels(int vectors) {
#if defined(__AVX512F__)
    return vectors == 4 ? 6 : vectors == 3 ? 8 : 12;
#else
    return vectors == 2 ? 6 : 12;
#endif
}

template <int V>
inline vec read_vector(const float* p, int v, int64_t last_lanes) {
    return v + 1 < V || last_lanes == width ? load(p + v * width) : load_part(p + v * width, last_lanes);
}

template <int M, int V>
inline void start_tile(const tile_args& t, vec (&sum)[M][V]) {
    for (int m = 0; m < M; ++m) {
        for (int v = 0; v < V; ++v) sum[m][v] = t.first ? load(t.bias + v * width) : all(0.0f);
        if (m >= t.pixels) continue;
        // The products take long enough for the lines that will be written to arrive.
        for (int v = 0; v < V; ++v) prefetch(t.output + m * t.output_stride + v * width);
        const float* from = !t.first                ? t.output + m * t.output_stride
                            : t.residual != nullptr ? t.residual + m * t.residual_stride
                                                    : nullptr;
        if (from == nullptr) continue;
        for (int v = 0; v < V; ++v) sum[m][v] = sum[m][v] + read_vector<V>(from, v, t.last_lanes);
    }
}

template <int M, int V>
inline void finish_tile(const tile_args& t, vec (&sum)[M][V]) {
    for (int m = 0; m < M; ++m) {
        if (m >= t.pixels) return;
        float* out = t.output + m * t.output_stride;
        for (int v = 0; v < V; ++v) {
            const vec x = t.last ? activate(sum[m][v], t.activation, t.slope) : sum[m][v];
            if (v + 1 < V || t.last_lanes == width) {
                store(out + v * width, x);
            } else {
                store_part(out + v * width, x, t.last_lanes);
            }
        }
    }
}

template <int M, int V>
void multiply_tile(const tile_args& t) {
    vec sum[M][V];
    start_tile<M, V>(t, sum);
    for (int64_t tap = 0; tap < t.taps; ++tap) {
        const float* row[M];
        for (int m = 0; m < M; ++m) row[m] = t.rows[tap * M + m];
        const float* weights = t.weights[tap];
        for (int64_t k = 0; k < t.depth; ++k) {
            vec w[V];
            for (int v = 0; v < V; ++v) w[v] = load(weights + v * width);
            weights += V * width;
            for (int m = 0; m < M; ++m) {
                const vec x = all(row[m][k]);
                for (int v = 0; v < V; ++v) sum[m][v] = multiply_add(x, w[v], sum[m][v]);
            }
        }
    }
    finish_tile<M, V>(t, sum);
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_CONV2D_TILE_H
