// Atrous depthwise convolution: y[i, c] = activation(sum_k x[stride * i + dilation * k - padding, c] w[k, c] + bias[c]
// + residual[i, c]) (Chen et al. 2018, arXiv:1802.02611, fig. 3). cuDNN's grouped convolutions are slow at this.
#include "activation.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

// Neighbouring output pixels that share the weights in a thread's registers.
constexpr int run_length = 4;

struct window {
    int32_t height, width, stride, dilation, top, left;
};

template <class T, int L>
ATROUS_FUNCTION void convolve(const tensor& x, const float* weights, const float* bias, const tensor& residual,
                              const window& at, int32_t kind, float slope, const tensor& y) {
    tensor runs = y;
    runs.width = (y.width + run_length - 1) / run_length;
    for_each_chunk<L>(runs, [&](place p) {
        const int32_t first = p.x * run_length;
        float sums[run_length][L];
        if (bias == nullptr) {
            ATROUS_UNROLL
            for (int i = 0; i < L; ++i) sums[0][i] = 0.0f;
        } else {
            load(bias + p.c, sums[0]);
        }
        ATROUS_UNROLL
        for (int run = 1; run < run_length; ++run) {
            ATROUS_UNROLL
            for (int i = 0; i < L; ++i) sums[run][i] = sums[0][i];
        }
        const int64_t next_run = at.stride * x.pixel_stride, next_tap = at.dilation * x.pixel_stride;
        const int32_t left = first * at.stride - at.left;
        ATROUS_NO_UNROLL
        for (int row = 0; row < at.height; ++row) {
            const int32_t in_y = p.y * at.stride - at.top + row * at.dilation;
            // Rows that lie outside, as most do at high rates, cost neither their weights nor their products.
            if (in_y < 0 || in_y >= x.height) continue;
            const T* in = pixel<T>(x, p.n, in_y, 0) + p.c;
            const float* factor = weights + static_cast<int64_t>(row) * at.width * y.channels + p.c;
            int64_t tap = left * x.pixel_stride;
            ATROUS_NO_UNROLL
            for (int column = 0; column < at.width; ++column, tap += next_tap, factor += y.channels) {
                float factors[L];
                load(factor, factors);
                ATROUS_UNROLL
                for (int run = 0; run < run_length; ++run) {
                    const int32_t in_x = left + run * at.stride + column * at.dilation;
                    if (in_x < 0 || in_x >= x.width) continue;
                    float values[L];
                    load(in + (tap + run * next_run), values);
                    ATROUS_UNROLL
                    for (int i = 0; i < L; ++i) sums[run][i] = fused(values[i], factors[i], sums[run][i]);
                }
            }
        }
        // The runs come to the first registers one after the other, so that this code stands once.
        ATROUS_NO_UNROLL
        for (int32_t out_x = first; out_x < first + run_length && out_x < y.width; ++out_x) {
            if (residual.data != nullptr) {
                float added[L];
                load(pixel<T>(residual, p.n, p.y, out_x) + p.c, added);
                ATROUS_UNROLL
                for (int i = 0; i < L; ++i) sums[0][i] += added[i];
            }
            activate(sums[0], kind, slope);
            store(pixel<T>(y, p.n, p.y, out_x) + p.c, sums[0]);
            ATROUS_UNROLL
            for (int run = 1; run < run_length; ++run) {
                ATROUS_UNROLL
                for (int i = 0; i < L; ++i) sums[run - 1][i] = sums[run][i];
            }
        }
    });
}

template <class T>
ATROUS_FUNCTION void depthwise(const tensor& x, const float* weights, const float* bias, const tensor& residual,
                               const window& at, int32_t kind, float slope, const tensor& y) {
    const bool whole = y.channels % chunk<T> == 0 && is_aligned<T>(x) && is_aligned<T>(y) &&
                       (residual.data == nullptr || is_aligned<T>(residual)) && is_aligned(weights) && is_aligned(bias);
    if (whole)
        convolve<T, chunk<T>>(x, weights, bias, residual, at, kind, slope, y);
    else
        convolve<T, 1>(x, weights, bias, residual, at, kind, slope, y);
}

}  // namespace

// weights: [tap row][tap column][channel]; bias: [channel] or null; residual.data: null for none, and it may be y's.
// Grid: x covers the chunks of a row of ceil(width / 4) pixels, y the rows of the batch.
ATROUS_ENTRIES(depthwise, block_size,
               (tensor x, const float* weights, const float* bias, tensor residual, int32_t kernel_height,
                int32_t kernel_width, int32_t stride, int32_t dilation, int32_t top, int32_t left, int32_t activation,
                float slope, tensor y),
               (x, weights, bias, residual, window{kernel_height, kernel_width, stride, dilation, top, left},
                activation, slope, y))

}  // namespace atrous::cuda
