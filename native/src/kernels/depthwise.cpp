// Depthwise convolution, one filter a channel. Bound by memory: pixels side by side share each weight that is read, and
// at the usual windows each column of the picture too; so many channels at a time that all of it stays in the first
// cache level.
#include <algorithm>
#include <type_traits>

#include "activation.h"
#include "kernels.h"
#include "simd_bytes.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// Channels of a row that are computed before the next ones.
constexpr int64_t channel_block = 128;

// [begin, end)
struct span {
    int64_t begin, end;
    bool operator==(const span&) const = default;
};

// The taps of a window that lie inside the picture along one axis.
span clip(int64_t start, int64_t dilation, int64_t kernel, int64_t size) {
    const int64_t begin = start < 0 ? (-start + dilation - 1) / dilation : 0;
    const int64_t end = start >= size ? 0 : (size - start + dilation - 1) / dilation;
    return {begin, end < kernel ? end : kernel};
}

template <class In, class Out>
struct place {
    const In* input;     // of the first pixel's first tap; may lie outside, only valid taps are read
    span rows, columns;  // of its taps
    Out* output;
    const Out* residual;  // or null
};

// What is the same for all pixels, in elements.
struct steps {
    int64_t pixel;                // from one output pixel's window to the next one's
    int64_t row_tap, column_tap;  // from one tap to the next
    int64_t kernel_width, taps;
    steps(const depthwise_args& a)
        : pixel(a.taps.stride_width * a.input.pixel_stride),
          row_tap(a.taps.dilation_height * static_cast<int64_t>(a.input.width) * a.input.pixel_stride),
          column_tap(a.taps.dilation_width * a.input.pixel_stride),
          kernel_width(a.taps.kernel_width),
          taps(a.taps.kernel_height * kernel_width) {}
};

// In a loop that is unrolled: else the compiler holds the address of each turn, and runs out of registers. Volatile, or
// a function that does nothing but prefetch is taken to do nothing.
template <class T>
[[gnu::always_inline]] inline void keep_one_address(T*& p) {
    asm volatile("" : "+r"(p));
}

template <int N, class T>
[[gnu::always_inline]] inline void prefetch_pixels(T* first, int64_t stride) {
#pragma GCC unroll 32
    for (int i = 0; i < N; ++i, first += stride) {
        keep_one_address(first);
        prefetch(first);
    }
}

// A picture's numbers as the weights multiply them: of uint8 what they are above the zero.
template <class In>
struct reader {
    explicit reader(const depthwise_args&) {}
    vec operator()(const In* p) const { return load(p); }
    vec operator()(const In* p, int64_t lanes) const { return lanes == width ? load(p) : load_part(p, lanes); }
};
template <>
struct reader<uint8_t> {
    difference above;
    explicit reader(const depthwise_args& a) : above(a.input.zero) {}
    vec operator()(const uint8_t* p) const { return above.of(load_integers(p)); }
    vec operator()(const uint8_t* p, int64_t lanes) const {
        return above.of(lanes == width ? load_integers(p) : load_integers_part(p, lanes));
    }
};

// What sums start from. Those of uint8 are integers, which floats hold exactly, until they are multiplied at the end.
template <class In>
vec start(const depthwise_args& a, int64_t channel) {
    return std::is_same_v<In, uint8_t> ? all(0.0f) : load(a.bias + channel);
}

// What the sums become, as many channels as a register holds; lanes of them, or all.
template <class In, int M, class Out>
[[gnu::always_inline]] inline void finish(const depthwise_args& a, const place<In, Out>& at, int64_t channel,
                                          vec (&sum)[M], int64_t lanes = width) {
    const auto residual = [&](int m) {
        const Out* p = at.residual + m * a.residual.pixel_stride + channel;
        return lanes == width ? load(p) : load_part(p, lanes);
    };
    if constexpr (std::is_same_v<In, uint8_t>) {
        const vec factor = load(a.quantised.factor + channel), offset = load(a.quantised.offset + channel);
        for (vec& y : sum) y = y * factor + offset;
    }
    if constexpr (std::is_same_v<Out, uint8_t>) {
        const requantisation& q = a.quantised;
        if (at.residual != nullptr) {
            const vec zero = all(static_cast<float>(q.residual_zero)), factor = all(q.residual_factor);
            for (int m = 0; m < M; ++m) sum[m] = sum[m] + (residual(m) - zero) * factor;
        }
        for (vec& y : sum) y = smaller(all(q.high), larger(y, all(q.low)));
    } else {
        if (at.residual != nullptr) {
            for (int m = 0; m < M; ++m) sum[m] = sum[m] + residual(m);
        }
        activate_all(sum, a.activation, a.slope);
    }
    for (int m = 0; m < M; ++m) {
        Out* out = at.output + m * a.output.pixel_stride + channel;
        lanes == width ? store(out, sum[m]) : store_part(out, sum[m], lanes);
    }
}

