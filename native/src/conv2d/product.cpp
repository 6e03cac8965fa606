#include "checks.h"
#include "conv2d/conv2d.h"

namespace atrous {

namespace {

// Weights of a block that are used before the next ones: they must stay in the second cache level beside the pixels.
constexpr int64_t resident_weights = 80 * 1024;
// Below this depth a tap is too short to be worth a turn of the loop, and a row of the window serves as one.
constexpr int32_t shallow = 24;

int64_t round_up(int64_t value, int64_t step) {
    return (value + step - 1) / step * step;
}

// Numbers of the depth that lie side by side in packed weights.
template <class T>
constexpr int64_t depth_step = sizeof(float) / sizeof(T);

// Splits the depth evenly into blocks that fit.
template <class T>
int32_t choose_depth_block(int64_t depth, int64_t taps, int64_t columns) {
    const int64_t fits = std::max<int64_t>(resident_weights * depth_step<T> / (taps * columns), 16);
    const int64_t parts = (depth + fits - 1) / fits;
    return static_cast<int32_t>(std::min(round_up((depth + parts - 1) / parts, 8), depth));
}

float stored(float value, float) {
    return value;
}
bf16 stored(float value, bf16) {
    return round_to_bf16(value);
}

template <class T>
struct packer {
    const atrous_conv2d_desc& desc;
    const conv2d_weights& from;
    int64_t lanes;
    bool row_taps;

    int64_t depth() const { return desc.in_channels / desc.groups; }
    int64_t kernel_taps() const { return int64_t{desc.kernel_height} * desc.kernel_width; }
    // Taps as the kernel sees them, and how deep one of them is.
    int64_t taps() const { return row_taps ? desc.kernel_height : kernel_taps(); }
    int64_t tap_depth(int64_t channels) const { return row_taps ? channels * desc.kernel_width : channels; }

    int64_t elements(int64_t vectors, int64_t depth_block) const {
        int64_t rows = 0;
        for (int64_t first = 0; first < depth(); first += depth_block)
            rows += round_up(tap_depth(std::min(depth_block, depth() - first)), depth_step<T>);
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
                               row / depth_step<T> * depth_step<T> * columns + row % depth_step<T>);
            }
        }
        return made;
    }

    // One block's weights, as conv2d_block says; where it has gaps the memory is full of zeros.
    void pack(const conv2d_block& block, int64_t depth_block, T* weights, float* bias) const {
        const int64_t columns = block.vectors * lanes;
        for (int64_t first = 0; first < depth(); first += depth_block) {
            const int64_t channels = std::min(depth_block, depth() - first);
            const int64_t tap_elements = round_up(tap_depth(channels), depth_step<T>) * columns;
            const std::vector<int64_t> to = places(channels, tap_elements, columns);
            for (int64_t o = 0; o < block.channels; ++o) {
                const int64_t channel = block.out_channel + o;
                const float scale = from.scale == nullptr ? 1.0f : from.scale[channel];
                const float* filter = from.weights + (channel * depth() + first) * kernel_taps();
                T* column = weights + o * depth_step<T>;
                for (size_t i = 0; i < to.size(); ++i) column[to[i]] = stored(filter[i] * scale, T{});
            }
            weights += taps() * tap_elements;
        }
        if (from.bias != nullptr) std::copy_n(from.bias + block.out_channel, block.channels, bias);
    }
};

// Cuts the output into runs of pixels that stay in the second cache level while block after block of output channels is
// computed from them, and into enough of them that every thread has work to the end.
void choose_chunks(conv2d_args& a, int64_t threads) {
    constexpr int64_t smallest = 2 * conv2d_chunk_unit, largest = 11 * conv2d_chunk_unit, turns = 4;
    const int64_t pixels = pixels_of(a.output);
    const int64_t wanted = threads == 1 ? 1 : (threads * turns + a.block_count - 1) / a.block_count;
    const int64_t chunks = std::max((pixels + largest - 1) / largest, std::min(wanted, pixels / smallest));
    a.chunk_pixels = round_up((pixels + chunks - 1) / chunks, conv2d_chunk_unit);
    a.chunks = (pixels + a.chunk_pixels - 1) / a.chunk_pixels;
}

}  // namespace

template <class T>
void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_product<T>& to) {
    const int32_t lanes = kernels.lanes, full = lanes * kernels.conv2d_vectors;
    const int32_t outputs = desc.out_channels / desc.groups, depth = desc.in_channels / desc.groups;
    to.row_taps = depth < shallow && desc.groups == 1 && desc.kernel_width > 1 && desc.dilation_width == 1;
    const packer<T> source{desc, from, lanes, to.row_taps};
    to.depth_block = depth < shallow ? depth : choose_depth_block<T>(depth, source.kernel_taps(), full);

    int64_t weights = 0, bias = 0;
    for (int32_t group = 0; group < desc.groups; ++group) {
        for (int32_t o = 0; o < outputs; o += full) {
            const int32_t channels = std::min(outputs - o, full), vectors = (channels + lanes - 1) / lanes;
            to.blocks.push_back({.weights = weights,
                                 .bias = bias,
                                 .in_channel = group * depth,
                                 .out_channel = group * outputs + o,
                                 .channels = channels,
                                 .vectors = vectors});
            weights += source.elements(vectors, to.depth_block);
            bias += vectors * lanes;
        }
    }
    to.weights.reserve(weights);
    if (outputs % lanes != 0 || source.tap_depth(depth) % depth_step<T> != 0) to.weights.fill_with_zeros();
    to.bias.reserve(bias);
    to.bias.fill_with_zeros();
    to.zeros.reserve(source.tap_depth(to.depth_block));
    to.zeros.fill_with_zeros();
    for (const conv2d_block& block : to.blocks)
        source.pack(block, to.depth_block, to.weights.data() + block.weights, to.bias.data() + block.bias);
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
