#include <cstring>
#include <numeric>

#include "checks.h"
#include "conv2d/packer.h"

namespace atrous {

namespace {

// Sums of the weights over each tap's depth, which follow them.
template <class T>
void add_sums(const packer<T>& source, const conv2d_block& block, int64_t depth_block, T* weights) {
    const int64_t columns = block.vectors * source.lanes, side = source.layout.side;
    for (int64_t first = 0; first < source.depth(); first += depth_block) {
        const int64_t rows = source.tap_rows(std::min(depth_block, source.depth() - first));
        for (int64_t tap = 0; tap < source.taps(); ++tap) {
            std::vector<int32_t> sums(columns);
            for (int64_t row = 0; row < rows; row += side) {
                for (int64_t o = 0; o < columns; ++o) {
                    const T* column = weights + row * columns + o * side;
                    sums[o] = std::accumulate(column, column + side, sums[o]);
                }
            }
            std::memcpy(weights + rows * columns, sums.data(), sums.size() * sizeof(int32_t));
            weights += (rows + source.layout.rows_after) * columns;
        }
    }
}

template <class T>
void pack_as(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
             conv2d_bytes& to) {
    const int32_t lanes = kernels.lanes, full = lanes * kernels.conv2d_vectors;
    const packing layout{kernels.bytes.side, kernels.bytes.step, sizeof(int32_t) / sizeof(T)};
    const packer<T> source{desc, layout, lanes, to.row_taps};
    to.depth_block = to.row_taps ? static_cast<int32_t>(source.depth())
                                 : choose_depth_block(source.depth(), source.kernel_taps(), full, sizeof(T));
    int64_t weights, bias;
    to.blocks = source.blocks(full, to.depth_block, weights, bias);
    to.weights.reserve(weights * int64_t{sizeof(T)});
    to.weights.fill_with_zeros();
    for (float_buffer* of_channels : {&to.bias, &to.steps}) {
        of_channels->reserve(bias);
        of_channels->fill_with_zeros();
    }
    const int64_t zeros = source.tap_depth(to.depth_block);
    std::fill_n(to.zeros.reserve(zeros), zeros, static_cast<uint8_t>(desc.zero));

    const int64_t filter_size = source.depth() * source.kernel_taps();
    std::vector<int8_t> filters(filter_size * std::min(desc.out_channels, full));
    for (const conv2d_block& block : to.blocks) {
        for (int64_t o = 0; o < block.channels; ++o) {
            const int64_t channel = block.out_channel + o;
            to.steps.data()[block.bias + o] =
                quantise_filter(from.weights + channel * filter_size, filter_size,
                                from.scale == nullptr ? 1.0f : from.scale[channel], filters.data() + o * filter_size);
        }
        T* const packed = reinterpret_cast<T*>(to.weights.data()) + block.weights;
        source.pack(block, to.depth_block, packed, [&](int64_t channel) {
            const int8_t* filter = filters.data() + (channel - block.out_channel) * filter_size;
            return [filter](int64_t i) { return static_cast<T>(filter[i]); };
        });
        // They are what a zero is multiplied by that is not 0.
        if (desc.zero != 0) add_sums(source, block, to.depth_block, packed);
        if (from.bias != nullptr)
            std::copy_n(from.bias + block.out_channel, block.channels, to.bias.data() + block.bias);
    }
}

}  // namespace

void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from, conv2d_bytes& to) {
    to.row_taps = packs_rows(desc);
    kernels.bytes.bytes == 1 ? pack_as<int8_t>(desc, kernels, from, to) : pack_as<int16_t>(desc, kernels, from, to);
}

void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_bytes& conv,
         const conv2d_call& call) {
    const conv2d_block& last = conv.blocks.back();
    const int64_t channels = last.bias + int64_t{last.vectors} * kernels.lanes;
    thread_pool::lease of_channels(on.pool);
    conv2d_args a{.input = call.input,
                  .output = call.output,
                  .residual = call.residual,
                  .taps = call.taps,
                  .weights = conv.weights.data(),
                  .bias = conv.bias.data(),
                  .zeros = conv.zeros.data(),
                  .quantised = requantise(desc, call, conv.steps.data(), conv.bias.data(), channels,
                                          of_channels->floats(2 * channels)),
                  .blocks = conv.blocks.data(),
                  .block_count = static_cast<int32_t>(conv.blocks.size()),
                  .depth = desc.in_channels / desc.groups,
                  .depth_block = conv.depth_block,
                  .row_taps = conv.row_taps,
                  .activation = desc.activation,
                  .slope = desc.slope,
                  .chunks = 1,
                  .chunk_pixels = 1};
    choose_chunks(a, on.pool.threads());
    const int64_t memory_floats = conv2d_memory(a, int64_t{kernels.lanes} * kernels.conv2d_vectors);
    parallel_for(on, a.chunks * a.block_count, 1, [&](int64_t begin, int64_t end, scratch& memory) {
        kernels.conv2d_bytes(a, begin, end, memory.floats(memory_floats));
    });
}

}  // namespace atrous
