// A convolution's tiles: which pixels, taps and weights each multiplies. The rows of the left matrix are pointers into
// the picture, one per pixel and tap of the window, so nothing is unfolded in memory. A tap that falls outside for a
// whole tile is skipped, which at the rates of atrous spatial pyramid pooling is most of them. Only kernels include
// this.
#ifndef ATROUS_CONV2D_WALKER_H
#define ATROUS_CONV2D_WALKER_H

#include "conv2d/byte_tile.h"
#include "kernels.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

constexpr int64_t most_tile_pixels = conv2d_most_tile_pixels;

// Input coordinates of the window's first tap, for every pixel of a tile.
template <class In>
struct tile_place {
    int64_t y[most_tile_pixels], x[most_tile_pixels];
    const In* picture[most_tile_pixels];
    int64_t pixels;
    bool inside;  // no tap of any pixel touches the padding
};

template <class In, class Out>
class walker {
    using weight = weight_for<In>;
    using sum = sum_for<In>;
    static constexpr bool is_bytes = std::is_same_v<In, uint8_t>;
    // Weights of one depth, of all channels, that lie side by side; and rows of such weights after those of a tap.
    static constexpr int64_t step = is_bytes ? byte_depth_step : depth_step<In>;
    static constexpr int64_t rows_after = is_bytes ? sizeof(int32_t) / sizeof(weight) : 0;

 public:
    walker(const conv2d_args& a, const conv2d_block& block, float* memory)
        : a_(a),
          block_(block),
          tile_pixels_(tile_pixels(block.vectors)),
          taps_(a.row_taps ? a.taps.kernel_height : a.taps.kernel_height * a.taps.kernel_width),
          pointwise_(is_pointwise(a)),
          zeros_(static_cast<const In*>(a.zeros)),
          rows_(reinterpret_cast<const In**>(memory)),
          weights_(reinterpret_cast<const weight**>(rows_ + taps_ * most_tile_pixels)),
          staging_(reinterpret_cast<In*>(memory + conv2d_pointer_floats(a))),
          sums_(reinterpret_cast<sum*>(memory + conv2d_pointer_floats(a) + conv2d_staging_floats(a))) {}

    void walk(int64_t begin, int64_t end) {
        const weight* weights = static_cast<const weight*>(a_.weights) + block_.weights;
        for (int64_t depth = 0; depth < a_.depth; depth += a_.depth_block) {
            const int64_t count = a_.depth - depth < a_.depth_block ? a_.depth - depth : a_.depth_block;
            const int64_t tap_depth = a_.row_taps ? a_.taps.kernel_width * count : count;
            const int64_t steps = (tap_depth + step - 1) / step;
            const int64_t tap_weights = (steps * step + rows_after) * block_.vectors * width;
            for (int64_t pixel = begin; pixel < end; pixel += tile_pixels_) {
                tile_args<In, Out> t = tile_at(pixel, end - pixel < tile_pixels_ ? end - pixel : tile_pixels_);
                t.depth = tap_depth;
                t.taps = pointwise_    ? collect_pixels(pixel, t.pixels, depth, weights)
                         : a_.row_taps ? collect_row_taps(pixel, t.pixels, weights, tap_weights)
                                       : collect_taps(pixel, t.pixels, depth, weights, tap_weights);
                t.sums = sums_ + (pixel - begin) * block_.vectors * width;
                t.first = depth == 0;
                t.last = depth + count == a_.depth;
                multiply(t);
            }
            weights += taps_ * tap_weights;
        }
    }

 private:
    // Output pixel i is made of input pixel i alone.
    static bool is_pointwise(const conv2d_args& a) {
        const window& w = a.taps;
        return w.kernel_height * w.kernel_width == 1 && w.stride_height == 1 && w.stride_width == 1 && w.pad_top == 0 &&
               w.pad_left == 0 && a.input.height == a.output.height && a.input.width == a.output.width;
    }

    tile_args<In, Out> tile_at(int64_t pixel, int64_t pixels) const {
        tile_args<In, Out> t{};
        t.rows = rows_;
        t.weights = weights_;
        t.bias = a_.bias + block_.bias;
        if (a_.residual.data != nullptr)
            t.residual = elements<Out>(a_.residual) + pixel * a_.residual.pixel_stride + block_.out_channel;
        t.residual_stride = a_.residual.pixel_stride;
        t.output = elements<Out>(a_.output) + pixel * a_.output.pixel_stride + block_.out_channel;
        t.output_stride = a_.output.pixel_stride;
        t.pixels = pixels;
        t.last_lanes = block_.channels - (block_.vectors - 1) * width;
        t.activation = a_.activation;
        t.slope = a_.slope;
        if constexpr (is_bytes || std::is_same_v<Out, uint8_t>) t.quantised = a_.quantised;
        if constexpr (is_bytes) {
            t.quantised.factor += block_.bias;
            t.quantised.offset += block_.bias;
            t.input_zero = a_.input.zero;
        }
        return t;
    }

    void multiply(const tile_args<In, Out>& t) {
        switch (block_.vectors) {
            case 1:
                return multiply_tile<tile_pixels(1), 1>(t);
            case 2:
                return multiply_tile<tile_pixels(2), 2>(t);
            case 3:
                if constexpr (most_vectors >= 3) return multiply_tile<tile_pixels(3), 3>(t);
                break;
            case 4:
                if constexpr (most_vectors >= 4) return multiply_tile<tile_pixels(4), 4>(t);
        }
    }

