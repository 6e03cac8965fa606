// From numbers to integers and back, as atrous.h says it. Compiled without fused products, so that the bits are those
// of the formulas.
#include <cmath>

#include "conv2d/conv2d.h"

namespace atrous {

// Written so that compilers make vectors of it: a network has tens of millions of weights, and start-up waits for them.
float quantise_filter(const float* filter, int64_t count, float scale, int8_t* to) {
    constexpr float most = 127;
    // A float this large has no bits left for a fraction: what is added to it is rounded, ties to even.
    constexpr float whole = 12582912;
    constexpr int64_t lanes = 16;
    float found[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int64_t lane = 0; lane < lanes; ++lane) {
            const float size = std::fabs(filter[i + lane] * scale);
            found[lane] = size > found[lane] ? size : found[lane];
        }
    }
    float largest = 0;
    for (float size : found) largest = std::max(largest, size);
    for (; i < count; ++i) largest = std::max(largest, std::fabs(filter[i] * scale));
    const float step = largest > 0 ? largest / most : 1;
    for (i = 0; i < count; ++i) {
        float q = filter[i] * scale / step;
        // Neither a NaN nor what lies beyond, which steps of a denormal number make, is an int8.
        q = q == q ? q : 0;
        q = q > -most ? q : -most;
        q = q < most ? q : most;
        to[i] = static_cast<int8_t>(static_cast<int32_t>((q + whole) - whole));
    }
    return step;
}

requantisation quantised_output(const atrous_tensor& output) {
    requantisation made{};
    if (output.type != ATROUS_UINT8) return made;
    made.per_step = 1 / output.step;
    made.zero = static_cast<float>(output.zero);
    return made;
}

requantisation requantise(const atrous_conv2d_desc& desc, const conv2d_call& call, const float* steps,
                          const float* bias, int64_t count, float* memory) {
    float* const factor = memory;
    float* const offset = memory + count;
    requantisation made{};
    made.factor = factor;
    made.offset = offset;
    if (call.output.type != ATROUS_UINT8) {
        for (int64_t i = 0; i < count; ++i) factor[i] = call.input.step * steps[i];
        std::copy_n(bias, count, offset);
        return made;
    }
    const float step = call.output.step, zero = static_cast<float>(call.output.zero);
    float largest_factor = 0, largest_offset = 0;
    for (int64_t i = 0; i < count; ++i) {
        factor[i] = call.input.step * steps[i] / step;
        offset[i] = bias[i] / step + zero;
        largest_factor = std::max(largest_factor, factor[i]);
        largest_offset = std::max(largest_offset, std::fabs(offset[i]));
    }
    if (call.residual.data != nullptr) {
        made.residual_factor = call.residual.step / step;
        made.residual_zero = call.residual.zero;
    }
    made.low = desc.activation == ATROUS_ACTIVATION_NONE ? 0 : zero;
    made.high = desc.activation == ATROUS_ACTIVATION_RELU6 ? std::min(255.0f, 6 / step + zero) : 255;
    made.low_byte = static_cast<uint8_t>(made.low);
    made.high_byte = static_cast<uint8_t>(std::rint(made.high));
    // A sum is below 2^31, so its share is below 2^30.
    made.is_small = largest_factor < 0.5f && largest_offset < 0x1p28f && made.residual_factor < 0x1p20f;
    return made;
}

}  // namespace atrous
