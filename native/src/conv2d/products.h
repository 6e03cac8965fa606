// The innermost loop of convolutions: products of some pixels with some registers of output channels, summed over the
// depth in registers. Only kernels include this.
#ifndef ATROUS_CONV2D_PRODUCTS_H
#define ATROUS_CONV2D_PRODUCTS_H

#include "simd_bfloat16.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// Registers of output channels that are computed at once.
constexpr int most_vectors = registers == 32 ? 4 : 2;

// One step along the depth for every sum.
template <int M, int V, class In, class Broadcast>
[[gnu::always_inline]] inline void multiply_step(const In* weights, Broadcast broadcast, vec (&sum)[M][V]) {
    factor<In> w[V];
    for (int v = 0; v < V; ++v) w[v] = factor<In>::load(weights + v * width * depth_step<In>);
    for (int m = 0; m < M; ++m) {
        const factor<In> x = broadcast(m);
        for (int v = 0; v < V; ++v) sum[m][v] = multiply_add(x, w[v], sum[m][v]);
    }
}

#if defined(ATROUS_NEON)

// Four steps: a product can take one lane of a register, so that a pixel is read once for all of them.
template <int Lane, int M, int V, class In>
[[gnu::always_inline]] inline void multiply_lane(const In* weights, const factor<In> (&x)[M], vec (&sum)[M][V]) {
    weights += Lane * V * width * depth_step<In>;
    for (int v = 0; v < V; ++v) {
        const factor<In> w = factor<In>::load(weights + v * width * depth_step<In>);
        for (int m = 0; m < M; ++m) sum[m][v] = multiply_add<Lane>(x[m], w, sum[m][v]);
    }
}

#endif

// sum[m][v] += row[m][k] * weights[k][v] over k in [0, depth), in the order of k. soon(steps): so many steps are done,
// and something that is wanted later may be asked for.
template <int M, int V, class In, class Soon>
[[gnu::always_inline]] inline void multiply_depth(const In* weights, const In* const (&row)[M], int64_t depth,
                                                  vec (&sum)[M][V], Soon soon) {
    const int64_t whole = depth / depth_step<In> * depth_step<In>;
    int64_t k = 0;
#if defined(ATROUS_NEON)
    constexpr int64_t four = 4 * depth_step<In>;
    // Sums whose address others know are written back in every turn, for the pictures might be they.
    vec own[M][V];
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) own[m][v] = sum[m][v];
    for (; k + four <= whole; k += four, weights += V * width * four) {
        factor<In> x[M];
        for (int m = 0; m < M; ++m) x[m] = factor<In>::load(row[m] + k);
        soon(4);
        multiply_lane<0>(weights, x, own);
        multiply_lane<1>(weights, x, own);
        multiply_lane<2>(weights, x, own);
        multiply_lane<3>(weights, x, own);
    }
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v) sum[m][v] = own[m][v];
#endif
    for (; k < whole; k += depth_step<In>, weights += V * width * depth_step<In>) {
        soon(1);
        multiply_step<M, V>(
            weights, [&](int m) { return factor<In>::broadcast(row[m] + k); }, sum);
    }
    if constexpr (depth_step < In >> 1) {
        if (whole < depth)
            multiply_step<M, V>(
                weights, [&](int m) { return factor<In>::broadcast_single(row[m] + whole); }, sum);
    }
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_CONV2D_PRODUCTS_H
