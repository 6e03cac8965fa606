// Depthwise convolution, one filter a channel. Bound by memory: four neighbouring pixels share each weight that is
// read.
#include "activation.h"
#include "kernels.h"
#include "simd_bfloat16.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// The taps of a window that lie inside the picture along one axis: [begin, end).
struct span {
    int64_t begin, end;
};

span clip(int64_t start, int64_t dilation, int64_t kernel, int64_t size) {
    const int64_t begin = start < 0 ? (-start + dilation - 1) / dilation : 0;
    const int64_t end = start >= size ? 0 : (size - start + dilation - 1) / dilation;
    return {begin, end < kernel ? end : kernel};
}

template <class Out>
struct place {
    int64_t row;  // offset of the input row of the window's first tap; may lie outside, only valid taps are read
    int64_t x;    // input column of the first pixel's first tap
    span rows, columns;
    Out* output;
    const Out* residual;  // or null
};

// M pixels side by side, their windows cut alike.
template <int M, class In, class Out>
void filter(const depthwise_args& a, const place<Out>& at) {
    const In* const input = elements<In>(a.input);
    const int64_t stride = a.input.pixel_stride, pixel_step = a.taps.stride_width * stride;
    const int64_t row_step = a.taps.dilation_height * static_cast<int64_t>(a.input.width) * stride;
    const int64_t tap_step = a.taps.dilation_width * stride;
    const int64_t taps = static_cast<int64_t>(a.taps.kernel_height) * a.taps.kernel_width;
    // What the pixels to the right will be the first to read, and where they will be written.
    const int64_t ahead =
        at.row + (at.rows.end - 1) * row_step + at.x * stride + (a.taps.kernel_width - 1) * tap_step + M * pixel_step;
    for (int64_t c = 0; c < a.input.channels; c += width) {
        const int64_t lanes = a.input.channels - c < width ? a.input.channels - c : width;
        const auto read = [&](const auto* p) { return lanes == width ? load(p) : load_part(p, lanes); };
        vec sum[M];
        for (int m = 0; m < M; ++m) {
            sum[m] = load(a.bias + c);
            prefetch(input + ahead + m * pixel_step + c);
            prefetch(at.output + (M + m) * a.output.pixel_stride + c);
        }
        for (int64_t ky = at.rows.begin; ky < at.rows.end; ++ky) {
            const In* in =
                input + (at.row + ky * row_step + (at.x + at.columns.begin * a.taps.dilation_width) * stride + c);
            const float* weights = a.weights + c * taps + ky * a.taps.kernel_width * width;
            for (int64_t kx = at.columns.begin; kx < at.columns.end; ++kx, in += tap_step) {
                const vec w = load(weights + kx * width);
                for (int m = 0; m < M; ++m) sum[m] = multiply_add(read(in + m * pixel_step), w, sum[m]);
            }
        }
        for (int m = 0; m < M; ++m) {
            if (at.residual != nullptr) sum[m] = sum[m] + read(at.residual + m * a.residual.pixel_stride + c);
            const vec y = activate(sum[m], a.activation, a.slope);
            Out* out = at.output + m * a.output.pixel_stride + c;
            lanes == width ? store(out, y) : store_part(out, y, lanes);
        }
    }
}

template <class In, class Out>
void walk(const depthwise_args& a, int64_t begin, int64_t end) {
    constexpr int M = 4;
    const window& w = a.taps;
    for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / a.output.height, y = row % a.output.height;
        const int64_t first_y = y * w.stride_height - w.pad_top;
        place<Out> at{};
        at.row = (n * a.input.height + first_y) * a.input.width * a.input.pixel_stride;
        at.rows = clip(first_y, w.dilation_height, w.kernel_height, a.input.height);
        for (int64_t x = 0; x < a.output.width;) {
            const int64_t pixel = row * a.output.width + x;
            at.output = elements<Out>(a.output) + pixel * a.output.pixel_stride;
            at.residual =
                a.residual.data == nullptr ? nullptr : elements<Out>(a.residual) + pixel * a.residual.pixel_stride;
            at.x = x * w.stride_width - w.pad_left;
            at.columns = clip(at.x, w.dilation_width, w.kernel_width, a.input.width);
            const span far = clip(at.x + (M - 1) * static_cast<int64_t>(w.stride_width), w.dilation_width,
                                  w.kernel_width, a.input.width);
            // Both ends of a window's cut move one way with x: where the outer pixels agree, so do those between.
            if (at.columns.begin == far.begin && at.columns.end == far.end && x + M <= a.output.width) {
                filter<M, In>(a, at);
                x += M;
            } else {
                filter<1, In>(a, at);
                ++x;
            }
        }
    }
}

}  // namespace

void depthwise(const depthwise_args& a, int64_t begin, int64_t end, float*) {
    const bool to_float = a.output.type == ATROUS_FLOAT32;
    if (a.input.type == ATROUS_FLOAT32) {
        to_float ? walk<float, float>(a, begin, end) : walk<float, bf16>(a, begin, end);
    } else {
        to_float ? walk<bf16, float>(a, begin, end) : walk<bf16, bf16>(a, begin, end);
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
