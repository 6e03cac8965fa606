// Atrous depthwise convolution: y[i, c] = activation(sum_k x[stride * i + dilation * k - padding, c] w[k, c] + bias[c]
// + residual[i, c]) (Chen et al. 2018, arXiv:1802.02611, fig. 3). cuDNN's grouped convolutions are slow at this.
#include "activation.h"
#include "tensor.h"

namespace atrous::cuda {
namespace {

// Neighbouring output pixels that share the weights in a thread's registers.
constexpr int run_length = 4;

struct window {
    int32_t stride, dilation, top, left;
};

template <class T, int K, int L>
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
        // A tap that lies outside, as most do at high rates, costs neither its weights nor its products.
        ATROUS_NO_UNROLL
        for (int row = 0; row < K; ++row) {
            const int32_t in_y = p.y * at.stride - at.top + row * at.dilation;
            if (in_y < 0 || in_y >= x.height) continue;
            const T* in = pixel<T>(x, p.n, in_y, 0) + p.c;
            ATROUS_UNROLL
            for (int column = 0; column < K; ++column) {
                float factors[L];
                load(weights + static_cast<int64_t>(row * K + column) * y.channels + p.c, factors);
                ATROUS_UNROLL
                for (int run = 0; run < run_length; ++run) {
                    const int32_t in_x = (first + run) * at.stride - at.left + column * at.dilation;
                    if (in_x < 0 || in_x >= x.width) continue;
                    float values[L];
                    load(in + in_x * x.pixel_stride, values);
                    ATROUS_UNROLL
                    for (int i = 0; i < L; ++i) sums[run][i] = fused(values[i], factors[i], sums[run][i]);
                }
            }
        }
        ATROUS_UNROLL
        for (int run = 0; run < run_length; ++run) {
            if (first + run >= y.width) break;
            if (residual.data != nullptr) {
                float added[L];
                load(pixel<T>(residual, p.n, p.y, first + run) + p.c, added);
                ATROUS_UNROLL
                for (int i = 0; i < L; ++i) sums[run][i] += added[i];
            }
            activate(sums[run], kind, slope);
            store(pixel<T>(y, p.n, p.y, first + run) + p.c, sums[run]);
        }
    });
}

template <class T, int K>
ATROUS_FUNCTION void depthwise(const tensor& x, const float* weights, const float* bias, const tensor& residual,
                               const window& at, int32_t kind, float slope, const tensor& y) {
    const bool whole = y.channels % chunk<T> == 0 && is_aligned<T>(x) && is_aligned<T>(y) &&
                       (residual.data == nullptr || is_aligned<T>(residual)) && is_aligned(weights) && is_aligned(bias);
    if (whole)
        convolve<T, K, chunk<T>>(x, weights, bias, residual, at, kind, slope, y);
    else
        convolve<T, K, 1>(x, weights, bias, residual, at, kind, slope, y);
}

template <class T>
ATROUS_FUNCTION void depthwise3(const tensor& x, const float* weights, const float* bias, const tensor& residual,
                                const window& at, int32_t kind, float slope, const tensor& y) {
    depthwise<T, 3>(x, weights, bias, residual, at, kind, slope, y);
}

template <class T>
ATROUS_FUNCTION void depthwise5(const tensor& x, const float* weights, const float* bias, const tensor& residual,
                                const window& at, int32_t kind, float slope, const tensor& y) {
    depthwise<T, 5>(x, weights, bias, residual, at, kind, slope, y);
}

}  // namespace

// weights: [tap row][tap column][channel]; bias: [channel] or null; residual.data: null for none, and it may be y's.
// Grid: x covers the chunks of a row of ceil(width / 4) pixels, y the rows of the batch.
#define ATROUS_DEPTHWISE(name)                                                                                  \
    ATROUS_ENTRIES(name, block_size,                                                                            \
                   (tensor x, const float* weights, const float* bias, tensor residual, int32_t stride,         \
                    int32_t dilation, int32_t top, int32_t left, int32_t activation, float slope, tensor y),    \
                   (x, weights, bias, residual, window{stride, dilation, top, left}, activation, slope, y))
ATROUS_DEPTHWISE(depthwise3)
ATROUS_DEPTHWISE(depthwise5)

}  // namespace atrous::cuda