// One pixel, any window.
struct one_pixel {
    static constexpr int pixels = 1;

    static bool takes(span, span) { return true; }

    template <class In, class Out>
    static void filter(const depthwise_args& a, const steps& s, const place<In, Out>& at, int64_t begin, int64_t end) {
        const reader<In> read(a);
        for (int64_t c = begin; c < end; c += width) {
            const int64_t lanes = std::min<int64_t>(end - c, width);
            vec sum[1] = {start<In>(a, c)};
            for (int64_t ky = at.rows.begin; ky < at.rows.end; ++ky) {
                const In* in = at.input + ky * s.row_tap + at.columns.begin * s.column_tap + c;
                const float* weights = a.weights + c * s.taps + ky * s.kernel_width * width;
                for (int64_t kx = at.columns.begin; kx < at.columns.end; ++kx, in += s.column_tap)
                    sum[0] = multiply_add(read(in, lanes), load(weights + kx * width), sum[0]);
            }
            finish(a, at, c, sum, lanes);
        }
    }
};

// Pixels side by side, their windows cut alike: any window.
struct any_window {
    static constexpr int pixels = 4;

    // Both ends of a window's cut move one way with x: where the outer pixels agree, so do those between.
    static bool takes(span first, span last) { return first == last; }

    template <class In, class Out>
    static void filter(const depthwise_args& a, const steps& s, const place<In, Out>& at, int64_t begin, int64_t end) {
        const reader<In> read(a);
        for (int64_t c = begin; c < end; c += width) {
            vec sum[pixels];
            for (int m = 0; m < pixels; ++m) sum[m] = start<In>(a, c);
            for (int64_t ky = at.rows.begin; ky < at.rows.end; ++ky) {
                const In* in = at.input + ky * s.row_tap + at.columns.begin * s.column_tap + c;
                const float* weights = a.weights + c * s.taps + ky * s.kernel_width * width;
                for (int64_t kx = at.columns.begin; kx < at.columns.end; ++kx, in += s.column_tap) {
                    const vec w = load(weights + kx * width);
                    for (int m = 0; m < pixels; ++m) sum[m] = multiply_add(read(in + m * s.pixel), w, sum[m]);
                }
            }
            finish(a, at, c, sum);
        }
    }
};

// The same, no column of their windows cut: a column that several windows share is read once.
template <int Kernel, int Stride, int Dilation>
struct usual_window {
    static constexpr int pixels = 6;

    static bool fits(const window& w) {
        return w.kernel_width == Kernel && w.stride_width == Stride && w.dilation_width == Dilation;
    }

    static bool takes(span first, span last) { return first == span{0, Kernel} && last == first; }

    template <class In, class Out>
    static void filter(const depthwise_args& a, const steps& s, const place<In, Out>& at, int64_t begin, int64_t end) {
        constexpr int columns = (pixels - 1) * Stride + (Kernel - 1) * Dilation + 1;
        const int64_t column = a.input.pixel_stride, row_tap = s.row_tap, rows = at.rows.end - at.rows.begin;
        const reader<In> read(a);
        const In* first = at.input + at.rows.begin * row_tap + begin;
        const float* first_weights = a.weights + begin * s.taps + at.rows.begin * Kernel * width;
        for (int64_t c = begin; c < end; c += width, first += width, first_weights += s.taps * width) {
            vec sum[pixels];
            const vec first_sum = start<In>(a, c);
            for (int m = 0; m < pixels; ++m) sum[m] = first_sum;
            const In* row = first;
            const float* weights = first_weights;
            // What the pixels to the right will be the first to read, and where they will be written.
            prefetch_pixels<pixels * Stride>(first + (rows - 1) * row_tap + columns * column, column);
            prefetch_pixels<pixels>(at.output + c + pixels * a.output.pixel_stride, a.output.pixel_stride);
            for (int64_t ky = 0; ky < rows; ++ky, row += row_tap, weights += Kernel * width) {
                vec w[Kernel];
                for (int kx = 0; kx < Kernel; ++kx) w[kx] = load(weights + kx * width);
                const In* in = row;
#pragma GCC unroll 32
                for (int j = 0; j < columns; ++j, in += column) {
                    keep_one_address(in);
                    if (!is_read(j)) continue;
                    const vec x = read(in);
#pragma GCC unroll 8
                    for (int kx = 0; kx < Kernel; ++kx) {
                        const int start = j - kx * Dilation;  // of the window that has the column at this tap
                        if (start >= 0 && start % Stride == 0 && start / Stride < pixels)
                            sum[start / Stride] = multiply_add(x, w[kx], sum[start / Stride]);
                    }
                }
            }
            finish(a, at, c, sum);
        }
    }

