// How the weights of a matrix product are laid in memory, block by block.
#ifndef ATROUS_CONV2D_PACKER_H
#define ATROUS_CONV2D_PACKER_H

#include "conv2d/conv2d.h"

namespace atrous {

inline int64_t round_up(int64_t value, int64_t step) {
    return (value + step - 1) / step * step;
}

// Weights of the depth that lie side by side; what the depth of a tap is rounded up to; and rows of so many weights
// that follow those of a tap.
struct packing {
    int64_t side, step, rows_after;
};

// T: of a packed weight.
template <class T>
struct packer {
    const atrous_conv2d_desc& desc;
    packing layout;
    int64_t lanes;
    bool row_taps;

    int64_t depth() const { return desc.in_channels / desc.groups; }
    int64_t kernel_taps() const { return int64_t{desc.kernel_height} * desc.kernel_width; }
    // Taps as the kernel sees them, and how deep one of them is.
    int64_t taps() const { return row_taps ? desc.kernel_height : kernel_taps(); }
    int64_t tap_depth(int64_t channels) const { return row_taps ? channels * desc.kernel_width : channels; }
    // Rows of the weights of a tap, before those that follow.
    int64_t tap_rows(int64_t channels) const { return round_up(tap_depth(channels), layout.step); }

    int64_t elements(int64_t vectors, int64_t depth_block) const {
        int64_t rows = 0;
        for (int64_t first = 0; first < depth(); first += depth_block)
            rows += tap_rows(std::min(depth_block, depth() - first)) + layout.rows_after;
        return rows * taps() * vectors * lanes;
    }

    // Where the numbers of a filter go that lie between two depths, in the order in which they are given.
    std::vector<int64_t> places(int64_t channels, int64_t tap_elements, int64_t columns) const {
        std::vector<int64_t> made;
        made.reserve(channels * kernel_taps());
        for (int64_t k = 0; k < channels; ++k) {
            for (int64_t tap = 0; tap < kernel_taps(); ++tap) {
                const int64_t row = row_taps ? tap % desc.kernel_width * channels + k : k;
                made.push_back((row_taps ? tap / desc.kernel_width : tap) * tap_elements +
                               row / layout.side * layout.side * columns + row % layout.side);
            }
        }
        return made;
    }

    // One block's weights, as conv2d_block says; where it has gaps the memory is full of zeros. filter_of(channel)
    // gives a filter's numbers as they are packed, by their places in OIHW.
    template <class FilterOf>
    void pack(const conv2d_block& block, int64_t depth_block, T* weights, FilterOf filter_of) const {
        const int64_t columns = block.vectors * lanes;
        for (int64_t first = 0; first < depth(); first += depth_block) {
            const int64_t channels = std::min(depth_block, depth() - first);
            const int64_t tap_elements = (tap_rows(channels) + layout.rows_after) * columns;
            const std::vector<int64_t> to = places(channels, tap_elements, columns);
            for (int64_t o = 0; o < block.channels; ++o) {
                const auto filter = filter_of(block.out_channel + o);
                T* column = weights + o * layout.side;
                for (size_t i = 0; i < to.size(); ++i) column[to[i]] = filter(first * kernel_taps() + i);
            }
            weights += taps() * tap_elements;
        }
    }

    // The blocks of all groups; weights and bias: how much memory they take.
    std::vector<conv2d_block> blocks(int32_t most_channels, int64_t depth_block, int64_t& weights,
                                     int64_t& bias) const {
        std::vector<conv2d_block> made;
        const int32_t outputs = desc.out_channels / desc.groups;
        weights = bias = 0;
        for (int32_t group = 0; group < desc.groups; ++group) {
            for (int32_t o = 0; o < outputs; o += most_channels) {
                const int32_t channels = std::min(outputs - o, most_channels);
                const int32_t vectors = static_cast<int32_t>((channels + lanes - 1) / lanes);
                made.push_back({.weights = weights,
                                .bias = bias,
                                .in_channel = static_cast<int32_t>(group * depth()),
                                .out_channel = group * outputs + o,
                                .channels = channels,
                                .vectors = vectors});
                weights += elements(vectors, depth_block);
                bias += vectors * lanes;
            }
        }
        return made;
    }
};

// Below this depth a tap is too short to be worth a turn of the loop, and a row of the window serves as one. Four bytes
// take the time of one float.
constexpr int32_t shallow = 24, shallow_bytes = 192;

inline bool packs_rows(const atrous_conv2d_desc& desc) {
    return desc.in_channels / desc.groups < (desc.type == ATROUS_UINT8 ? shallow_bytes : shallow) && desc.groups == 1 &&
           desc.kernel_width > 1 && desc.dilation_width == 1;
}

// Splits the depth evenly into blocks whose weights, of so many bytes, stay in the second cache level beside the
// pixels.
int32_t choose_depth_block(int64_t depth, int64_t taps, int64_t columns, int64_t weight_bytes);

// Cuts the output into runs of pixels that stay in the second cache level while block after block of output channels is
// computed from them, and into enough of them that every thread has work to the end.
void choose_chunks(conv2d_args& a, int64_t threads);

}  // namespace atrous

#endif  // ATROUS_CONV2D_PACKER_H
