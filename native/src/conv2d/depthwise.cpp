#include <optional>

#include "checks.h"
#include "conv2d/packer.h"

namespace atrous {

namespace {

// From integers, [channel][tap].
void pack_bytes(const atrous_conv2d_desc& desc, const int8_t* integers, conv2d_depthwise& to) {
    const int64_t height = desc.kernel_height, width = desc.kernel_width, quads = (height + 3) / 4;
    const int64_t padded = round_up(desc.in_channels, depthwise_byte_group);
    auto& bytes = to.bytes;
    bytes.weights.reserve(padded * quads * width * 4);
    bytes.weights.fill_with_zeros();
    bytes.start.reserve(padded);
    bytes.start.fill_with_zeros();
    for (float_buffer* of_channels : {&bytes.bias, &bytes.steps}) {
        of_channels->reserve(padded);
        of_channels->fill_with_zeros();
    }
    for (int64_t c = 0; c < desc.in_channels; ++c) {
        const int64_t place = depthwise_byte_place(c), in_group = place % depthwise_byte_group;
        int8_t* weights = bytes.weights.data() + (place - in_group) * quads * width * 4 + in_group * 4;
        for (int64_t y = 0; y < height; ++y) {
            for (int64_t x = 0; x < width; ++x) {
                const int8_t q = integers[(c * height + y) * width + x];
                weights[(y / 4 * width + x) * depthwise_byte_group * 4 + y % 4] = q;
                bytes.start.data()[place] -= desc.zero * q;
            }
        }
        bytes.bias.data()[place] = to.bias.data()[c];
        bytes.steps.data()[place] = to.steps.data()[c];
    }
}

void run_bytes(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_depthwise& conv,
               const conv2d_call& call) {
    const int64_t count = round_up(desc.out_channels, depthwise_byte_group), width = call.output.width;
    thread_pool::lease of_channels(on.pool);
    const depthwise_bytes_args a{.input = call.input,
                                 .output = call.output,
                                 .residual = call.residual,
                                 .taps = call.taps,
                                 .weights = conv.bytes.weights.data(),
                                 .start = conv.bytes.start.data(),
                                 .quantised = requantise(desc, call, conv.bytes.steps.data(), conv.bytes.bias.data(),
                                                         count, of_channels->floats(2 * count))};
    parallel_for(on, rows_of(call.output), grain_of(width * call.output.channels),
                 [&](int64_t begin, int64_t end) { kernels.depthwise_bytes(a, begin * width, end * width, nullptr); });
}

}  // namespace

void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_depthwise& to) {
    const int64_t channels = desc.in_channels, taps = int64_t{desc.kernel_height} * desc.kernel_width;
    const int64_t lanes = kernels.lanes, padded = round_up(channels, lanes);
    to.weights.reserve(taps * padded);
    to.weights.fill_with_zeros();
    to.bias.reserve(padded);
    to.bias.fill_with_zeros();
    const bool quantised = desc.type == ATROUS_UINT8;
    std::vector<int8_t> integers(quantised ? channels * taps : 0);
    if (quantised) {
        to.steps.reserve(padded);
        to.steps.fill_with_zeros();
    }
    for (int64_t c = 0; c < channels; ++c) {
        const float scale = from.scale == nullptr ? 1.0f : from.scale[c];
        float* weights = to.weights.data() + c / lanes * lanes * taps + c % lanes;
        const float* filter = from.weights + c * taps;
        if (quantised) {
            to.steps.data()[c] = quantise_filter(filter, taps, scale, integers.data() + c * taps);
            for (int64_t tap = 0; tap < taps; ++tap) weights[tap * lanes] = integers[c * taps + tap];
        } else {
            for (int64_t tap = 0; tap < taps; ++tap) weights[tap * lanes] = filter[tap] * scale;
        }
    }
    if (from.bias != nullptr) std::copy_n(from.bias, channels, to.bias.data());
    if (quantised && kernels.byte_filters) pack_bytes(desc, integers.data(), to);
}

depthwise_args depthwise_arguments(const atrous_conv2d_desc& desc, const conv2d_depthwise& conv,
                                   const conv2d_call& call) {
    return {.input = call.input,
            .output = call.output,
            .residual = call.residual,
            .taps = call.taps,
            .weights = conv.weights.data(),
            .bias = conv.bias.data(),
            .quantised = {},
            .activation = desc.activation,
            .slope = desc.slope,
            .first_pixel = 0};
}

void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_depthwise& conv,
         const conv2d_call& call) {
    if (call.input.type == ATROUS_UINT8 && call.output.type == ATROUS_UINT8 && kernels.byte_filters)
        return run_bytes(on, desc, kernels, conv, call);
    depthwise_args a = depthwise_arguments(desc, conv, call);
    std::optional<thread_pool::lease> of_channels;
    if (desc.type == ATROUS_UINT8) {
        const int64_t count = round_up(desc.out_channels, kernels.lanes);
        float* const memory = of_channels.emplace(on.pool)->floats(2 * count);
        a.quantised = requantise(desc, call, conv.steps.data(), conv.bias.data(), count, memory);
    }
    const int64_t width = call.output.width;
    parallel_for(on, rows_of(call.output), grain_of(width * call.output.channels),
                 [&](int64_t begin, int64_t end) { kernels.depthwise(a, begin * width, end * width, nullptr); });
}

}  // namespace atrous
