#include "checks.h"
#include "conv2d/packer.h"

namespace atrous {

void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_depthwise& to) {
    const int64_t channels = desc.in_channels, taps = int64_t{desc.kernel_height} * desc.kernel_width;
    const int64_t lanes = kernels.lanes, padded = round_up(channels, lanes);
    to.weights.reserve(taps * padded);
    to.weights.fill_with_zeros();
    to.bias.reserve(padded);
    to.bias.fill_with_zeros();
    const bool quantised = desc.type == ATROUS_UINT8;
    std::vector<int8_t> integers(taps);
    if (quantised) {
        to.steps.reserve(padded);
        to.steps.fill_with_zeros();
    }
    for (int64_t c = 0; c < channels; ++c) {
        const float scale = from.scale == nullptr ? 1.0f : from.scale[c];
        float* weights = to.weights.data() + c / lanes * lanes * taps + c % lanes;
        const float* filter = from.weights + c * taps;
        if (quantised) {
            to.steps.data()[c] = quantise_filter(filter, taps, scale, integers.data());
            for (int64_t tap = 0; tap < taps; ++tap) weights[tap * lanes] = integers[tap];
        } else {
            for (int64_t tap = 0; tap < taps; ++tap) weights[tap * lanes] = filter[tap] * scale;
        }
    }
    if (from.bias != nullptr) std::copy_n(from.bias, channels, to.bias.data());
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
    depthwise_args a = depthwise_arguments(desc, conv, call);
    thread_pool::lease of_channels(on.pool);
    if (desc.type == ATROUS_UINT8) {
        const int64_t count = round_up(desc.out_channels, kernels.lanes);
        a.quantised =
            requantise(desc, call, conv.steps.data(), conv.bias.data(), count, of_channels->floats(2 * count));
    }
    const int64_t width = call.output.width;
    parallel_for(on, rows_of(call.output), grain_of(width * call.output.channels),
                 [&](int64_t begin, int64_t end) { kernels.depthwise(a, begin * width, end * width, nullptr); });
}

}  // namespace atrous
