// Contracts of the kernels: plain structs and one function each, compiled once per instruction set (kernels/<op>.cpp).
// A kernel does the work items [begin, end) of its operation on the calling thread; what an item is, is said here.
// Arguments were checked by the ABI. Results do not depend on how the items are split.
#ifndef ATROUS_KERNELS_H
#define ATROUS_KERNELS_H

#include <stdint.h>

#include "atrous.h"
#include "crf/crf_kernels.h"

namespace atrous {

// A tensor's elements, as its type says that they are.
template <class T>
T* elements(const atrous_tensor& t) {
    return static_cast<T*>(t.data);
}

// ---- Convolution as a matrix product
// ------------------------------------------------------------------------------------

// Where a window lies: input pixel = output pixel * stride - pad + tap * dilation.
struct window {
    int32_t kernel_height, kernel_width;
    int32_t stride_height, stride_width;
    int32_t dilation_height, dilation_width;
    int32_t pad_top, pad_left;
};

// A run of output channels that the product computes at once. Its weights are [depth block][tap][depth][vectors *
// lanes], zeros where channels end before the vectors do; of bfloat16 two of the depth lie side by side, [depth block]
// [tap][depth / 2][vectors * lanes][2], with a zero after an odd depth. Those that multiply uint8 lie as byte_layout
// says; after those of each tap come their sums over the depth, vectors * lanes int32.
struct conv2d_block {
    int64_t weights;      // offset of its weights
    int64_t bias;         // offset of its bias, vectors * lanes floats
    int32_t in_channel;   // first input channel of its group
    int32_t out_channel;  // first output channel
    int32_t channels;     // output channels
    int32_t vectors;      // registers that hold them
};

// How the weights that multiply uint8 lie in memory, which depends on the instruction: side of the depth side by side,
// after a depth that is rounded up to step with zeros.
struct byte_layout {
    int32_t bytes;  // of a weight, 1 or 2
    int32_t side, step;
};

// What a convolution's sums become where its input or its output is uint8; the formulas are in atrous.h. factor and
// offset lie as the bias does.
struct requantisation {
    const float* factor;  // of sums of uint8
    const float* offset;
    float residual_factor;
    int32_t residual_zero;
    float low, high;
    uint8_t low_byte, high_byte;  // rounded
    bool is_small;                // nothing comes near 2^31 before it is cut off at low and high
    float per_step, zero;         // of sums of float32
};

struct conv2d_args {
    atrous_tensor input, output;
    atrous_tensor residual;  // data null: none
    window taps;
    const void* weights;  // of the input's type; for uint8 int8 or int16
    const float* bias;
    const void* zeros;  // of the input's type: a row that stands for pixels outside, as long as the depth of a tap
    requantisation quantised;
    const conv2d_block* blocks;
    int32_t block_count;
    int32_t depth;        // input channels of a group
    int32_t depth_block;  // of which this many are summed before the weights of the next ones are touched
    // Whole rows of the window are one tap of depth kernel_width * depth: for few input channels.
    bool row_taps;
    int32_t activation;
    float slope;
    int64_t chunks;        // the output's pixels are cut into this many runs
    int64_t chunk_pixels;  // of this many pixels, a multiple of conv2d_chunk_unit (the last may be shorter)
};
constexpr int64_t conv2d_chunk_unit = 24;  // a multiple of every register tile's pixel count
// conv2d is for float32 and bfloat16 inputs, conv2d_bytes for uint8.
// Item: chunk * block_count + block. memory: conv2d_memory(args, floats of a full conv2d_block's vectors) floats, for a
// tile's pointers (one per tap and pixel, one per tap, each as large as two floats), copies of the rows that stick out,
// and the sums of a chunk between two depth blocks.
constexpr int64_t conv2d_most_tile_pixels = 12;
inline int64_t conv2d_pointer_floats(const conv2d_args& a) {
    return 2 * int64_t{a.taps.kernel_height} * a.taps.kernel_width * (conv2d_most_tile_pixels + 1);
}
inline int64_t conv2d_staging_floats(const conv2d_args& a) {
    return a.row_taps ? int64_t{a.taps.kernel_height} * a.taps.kernel_width * a.depth * conv2d_most_tile_pixels : 0;
}
inline int64_t conv2d_memory(const conv2d_args& a, int64_t vector_floats) {
    return conv2d_pointer_floats(a) + conv2d_staging_floats(a) +
           (a.depth_block < a.depth ? a.chunk_pixels * vector_floats : 0);
}

// ---- Convolution by Winograd's minimal filtering
// ----------------------------------------------------------------------------------------

// The output's rows (or columns) in tiles. At rate d every d-th row forms a phase, in which the convolution is dense; a
// tile lies in one phase. The first phases have one row more than the others.
struct winograd_axis {
    int32_t rate;
    int32_t long_phases, long_tiles;  // phases that have a row more, and the tiles of one of them
    int32_t short_tiles;              // tiles of one of the other phases
    int64_t tiles() const { return int64_t{long_phases} * long_tiles + (int64_t{rate} - long_phases) * short_tiles; }
    // First row of a tile of tile_size rows, each rate after the one before.
    int64_t start(int64_t tile, int64_t tile_size) const {
        const int64_t long_ones = int64_t{long_phases} * long_tiles, rest = tile - long_ones;
        const bool in_long = rest < 0;
        const int64_t phase = in_long ? tile / long_tiles : long_phases + rest / short_tiles;
        const int64_t place = in_long ? tile % long_tiles : rest % short_tiles;
        return phase + place * tile_size * rate;
    }
};

struct winograd_args {
    atrous_tensor input, output;
    atrous_tensor residual;  // data null: none
    window taps;             // 3 x 3, stride 1
    const float* weights;    // a block's are [cell of the transformed tile][depth][vectors * lanes]
    const float* bias;
    const float* zeros;  // depth zeros
    const conv2d_block* blocks;
    int32_t block_count;
    int32_t tile_size;  // output pixels on a side of a tile, 3 or 4
    winograd_axis rows, columns;
    int32_t activation;
    float slope;
    int64_t tiles;        // of all pictures
    int64_t block_tiles;  // tiles whose transforms are in memory at once
    int64_t tile_blocks;
    int32_t groups;  // the channel blocks are dealt to so many items
};
constexpr int64_t winograd_cells(int64_t tile_size) {
    return (tile_size + 2) * (tile_size + 2);
}
// Floats from one transformed pixel to the next: whole registers, and never a power of two, which would crowd few
// cache sets.
constexpr int64_t winograd_pixel_floats(int64_t depth) {
    return (depth + 15) / 16 * 16 + 16;
}
// Item: tile block * groups + group. memory: winograd_memory(args, floats of a full conv2d_block's vectors) floats, for
// the transformed input and the products.
constexpr int64_t winograd_memory(const winograd_args& a, int64_t vector_floats) {
    return winograd_cells(a.tile_size) * a.block_tiles * (winograd_pixel_floats(a.input.channels) + vector_floats);
}

// Winograd's transform of the filters of a conv2d_block: to holds [cell][input channel][columns], of which the block's
// channels are written.
struct winograd_filters_args {
    const float* filters;  // OIHW
    const float* scale;    // of each output channel; may be null
    int64_t depth;
    int32_t out_channel, channels, columns, tile_size;
    float* to;
};
// Item: an input channel. No memory.

// ---- Depthwise convolution
// ------------------------------------------------------------------------------------------------

struct depthwise_args {
    atrous_tensor input, output;
    atrous_tensor residual;
    window taps;
    const float* weights;  // [register of channels][tap][lanes], zeros where channels end before the lanes do
    const float* bias;     // as many as the lanes of all registers
    requantisation quantised;
    int32_t activation;
    float slope;
    int64_t first_pixel;  // of the output, where its memory begins (and the residual's)
};
// Item: a pixel of the output.

// uint8 to uint8, where the table's byte_filters say that this is there. The channels of a group of
// depthwise_byte_group lie in an order of their own in all of these: depthwise_byte_place says where.
struct depthwise_bytes_args {
    atrous_tensor input, output;
    atrous_tensor residual;  // data null: none
    window taps;
    const int8_t*
        weights;  // [group][four rows of the window][its columns][place][row of the four], zeros where it has none
    const int32_t* start;  // [group][place]: minus the input's zero times the sum of a channel's weights
    requantisation quantised;
};
constexpr int64_t depthwise_byte_group = 64;
// Lanes of 16 channels are cut into four parts, and equal parts lie together.
constexpr int64_t depthwise_byte_place(int64_t channel) {
    const int64_t first = channel / depthwise_byte_group * depthwise_byte_group, c = channel - first;
    return first + c % 16 / 4 * 16 + c / 16 * 4 + c % 4;
}
// Item: a pixel of the output.

// ---- Pooling
// ----------------------------------------------------------------------------------------------------------------

struct pool_args {
    atrous_tensor input, output;
    atrous_pool_desc desc;
};
constexpr int32_t pool_channel_block = 128;
// Item: output pixel * channel blocks + channel block.

// ---- Bilinear resize
// ----------------------------------------------------------------------------------------------------------

// One output coordinate: value = low_weight * at(low) + high_weight * at(high).
struct resize_tap {
    int32_t low, high;
    float low_weight, high_weight;
};

struct resize_args {
    atrous_tensor input, output;
    const resize_tap* rows;     // one per output row
    const resize_tap* columns;  // one per output column
};
// Item: a row of the output, batch * height of them.

struct resize_argmax_args {
    atrous_tensor logits;
    int32_t height, width;
    const resize_tap* rows;
    const resize_tap* columns;
    uint16_t* labels;     // null: not wanted
    float* confidence;    // null: not wanted
    int32_t* not_finite;  // becomes 1 where a logit is NaN or plus infinity, by whichever thread
};
// Pixels that are decided together: the interpolated rows of so many pixels stay in the first cache levels.
constexpr int64_t argmax_pixels = 256;
constexpr int64_t argmax_memory(int64_t channels) {
    return 3 * argmax_pixels * channels;
}
// Item: a row of the labels, batch * height of them. memory: argmax_memory(channels) floats. Neighbouring rows share
// work.

// ---- Elementwise
// ----------------------------------------------------------------------------------------------------------------

struct affine_args {
    atrous_tensor input, output;
    const float* scale;  // null: 1
    const float* shift;  // null: 0
    int32_t activation;
    float slope;
};
// Item: a pixel.

struct binary_args {
    atrous_tensor a, b, output;
    bool broadcast;  // b is one pixel per picture
    int32_t op;
    int32_t activation;
    float slope;
};
// Item: a pixel.

struct copy_args {
    atrous_tensor input, output;
    int32_t top, left;
    bool broadcast;  // input is one pixel per picture
};
// Item: a row of the output, batch * height of them.

struct softmax_args {
    atrous_tensor input, output;
    int32_t slices;  // 1: along the channels; else among so many slices of them
};
// Item: a pixel.

// ---- Attention, and the norms of its networks
// ----------------------------------------------------------------------------------------

// Mean, and sum of squared distances from it, of each row of float32 pictures.
struct row_moments_args {
    atrous_tensor input;
    double* moments;  // [row][2]
};
// Item: a row, batch * height of them.

// The sum of each channel's squares over a float32 picture.
struct sum_squares_args {
    atrous_tensor input;
    float* sums;  // [picture][channel]
};
constexpr int64_t squares_channels = 64;
// Item: picture * channel blocks + block of squares_channels.

struct layer_norm_args {
    atrous_tensor input, output;  // input is float32
    const float* scale;
    const float* shift;
    float epsilon;
    const float* moments;  // [picture][2], mean and variance; null: each pixel's own
};
// Item: a pixel.

struct attention_args {
    atrous_tensor queries, keys, values, output;  // float32
    int32_t heads, patch;
    float scale;
    int64_t blocks;  // a sequence's queries are cut into this many runs of attention_queries
};
constexpr int64_t attention_queries = 64;
constexpr int64_t attention_tile = 4;  // queries that are computed at once
// Keys that are in memory at once. More of them come by in parts, again for each run of queries: up to so many of an
// item's neighbours are one run then.
constexpr int64_t attention_part = 1024;
constexpr int64_t attention_neighbours = 8;
// Numbers rounded up to whole pairs of registers.
constexpr int64_t attention_padded(int64_t count, int64_t lanes) {
    return (count + 2 * lanes - 1) / (2 * lanes) * (2 * lanes);
}
constexpr int64_t attention_tokens(const atrous_tensor& t, int64_t patch) {
    return (t.height / patch) * (t.width / patch);
}
inline int64_t attention_most_blocks(const attention_args& a) {
    return attention_tokens(a.keys, a.patch) > attention_part ? attention_neighbours : 1;
}
// Item: ((picture * patch + row of the patch) * patch + column) * heads * blocks + head * blocks + block; neighbours
// share work. memory: attention_memory(args, lanes) floats, for a part of the keys and values of a head, a tile's
// scores and the sums of a run's queries.
inline int64_t attention_memory(const attention_args& a, int64_t lanes) {
    const int64_t depth = attention_padded(a.queries.channels / a.heads, lanes);
    const int64_t tokens = attention_tokens(a.keys, a.patch);
    return (2 * depth + attention_tile) * attention_padded(tokens < attention_part ? tokens : attention_part, lanes) +
           attention_most_blocks(a) * attention_queries * (depth + 2);
}

// The keys' mean, weighted with the softmax of the scores, of each sequence.
struct attention_context_args {
    atrous_tensor scores, keys;  // float32
    int32_t patch;
    float* contexts;  // [sequence][channels of keys]
};
constexpr int64_t context_channels = 64;
// Item: sequence * channel blocks + block of context_channels. memory: attention_padded(tokens of a sequence, lanes).

struct linear_attention_args {
    atrous_tensor values, output;  // float32
    int32_t patch;
    const float* contexts;
};
// Item: a pixel.

// ---- The table of one instruction set
// -------------------------------------------------------------------------------------------

struct kernel_table {
    const char* isa;
    int32_t lanes;           // floats in a register
    int32_t conv2d_vectors;  // registers of output channels in a full conv2d_block
    bool bf16_products;      // conv2d takes bfloat16; the other kernels do so on every instruction set
    byte_layout bytes;
    bool byte_filters;  // whether depthwise_bytes does anything
#define ATROUS_KERNEL(name, arguments) void (*name)(const arguments& a, int64_t begin, int64_t end, float* memory);
#include "kernels.inc"
#undef ATROUS_KERNEL
};

}  // namespace atrous

#endif  // ATROUS_KERNELS_H