 private:
    static constexpr bool is_read(int column) {
        for (int kx = 0; kx < Kernel; ++kx) {
            const int start = column - kx * Dilation;
            if (start >= 0 && start % Stride == 0 && start / Stride < pixels) return true;
        }
        return false;
    }
};

template <class In, class Out>
class walker {
 public:
    explicit walker(const depthwise_args& a) : a_(a), steps_(a) {}

    template <class Window>
    void walk(int64_t begin, int64_t end) const {
        const int64_t channels = a_.input.channels, whole = channels / width * width;
        for (int64_t pixel = begin; pixel < end;) {
            const int64_t row = pixel / a_.output.width, first = pixel % a_.output.width;
            const int64_t last = std::min<int64_t>(first + end - pixel, a_.output.width);
            for (int64_t c = 0; c < whole; c += channel_block)
                walk_row<Window>(row, {first, last}, {c, std::min(c + channel_block, whole)});
            if (whole < channels) walk_row<one_pixel>(row, {first, last}, {whole, channels});
            pixel += last - first;
        }
    }

 private:
    // Some pixels of a row of the output, some channels of them; pixels that make no group go one by one.
    template <class Window>
    void walk_row(int64_t row, span pixels, span channels) const {
        const window& w = a_.taps;
        const int64_t n = row / a_.output.height, y = row % a_.output.height;
        const int64_t first_y = y * w.stride_height - w.pad_top;
        const In* input =
            elements<In>(a_.input) + (n * a_.input.height + first_y) * a_.input.width * a_.input.pixel_stride;
        place<In, Out> at{};
        at.rows = clip(first_y, w.dilation_height, w.kernel_height, a_.input.height);
        for (int64_t x = pixels.begin; x < pixels.end;) {
            const int64_t pixel = row * a_.output.width + x - a_.first_pixel;
            at.input = input + first_column(x) * a_.input.pixel_stride;
            at.output = elements<Out>(a_.output) + pixel * a_.output.pixel_stride;
            at.residual =
                a_.residual.data == nullptr ? nullptr : elements<Out>(a_.residual) + pixel * a_.residual.pixel_stride;
            at.columns = columns_of(x);
            if (x + Window::pixels <= pixels.end && Window::takes(at.columns, columns_of(x + Window::pixels - 1))) {
                Window::filter(a_, steps_, at, channels.begin, channels.end);
                x += Window::pixels;
            } else {
                one_pixel::filter(a_, steps_, at, channels.begin, channels.end);
                ++x;
            }
        }
    }

    int64_t first_column(int64_t x) const { return x * a_.taps.stride_width - a_.taps.pad_left; }

    span columns_of(int64_t x) const {
        return clip(first_column(x), a_.taps.dilation_width, a_.taps.kernel_width, a_.input.width);
    }

    const depthwise_args& a_;
    const steps steps_;
};

template <class In, class Out>
void walk(const depthwise_args& a, int64_t begin, int64_t end) {
    const walker<In, Out> w(a);
    if (usual_window<3, 1, 1>::fits(a.taps)) return w.template walk<usual_window<3, 1, 1>>(begin, end);
    if (usual_window<3, 1, 2>::fits(a.taps)) return w.template walk<usual_window<3, 1, 2>>(begin, end);
    if (usual_window<3, 2, 1>::fits(a.taps)) return w.template walk<usual_window<3, 2, 1>>(begin, end);
    w.template walk<any_window>(begin, end);
}

}  // namespace

void depthwise(const depthwise_args& a, int64_t begin, int64_t end, float*) {
    const bool to_float = a.output.type == ATROUS_FLOAT32;
    switch (a.input.type) {
        case ATROUS_FLOAT32:
            return to_float ? walk<float, float>(a, begin, end) : walk<float, bf16>(a, begin, end);
        case ATROUS_BFLOAT16:
            return to_float ? walk<bf16, float>(a, begin, end) : walk<bf16, bf16>(a, begin, end);
        default:
            return to_float ? walk<uint8_t, float>(a, begin, end) : walk<uint8_t, uint8_t>(a, begin, end);
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
