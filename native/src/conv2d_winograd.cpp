#include <cstdlib>
#include <cstring>

#include "checks.h"
#include "conv2d.h"
#include "winograd_points.h"

namespace atrous {

namespace {

// From this many filters on, tiles of 3 are used: they take 25 numbers a filter where tiles of 4 take 36, and no more than
// a fifth more multiply-adds.
constexpr int64_t many_filters = 1 << 16;
// Below this depth the transforms cost more than the products save.
constexpr int32_t least_channels = 24;
// Beyond this rate a phase of the usual pictures is hardly larger than a tile.
constexpr int32_t largest_rate = 4;

int64_t filters(const atrous_conv2d_desc& desc) {
    return int64_t{desc.in_channels} * desc.out_channels;
}

// Transforms filters that lie [tap][output] to [cell][output], where cells are cell_stride apart.
template <int TileSize>
void transform_filters(const double* from, int64_t count, float* to, int64_t cell_stride) {
    constexpr int side = TileSize + 2;
    static constexpr auto matrix = winograd_filter_matrix<TileSize>();
    for (int i = 0; i < side; ++i) {
        for (int j = 0; j < side; ++j) {
            float* cell = to + (i * side + j) * cell_stride;
            double factor[9];
            for (int tap = 0; tap < 9; ++tap) factor[tap] = matrix[i][tap / 3] * matrix[j][tap % 3];
            for (int64_t o = 0; o < count; ++o) {
                double sum = 0;
                for (int tap = 0; tap < 9; ++tap) sum += factor[tap] * from[tap * count + o];
                cell[o] = static_cast<float>(sum);
            }
        }
    }
}

struct packer {
    const atrous_conv2d_desc& desc;
    const conv2d_weights& from;
    int64_t lanes, tile_size;

    void pack(const conv2d_block& block, float* weights, float* bias) const {
        const int64_t depth = desc.in_channels, columns = block.vectors * lanes, count = block.channels;
        std::vector<double> taps(9 * count);
        for (int64_t k = 0; k < depth; ++k) {
            for (int64_t o = 0; o < count; ++o) {
                const int64_t channel = block.out_channel + o;
                const float scale = from.scale == nullptr ? 1.0f : from.scale[channel];
                const float* filter = from.weights + (channel * depth + k) * 9;
                for (int64_t tap = 0; tap < 9; ++tap) taps[tap * count + o] = double{filter[tap]} * scale;
            }
            const auto transform = tile_size == 3 ? transform_filters<3> : transform_filters<4>;
            transform(taps.data(), count, weights + k * columns, depth * columns);
        }
        if (from.bias != nullptr) std::copy_n(from.bias + block.out_channel, count, bias);
    }
};

winograd_axis cut(int64_t pixels, int64_t rate, int64_t tile_size) {
    const int64_t whole = pixels / rate, left = pixels % rate;
    return {.rate = static_cast<int32_t>(rate),
            .long_phases = static_cast<int32_t>(left),
            .long_tiles = static_cast<int32_t>((whole + tile_size) / tile_size),
            .short_tiles = static_cast<int32_t>((whole + tile_size - 1) / tile_size)};
}

void cut_tiles(winograd_args& a) {
    a.rows = cut(a.output.height, a.taps.dilation_height, a.tile_size);
    a.columns = cut(a.output.width, a.taps.dilation_width, a.tile_size);
    a.tiles = a.output.batch * a.rows.tiles() * a.columns.tiles();
}

// The products of so many tiles and a block of channels stay in the second cache level; the weights come from beyond it,
// so the tiles should be many. Every thread needs items to the end.
void choose_blocks(winograd_args& a, int64_t threads) {
    static const int64_t most = std::getenv("WT") ? atoi(std::getenv("WT")) : 48;
    static const int64_t turns = std::getenv("WN") ? atoi(std::getenv("WN")) : 2;
    int64_t blocks = (a.tiles + most - 1) / most;
    a.groups = 1;
    if (threads > 1) {
        // Without enough blocks for every thread the channels are dealt out too, and then each dealing transforms anew.
        blocks = std::min((blocks + threads - 1) / threads * threads, a.tiles);
        while (blocks * a.groups < threads * turns && a.groups < a.block_count) ++a.groups;
    }
    a.block_tiles = (a.tiles + blocks - 1) / blocks;
    a.tile_blocks = (a.tiles + a.block_tiles - 1) / a.block_tiles;
}

// Taps of one axis that fall inside the picture, over all outputs.
int64_t taps_inside(int64_t input, int64_t output, int64_t dilation, int64_t pad) {
    int64_t taps = 0;
    for (int64_t tap = 0; tap < 3; ++tap) {
        const int64_t shift = tap * dilation - pad;  // of the input's pixel against the output's
        taps += std::max<int64_t>(std::min(output, input - shift) - std::max<int64_t>(0, -shift), 0);
    }
    return taps;
}

bool suits_winograd(const atrous_conv2d_desc& desc) {
    return desc.kernel_height == 3 && desc.kernel_width == 3 && desc.stride_height == 1 && desc.stride_width == 1 &&
           desc.groups == 1;
}

}  // namespace

conv2d_choice choose_way(const atrous_conv2d_desc& desc) {
    const char* forced = std::getenv("ATROUS_CONV");
    if (forced != nullptr && *forced != '\0') {
        if (std::strcmp(forced, "direct") == 0) return conv2d_choice::product;
        if (std::strcmp(forced, "winograd") == 0)
            return suits_winograd(desc) ? conv2d_choice::winograd : conv2d_choice::product;
        throw fail(ATROUS_INVALID_ARGUMENT, "ATROUS_CONV=%s is not known; use direct or winograd", forced);
    }
    if (!suits_winograd(desc) || std::min(desc.in_channels, desc.out_channels) < least_channels)
        return conv2d_choice::product;
    if (filters(desc) < many_filters) return conv2d_choice::either;
    const bool dense = std::max(desc.dilation_height, desc.dilation_width) <= largest_rate;
    return dense ? conv2d_choice::winograd : conv2d_choice::product;
}

void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_winograd& to) {
    const int32_t lanes = kernels.lanes, full = lanes * kernels.conv2d_vectors;
    to.tile_size = filters(desc) < many_filters ? 4 : 3;
    const packer source{desc, from, lanes, to.tile_size};
    int64_t weights = 0, bias = 0;
    for (int32_t o = 0; o < desc.out_channels; o += full) {
        const int32_t channels = std::min(desc.out_channels - o, full), vectors = (channels + lanes - 1) / lanes;
        to.blocks.push_back({.weights = weights,
                             .bias = bias,
                             .in_channel = 0,
                             .out_channel = o,
                             .channels = channels,
                             .vectors = vectors});
        weights += winograd_cells(to.tile_size) * desc.in_channels * vectors * lanes;
        bias += vectors * lanes;
    }
    to.weights.reserve(weights);
    if (desc.out_channels % lanes != 0) to.weights.fill_with_zeros();
    to.bias.reserve(bias);
    to.bias.fill_with_zeros();
    to.zeros.reserve(desc.in_channels);
    to.zeros.fill_with_zeros();
    for (const conv2d_block& block : to.blocks)
        source.pack(block, to.weights.data() + block.weights, to.bias.data() + block.bias);
}

