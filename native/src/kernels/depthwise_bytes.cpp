// Depthwise convolution of uint8 to uint8 by VPDPBUSD. Four rows of the picture are interleaved channel by channel, so
// that one instruction takes a column of the window; pixels side by side share the columns. Sums are of int32, as exact
// as the floats of depthwise.cpp, which does what this does not: the bits are the same.
#include <algorithm>

#include "kernels.h"
#include "simd_bytes.h"

namespace atrous::ATROUS_ISA_NAMESPACE {

#if defined(__AVX512VNNI__)

namespace {

constexpr int parts = 4;  // registers of sums of one group of channels
constexpr int64_t group = depthwise_byte_group, column_weights = parts * 64;
static_assert(group == parts * width);

// Interleaved, lane of 16 bytes by lane: a register of four rows has channels 0 to 3 of each lane, the next one 4 to 7,
// and so on. Packed again they are in order.
struct columns {
    __m512i part[parts];
    columns(__m512i a, __m512i b, __m512i c, __m512i d) {
        const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
        const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
        part[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
        part[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
        part[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
        part[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
    }
};

// In a loop that is unrolled: else the compiler holds what is at the address, or the address of each turn, and runs out
// of registers.
template <class T>
[[gnu::always_inline]] inline void keep_one_address(T*& p) {
    asm volatile("" : "+r"(p));
}

// Some channels of some pixels, and what they are made of. Whole: as many as a group has.
template <bool Whole>
class filter {
 public:
    filter(const depthwise_bytes_args& a, int64_t first_group)
        : a_(a),
          channel_(first_group * group),
          lanes_(Whole ? ~uint64_t{0} : (uint64_t{1} << (a.input.channels - channel_)) - 1),
          quads_((a.taps.kernel_height + 3) / 4),
          weights_(a.weights + first_group * quads_ * a.taps.kernel_width * column_weights),
          above_(a.quantised.residual_zero),
          zeros_(_mm512_set1_epi8(static_cast<char>(a.input.zero))) {}

    // The pixels of a row of the output from first to last.
    template <int Kernel, int Stride, int Dilation>
    void run(int64_t row, int64_t first, int64_t last) const {
        // Where every column of the window lies in the picture.
        const int64_t left = a_.taps.pad_left, room = a_.input.width - 1 - (Kernel - 1) * Dilation + left;
        const int64_t inside = (std::max<int64_t>(left, 0) + Stride - 1) / Stride;
        const int64_t outside = std::min(last, room < 0 ? 0 : room / Stride + 1);
        int64_t x = first;
        for (; x < last && x < inside; ++x) filter_one(row, x);
        for (; x + 4 <= outside; x += 4) filter_several<Kernel, Stride, Dilation, 4>(row, x);
        for (; x < outside; ++x) filter_several<Kernel, Stride, Dilation, 1>(row, x);
        for (; x < last; ++x) filter_one(row, x);
    }
    void run_any(int64_t row, int64_t first, int64_t last) const {
        for (int64_t x = first; x < last; ++x) filter_one(row, x);
    }

 private:
    // Four rows of the window's, at the first column of a pixel; null where they lie outside.
    struct quad {
        const uint8_t* row[4];
    };
    quad rows_at(int64_t row, int64_t x, int64_t first_tap) const {
        const window& w = a_.taps;
        const int64_t n = row / a_.output.height, y = row % a_.output.height * w.stride_height - w.pad_top;
        quad made;
        for (int64_t i = 0; i < 4; ++i) {
            const int64_t tap = first_tap + i, at = y + tap * w.dilation_height;
            const bool inside = tap < w.kernel_height && at >= 0 && at < a_.input.height;
            made.row[i] = inside ? elements<uint8_t>(a_.input) + channel_ +
                                       ((n * a_.input.height + at) * a_.input.width + x * w.stride_width - w.pad_left) *
                                           a_.input.pixel_stride
                                 : nullptr;
        }
        return made;
    }
    __m512i load_bytes(const uint8_t* p) const {
        return Whole ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(lanes_, p);
    }

    template <int M>
    void start(__m512i (&sum)[M][parts]) const {
        for (int v = 0; v < parts; ++v) {
            const __m512i first = _mm512_loadu_si512(a_.start + channel_ + v * width);
            for (int m = 0; m < M; ++m) sum[m][v] = first;
        }
    }

    void filter_one(int64_t row, int64_t x) const {
        const window& w = a_.taps;
        __m512i sum[1][parts];
        start(sum);
        const int8_t* weights = weights_;
        for (int64_t q = 0; q < quads_; ++q) {
            const quad rows = rows_at(row, x, 4 * q);
            for (int64_t kx = 0; kx < w.kernel_width; ++kx, weights += column_weights) {
                const int64_t at = x * w.stride_width - w.pad_left + kx * w.dilation_width;
                const bool inside = at >= 0 && at < a_.input.width;
                const int64_t offset = kx * w.dilation_width * a_.input.pixel_stride;
                const auto read = [&](int i) {
                    return inside && rows.row[i] != nullptr ? load_bytes(rows.row[i] + offset) : zeros_;
                };
                const columns c(read(0), read(1), read(2), read(3));
                add_products(c, weights, sum[0]);
            }
        }
        finish(row, x, sum);
    }

    // Windows of which no column is cut. One of three columns has no fourth row.
    template <int Kernel, int Stride, int Dilation, int M>
    void filter_several(int64_t row, int64_t x) const {
        alignas(64) uint8_t zeros[64];
        _mm512_store_si512(zeros, zeros_);
        const int8_t* weights = weights_;
        __m512i sum[M][parts];
        start(sum);
        for (int64_t q = 0; q < (Kernel <= 3 ? 1 : quads_); ++q, weights += Kernel * column_weights) {
            const quad rows = rows_at(row, x, 4 * q);
            const uint8_t* at[4];
            int64_t step[4];
            for (int i = 0; i < 4; ++i) {
                at[i] = rows.row[i] == nullptr ? zeros : rows.row[i];
                step[i] = rows.row[i] == nullptr ? 0 : a_.input.pixel_stride;
            }
            multiply<Kernel, Stride, Dilation>(weights, at, step, sum);
        }
        finish(row, x, sum);
    }

    template <int Kernel, int Stride, int Dilation, int M>
    [[gnu::always_inline]] void multiply(const int8_t* weights, const uint8_t* (&at)[4], const int64_t (&step)[4],
                                         __m512i (&sum)[M][parts]) const {
        constexpr int count = (M - 1) * Stride + (Kernel - 1) * Dilation + 1, rows = Kernel <= 3 ? 3 : 4;
#pragma GCC unroll 32
        for (int j = 0; j < count; ++j) {
            // Weights come from memory for each column: there are registers for the sums alone.
            keep_one_address(weights);
            if (is_read<Kernel, Stride, Dilation, M>(j)) {
                const __m512i third = load_bytes(at[2]);
                const columns c(load_bytes(at[0]), load_bytes(at[1]), third, rows == 3 ? third : load_bytes(at[3]));
#pragma GCC unroll 8
                for (int kx = 0; kx < Kernel; ++kx) {
                    const int first = j - kx * Dilation;  // column of the window that has this one at the tap
                    if (first >= 0 && first % Stride == 0 && first / Stride < M)
                        add_products(c, weights + kx * column_weights, sum[first / Stride]);
                }
            }
#pragma GCC unroll 4
            for (int i = 0; i < rows; ++i) {
                at[i] += step[i];
                keep_one_address(at[i]);
            }
        }
    }
    [[gnu::always_inline]] static void add_products(const columns& c, const int8_t* weights, __m512i (&sum)[parts]) {
#pragma GCC unroll 4
        for (int v = 0; v < parts; ++v)
            sum[v] = _mm512_dpbusd_epi32(sum[v], c.part[v], _mm512_loadu_si512(weights + v * 64));
    }
    template <int Kernel, int Stride, int Dilation, int M>
    static constexpr bool is_read(int column) {
        for (int kx = 0; kx < Kernel; ++kx) {
            const int first = column - kx * Dilation;
            if (first >= 0 && first % Stride == 0 && first / Stride < M) return true;
        }
        return false;
    }

    template <int M>
    [[gnu::always_inline]] void finish(int64_t row, int64_t x, const __m512i (&sum)[M][parts]) const {
        const requantisation q = a_.quantised;
        const int64_t pixel = row * a_.output.width + x;
        uint8_t* out = elements<uint8_t>(a_.output) + pixel * a_.output.pixel_stride + channel_;
        const uint8_t* residual = a_.residual.data == nullptr
                                      ? nullptr
                                      : elements<uint8_t>(a_.residual) + pixel * a_.residual.pixel_stride + channel_;
        const float* factor = q.factor + channel_;
        const float* offset = q.offset + channel_;
#pragma GCC unroll 16
        for (int m = 0; m < M; ++m) {
            vec y[parts];
            for (int v = 0; v < parts; ++v)
                y[v] = to_float({sum[m][v]}) * load(factor + v * width) + load(offset + v * width);
            if (residual != nullptr) {
                const __m512i none = _mm512_setzero_si512();
                const columns r(load_bytes(residual), none, none, none);
                for (int v = 0; v < parts; ++v) y[v] = y[v] + above_.of({r.part[v]}) * all(q.residual_factor);
                residual += a_.residual.pixel_stride;
            }
            if (!q.is_small)
                for (vec& one : y) one = smaller(all(q.high), one);
            const __m512i front = _mm512_packs_epi32(_mm512_cvtps_epi32(y[0].v), _mm512_cvtps_epi32(y[1].v));
            const __m512i back = _mm512_packs_epi32(_mm512_cvtps_epi32(y[2].v), _mm512_cvtps_epi32(y[3].v));
            // Rounding keeps the order of numbers, so the bounds are the same after it, rounded, as before.
            const __m512i bytes =
                _mm512_max_epu8(_mm512_packus_epi16(front, back), _mm512_set1_epi8(static_cast<char>(q.low_byte)));
            const __m512i cut = _mm512_min_epu8(bytes, _mm512_set1_epi8(static_cast<char>(q.high_byte)));
            if (Whole) {
                _mm512_storeu_si512(out, cut);
            } else {
                _mm512_mask_storeu_epi8(out, lanes_, cut);
            }
            out += a_.output.pixel_stride;
        }
    }

    const depthwise_bytes_args& a_;
    const int64_t channel_;
    const uint64_t lanes_;
    const int64_t quads_;
    const int8_t* const weights_;
    const difference above_;
    const __m512i zeros_;
};

template <class Run>
void walk(const depthwise_bytes_args& a, int64_t begin, int64_t end, Run run) {
    const int64_t whole = a.input.channels / group;
    for (int64_t pixel = begin; pixel < end;) {
        const int64_t row = pixel / a.output.width, first = pixel % a.output.width;
        const int64_t last = std::min<int64_t>(first + end - pixel, a.output.width);
        for (int64_t g = 0; g < whole; ++g) run(filter<true>(a, g), row, first, last);
        if (whole * group < a.input.channels) run(filter<false>(a, whole), row, first, last);
        pixel += last - first;
    }
}

template <int Kernel, int Stride, int Dilation>
bool walk_if(const depthwise_bytes_args& a, int64_t begin, int64_t end) {
    const window& w = a.taps;
    // A kernel of three columns is taken to have three rows, or fewer.
    if (w.kernel_width != Kernel || w.stride_width != Stride || w.dilation_width != Dilation) return false;
    if (Kernel <= 3 && w.kernel_height > 3) return false;
    walk(a, begin, end, [](const auto& f, int64_t row, int64_t first, int64_t last) {
        f.template run<Kernel, Stride, Dilation>(row, first, last);
    });
    return true;
}

}  // namespace

void depthwise_bytes(const depthwise_bytes_args& a, int64_t begin, int64_t end, float*) {
    if (walk_if<3, 1, 1>(a, begin, end) || walk_if<3, 2, 1>(a, begin, end) || walk_if<3, 1, 2>(a, begin, end) ||
        walk_if<5, 1, 1>(a, begin, end) || walk_if<5, 2, 1>(a, begin, end))
        return;
    walk(a, begin, end, [](const auto& f, int64_t row, int64_t first, int64_t last) { f.run_any(row, first, last); });
}

#else

void depthwise_bytes(const depthwise_bytes_args&, int64_t, int64_t, float*) {}

#endif

}  // namespace atrous::ATROUS_ISA_NAMESPACE
