#include "checks.h"
#include "conv2d/conv2d.h"
#include "conv2d/winograd_points.h"

namespace atrous {

namespace {

// One filter whose cells are cell_stride apart, from its transform. Most of the inverse is zero: a row of it takes the
// first cell, the next two, or the last.
template <int TileSize>
void recover_filter(const float* from, int64_t cell_stride, float* to) {
    constexpr int side = TileSize + 2;
    static constexpr auto inverse = winograd_filter_inverse<TileSize>();
    static constexpr int first[3] = {0, 1, side - 1}, last[3] = {0, 2, side - 1};
    for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) {
            double sum = 0;
            for (int y = first[i]; y <= last[i]; ++y)
                for (int x = first[j]; x <= last[j]; ++x)
                    sum += inverse[i][y] * inverse[j][x] * from[(y * side + x) * cell_stride];
            to[3 * i + j] = static_cast<float>(sum);
        }
    }
}

void cut_tiles(winograd_args& a) {
    a.rows = cut_axis(a.output.height, a.taps.dilation_height, a.tile_size);
    a.columns = cut_axis(a.output.width, a.taps.dilation_width, a.tile_size);
    a.tiles = a.output.batch * a.rows.tiles() * a.columns.tiles();
}

// Where the transforms of enough tiles fit in the second cache level beside a cell's weights, they stay there; where
// the depth forbids it they live in the third, and more tiles make more use of the weights that come from there too.
int64_t most_tiles(const winograd_args& a, int64_t vector_floats) {
    constexpr int64_t resident = 160 * 1024, least = 12, most = 48;
    const int64_t fits =
        resident / (winograd_cells(a.tile_size) * (winograd_pixel_floats(a.input.channels) + vector_floats));
    return fits < least ? most : std::min(fits, most);
}

// Cuts the tiles into blocks so that every thread has items to the end.
void choose_blocks(winograd_args& a, int64_t threads, int64_t vector_floats) {
    constexpr int64_t turns = 2, least_tiles = 12;
    const int64_t most = most_tiles(a, vector_floats);
    const int64_t fewest = (a.tiles + most - 1) / most, even = (fewest + threads - 1) / threads * threads;
    // A block for every thread, unless its tiles would be too few for the weights that each block reads.
    const int64_t blocks = a.tiles / even >= least_tiles ? even : fewest;
    // Where blocks are few the channels are dealt out too, and each share transforms the input for itself.
    a.groups = 1;
    while (threads > 1 && blocks * a.groups < threads * turns && a.groups < a.block_count) ++a.groups;
    a.block_tiles = (a.tiles + blocks - 1) / blocks;
    a.tile_blocks = (a.tiles + a.block_tiles - 1) / a.block_tiles;
}

}  // namespace

winograd_axis cut_axis(int64_t pixels, int64_t rate, int64_t tile_size) {
    const int64_t whole = pixels / rate, left = pixels % rate;
    return {.rate = static_cast<int32_t>(rate),
            .long_phases = static_cast<int32_t>(left),
            .long_tiles = static_cast<int32_t>((whole + tile_size) / tile_size),
            .short_tiles = static_cast<int32_t>((whole + tile_size - 1) / tile_size)};
}

void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_winograd& to) {
    const int32_t lanes = kernels.lanes, full = lanes * kernels.conv2d_vectors;
    to.tile_size = winograd_tile_size(desc);
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
    for (const conv2d_block& block : to.blocks) {
        kernels.winograd_filters({.filters = from.weights,
                                  .scale = from.scale,
                                  .depth = desc.in_channels,
                                  .out_channel = block.out_channel,
                                  .channels = block.channels,
                                  .columns = block.vectors * lanes,
                                  .tile_size = to.tile_size,
                                  .to = to.weights.data() + block.weights},
                                 0, desc.in_channels, nullptr);
        if (from.bias != nullptr)
            std::copy_n(from.bias + block.out_channel, block.channels, to.bias.data() + block.bias);
    }
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
    const int64_t vector_floats = int64_t{kernels.lanes} * kernels.conv2d_vectors;
    choose_blocks(a, on.pool.threads(), vector_floats);
    const int64_t memory_floats = winograd_memory(a, vector_floats);
    parallel_for(on, a.tile_blocks * a.groups, 1, [&](int64_t begin, int64_t end, scratch& memory) {
        kernels.winograd(a, begin, end, memory.floats(memory_floats));
    });
}

void recover_weights(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_winograd& from,
                     float* weights) {
    const auto recover = from.tile_size == 3 ? recover_filter<3> : recover_filter<4>;
    for (const conv2d_block& block : from.blocks) {
        const int64_t depth = desc.in_channels, columns = int64_t{block.vectors} * kernels.lanes;
        for (int64_t k = 0; k < depth; ++k) {
            for (int64_t o = 0; o < block.channels; ++o) {
                recover(from.weights.data() + block.weights + k * columns + o, depth * columns,
                        weights + ((block.out_channel + o) * depth + k) * 9);
            }
        }
    }
}

int64_t winograd_tiles(const conv2d_winograd& conv, const conv2d_call& call) {
    winograd_args a{};
    a.output = call.output;
    a.taps = call.taps;
    a.tile_size = conv.tile_size;
    cut_tiles(a);
    return a.tiles;
}

}  // namespace atrous