void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from, conv2d_either& to) {
    pack(desc, kernels, from, to.product);
    pack(desc, kernels, from, to.winograd);
}

void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_winograd& conv,
         const conv2d_call& call) {
    winograd_args a{.input = call.input,
                    .output = call.output,
                    .residual = call.residual,
                    .taps = call.taps,
                    .weights = conv.weights.data(),
                    .bias = conv.bias.data(),
                    .zeros = conv.zeros.data(),
                    .blocks = conv.blocks.data(),
                    .block_count = static_cast<int32_t>(conv.blocks.size()),
                    .tile_size = conv.tile_size,
                    .rows = {},
                    .columns = {},
                    .activation = desc.activation,
                    .slope = desc.slope,
                    .tiles = 0,
                    .block_tiles = 0,
                    .tile_blocks = 0,
                    .groups = 1};
    cut_tiles(a);
    choose_blocks(a, on.pool.threads());
    const int64_t memory_floats = winograd_memory(a, int64_t{kernels.lanes} * kernels.conv2d_vectors);
    parallel_for(on, a.tile_blocks * a.groups, 1, [&](int64_t begin, int64_t end, scratch& memory) {
        kernels.winograd(a, begin, end, memory.floats(memory_floats));
    });
}

void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_either& conv,
         const conv2d_call& call) {
    // A product of fewer tiles reads more weights than it has use for, and the transforms are not free.
    constexpr int64_t least_tiles = 6;
    winograd_args a{};
    a.output = call.output;
    a.taps = call.taps;
    a.tile_size = conv.winograd.tile_size;
    cut_tiles(a);
    const window& w = call.taps;
    const int64_t direct =
        call.output.batch * taps_inside(call.input.height, call.output.height, w.dilation_height, w.pad_top) *
        taps_inside(call.input.width, call.output.width, w.dilation_width, w.pad_left);
    const int64_t transformed = a.tiles * winograd_cells(a.tile_size);
    if (a.tiles < least_tiles || transformed + transformed / 4 > direct) {
        run(on, desc, kernels, conv.product, call);
    } else {
        run(on, desc, kernels, conv.winograd, call);
    }
}

}  // namespace atrous
