#include "checks.h"
#include "conv2d/packer.h"

namespace atrous {

namespace {

// Weights of a block that are used before the next ones.
constexpr int64_t resident_bytes = 320 * 1024;

float stored(float value, float) {
    return value;
}
bf16 stored(float value, bf16) {
    return round_to_bf16(value);
}

// Numbers of the depth that lie side by side in packed weights.
template <class T>
constexpr int64_t depth_step = sizeof(float) / sizeof(T);

}  // namespace

int32_t choose_depth_block(int64_t depth, int64_t taps, int64_t columns, int64_t weight_bytes) {
    if (depth < shallow) return static_cast<int32_t>(depth);
    const int64_t fits = std::max<int64_t>(resident_bytes / weight_bytes / (taps * columns), 16);
    const int64_t parts = (depth + fits - 1) / fits;
    return static_cast<int32_t>(std::min(round_up((depth + parts - 1) / parts, 8), depth));
}

void choose_chunks(conv2d_args& a, int64_t threads) {
    constexpr int64_t smallest = 2 * conv2d_chunk_unit, largest = 11 * conv2d_chunk_unit, turns = 4;
    const int64_t pixels = pixels_of(a.output);
    const int64_t wanted = threads == 1 ? 1 : (threads * turns + a.block_count - 1) / a.block_count;
    const int64_t chunks = std::max((pixels + largest - 1) / largest, std::min(wanted, pixels / smallest));
    a.chunk_pixels = round_up((pixels + chunks - 1) / chunks, conv2d_chunk_unit);
    a.chunks = (pixels + a.chunk_pixels - 1) / a.chunk_pixels;
}

template <class T>
void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_product<T>& to) {
    const int32_t lanes = kernels.lanes, full = lanes * kernels.conv2d_vectors;
    to.row_taps = packs_rows(desc);
    const packer<T> source{desc, {depth_step<T>, depth_step<T>, 0}, lanes, to.row_taps};
    to.depth_block = choose_depth_block(source.depth(), source.kernel_taps(), full, sizeof(T));
    int64_t weights, bias;
    to.blocks = source.blocks(full, to.depth_block, weights, bias);
    to.weights.reserve(weights);
    if (desc.out_channels / desc.groups % lanes != 0 || source.tap_depth(source.depth()) % depth_step<T> != 0)
        to.weights.fill_with_zeros();
    to.bias.reserve(bias);
    to.bias.fill_with_zeros();
    to.zeros.reserve(source.tap_depth(to.depth_block));
    to.zeros.fill_with_zeros();
    const int64_t filter_size = source.depth() * source.kernel_taps();
    for (const conv2d_block& block : to.blocks) {
        source.pack(block, to.depth_block, to.weights.data() + block.weights, [&](int64_t channel) {
            const float* filter = from.weights + channel * filter_size;
            const float scale = from.scale == nullptr ? 1.0f : from.scale[channel];
            return [filter, scale](int64_t i) { return stored(filter[i] * scale, T{}); };
        });
        if (from.bias != nullptr)
            std::copy_n(from.bias + block.out_channel, block.channels, to.bias.data() + block.bias);
    }
}

template <class T>
conv2d_args product_arguments(const atrous_conv2d_desc& desc, const conv2d_product<T>& conv, const conv2d_call& call) {
    return {.input = call.input,
            .output = call.output,
            .residual = call.residual,
            .taps = call.taps,
            .weights = conv.weights.data(),
            .bias = conv.bias.data(),
            .zeros = conv.zeros.data(),
            .quantised = quantised_output(call.output),
            .blocks = conv.blocks.data(),
            .block_count = static_cast<int32_t>(conv.blocks.size()),
            .depth = desc.in_channels / desc.groups,
            .depth_block = conv.depth_block,
            .row_taps = conv.row_taps,
            .activation = desc.activation,
            .slope = desc.slope,
            .chunks = 1,
            .chunk_pixels = 1};
}

template <class T>
void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_product<T>& conv,
         const conv2d_call& call) {
    conv2d_args a = product_arguments(desc, conv, call);
    choose_chunks(a, on.pool.threads());
    const int64_t memory_floats = conv2d_memory(a, int64_t{kernels.lanes} * kernels.conv2d_vectors);
    parallel_for(on, a.chunks * a.block_count, 1, [&](int64_t begin, int64_t end, scratch& memory) {
        kernels.conv2d(a, begin, end, memory.floats(memory_floats));
    });
}

template void pack(const atrous_conv2d_desc&, const kernel_table&, const conv2d_weights&, conv2d_product<float>&);
template void pack(const atrous_conv2d_desc&, const kernel_table&, const conv2d_weights&, conv2d_product<bf16>&);
template conv2d_args product_arguments(const atrous_conv2d_desc&, const conv2d_product<float>&, const conv2d_call&);
template conv2d_args product_arguments(const atrous_conv2d_desc&, const conv2d_product<bf16>&, const conv2d_call&);
template void run(engine&, const atrous_conv2d_desc&, const kernel_table&, const conv2d_product<float>&,
                  const conv2d_call&);
template void run(engine&, const atrous_conv2d_desc&, const kernel_table&, const conv2d_product<bf16>&,
                  const conv2d_call&);

}  // namespace atrous