    tile_place<In> locate(int64_t pixel, int64_t pixels) const {
        const window& w = a_.taps;
        int64_t x = pixel % a_.output.width, row = pixel / a_.output.width;
        int64_t y = row % a_.output.height, n = row / a_.output.height;
        const int64_t reach_y = (w.kernel_height - 1) * static_cast<int64_t>(w.dilation_height);
        const int64_t reach_x = (w.kernel_width - 1) * static_cast<int64_t>(w.dilation_width);
        const int64_t picture = a_.input.height * static_cast<int64_t>(a_.input.width) * a_.input.pixel_stride;
        tile_place<In> place;
        place.pixels = pixels;
        place.inside = true;
        for (int64_t m = 0; m < pixels; ++m) {
            place.y[m] = y * w.stride_height - w.pad_top;
            place.x[m] = x * w.stride_width - w.pad_left;
            place.picture[m] = elements<In>(a_.input) + n * picture + block_.in_channel;
            place.inside &= place.y[m] >= 0 && place.x[m] >= 0 && place.y[m] + reach_y < a_.input.height &&
                            place.x[m] + reach_x < a_.input.width;
            if (++x == a_.output.width) {
                x = 0;
                if (++y == a_.output.height) {
                    y = 0;
                    ++n;
                }
            }
        }
        return place;
    }

    const In* at(const tile_place<In>& place, int64_t m, int64_t y, int64_t x) const {
        return place.picture[m] + (y * a_.input.width + x) * a_.input.pixel_stride;
    }

    int64_t collect_pixels(int64_t pixel, int64_t pixels, int64_t depth, const weight* weights) {
        const In* first = elements<In>(a_.input) + pixel * a_.input.pixel_stride + block_.in_channel + depth;
        for (int64_t m = 0; m < tile_pixels_; ++m) rows_[m] = m < pixels ? first + m * a_.input.pixel_stride : zeros_;
        weights_[0] = weights;
        return 1;
    }

    // Every tap that touches the picture for some pixel of the tile. The pixels that a short tile lacks read zeros.
    int64_t collect_taps(int64_t pixel, int64_t pixels, int64_t depth, const weight* weights, int64_t tap_weights) {
        const tile_place<In> place = locate(pixel, pixels);
        const window& w = a_.taps;
        const In** out = rows_;
        int64_t taps = 0;
        for (int64_t ky = 0; ky < w.kernel_height; ++ky) {
            for (int64_t kx = 0; kx < w.kernel_width; ++kx, weights += tap_weights) {
                bool touches = place.inside;
                for (int64_t m = 0; m < place.pixels; ++m) {
                    const int64_t y = place.y[m] + ky * w.dilation_height, x = place.x[m] + kx * w.dilation_width;
                    const bool hit = place.inside || (y >= 0 && y < a_.input.height && x >= 0 && x < a_.input.width);
                    out[m] = hit ? at(place, m, y, x) + depth : zeros_;
                    touches |= hit;
                }
                if (!touches) continue;
                for (int64_t m = place.pixels; m < tile_pixels_; ++m) out[m] = zeros_;
                weights_[taps++] = weights;
                out += tile_pixels_;
            }
        }
        return taps;
    }

    // The same with a whole row of the window as one tap. Rows that stick out at the side, or whose pixels do not lie
    // side by side, are copied beside zeros.
    int64_t collect_row_taps(int64_t pixel, int64_t pixels, const weight* weights, int64_t tap_weights) {
        const tile_place<In> place = locate(pixel, pixels);
        const window& w = a_.taps;
        const int64_t depth = w.kernel_width * static_cast<int64_t>(a_.depth);
        const bool dense = a_.input.pixel_stride == a_.depth;
        const In** out = rows_;
        int64_t taps = 0;
        for (int64_t ky = 0; ky < w.kernel_height; ++ky, weights += tap_weights) {
            bool touches = false;
            for (int64_t m = 0; m < place.pixels; ++m) {
                const int64_t y = place.y[m] + ky * w.dilation_height, x = place.x[m];
                const int64_t from = x < 0 ? -x : 0;
                const int64_t to = x + w.kernel_width > a_.input.width ? a_.input.width - x : w.kernel_width;
                if (y < 0 || y >= a_.input.height || from >= to) {
                    out[m] = zeros_;
                    continue;
                }
                touches = true;
                if (dense && to - from == w.kernel_width) {
                    out[m] = at(place, m, y, x);
                    continue;
                }
                In* copy = staging_ + (ky * most_tile_pixels + m) * depth;
                memset(copy, is_bytes ? a_.input.zero : 0, static_cast<size_t>(depth) * sizeof(In));
                for (int64_t kx = from; kx < to; ++kx)
                    memcpy(copy + kx * a_.depth, at(place, m, y, x + kx), static_cast<size_t>(a_.depth) * sizeof(In));
                out[m] = copy;
            }
            if (!touches) continue;
            for (int64_t m = place.pixels; m < tile_pixels_; ++m) out[m] = zeros_;
            weights_[taps++] = weights;
            out += tile_pixels_;
        }
        return taps;
    }

    const conv2d_args& a_;
    const conv2d_block& block_;
    const int64_t tile_pixels_, taps_;
    const bool pointwise_;
    const In* const zeros_;
    const In** const rows_;
    const weight** const weights_;
    In* const staging_;
    sum* const sums_;  // [pixel of the chunk][vectors * width]
};

template <class In, class Out>
void multiply(const conv2d_args& a, int64_t begin, int64_t end, float* memory) {
    const int64_t pixels = static_cast<int64_t>(a.output.batch) * a.output.height * a.output.width;
    for (int64_t item = begin; item < end; ++item) {
        const int64_t chunk = item / a.block_count, block = item % a.block_count;
        const int64_t first = chunk * a.chunk_pixels;
        const int64_t last = first + a.chunk_pixels < pixels ? first + a.chunk_pixels : pixels;
        walker<In, Out>(a, a.blocks[block], memory).walk(first, last);
    }
}

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_CONV2D_WALKER_H
