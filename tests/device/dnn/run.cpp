// The convolution itself: plain loops that sum in double precision, then the steps in the order that the graph has
// them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "../include/atrous_device.h"
#include "../include/atrous_numbers.h"
#include "program.h"

namespace dnn {
namespace {

using device::Format;

Format format_of(int type, bool tensor_cores) {
    if (type == DATA_FLOAT) return tensor_cores ? Format::TF32 : Format::FP32;
    return type == DATA_HALF ? Format::FP16 : Format::BF16;
}

int64_t offset(const Tensor& t, int64_t n, int64_t c, int64_t h, int64_t w) {
    return n * t.strides[0] + c * t.strides[1] + h * t.strides[2] + w * t.strides[3];
}

// All elements as floats, channels last and packed, so that the inner loop is one product of vectors.
std::vector<float> unpack(const Tensor& t, const void* start, Format format) {
    std::vector<float> values;
    values.reserve(static_cast<size_t>(t.dims[0] * t.dims[1] * t.dims[2] * t.dims[3]));
    for (int64_t n = 0; n < t.dims[0]; ++n)
        for (int64_t h = 0; h < t.dims[2]; ++h)
            for (int64_t w = 0; w < t.dims[3]; ++w)
                for (int64_t c = 0; c < t.dims[1]; ++c)
                    values.push_back(static_cast<float>(device::load(start, offset(t, n, c, h, w), format)));
    return values;
}

using Eight = float __attribute__((vector_size(32)));
using Wide = double __attribute__((vector_size(64)));
constexpr int64_t PIXELS = 4, FILTERS = 2, BLOCK = 4 * PIXELS;

// The products of some filters with the windows of some pixels; either lie one behind the other. More lanes at once
// where the processor has them, and the same sums: a product of two floats is exact in double, fused or not.
__attribute__((target_clones("avx512f", "avx2", "default"))) void multiply(const float* filters, const float* windows,
                                                                           int64_t count,
                                                                           double (&sums)[FILTERS][PIXELS]) {
    Wide lanes[FILTERS][PIXELS] = {};
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        Eight some;
        Wide weights[FILTERS];
        for (int64_t k = 0; k < FILTERS; ++k) {
            std::memcpy(&some, filters + k * count + i, sizeof some);
            weights[k] = __builtin_convertvector(some, Wide);
        }
        for (int64_t pixel = 0; pixel < PIXELS; ++pixel) {
            std::memcpy(&some, windows + pixel * count + i, sizeof some);
            const Wide window = __builtin_convertvector(some, Wide);
            for (int64_t k = 0; k < FILTERS; ++k) lanes[k][pixel] += weights[k] * window;
        }
    }
    for (int64_t k = 0; k < FILTERS; ++k)
        for (int64_t pixel = 0; pixel < PIXELS; ++pixel) {
            const Wide& lane = lanes[k][pixel];
            double sum = ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
            for (int64_t rest = i; rest < count; ++rest)
                sum += static_cast<double>(windows[pixel * count + rest]) * filters[k * count + rest];
            sums[k][pixel] = sum;
        }
}

double apply(const Step& step, double value, double operand) {
    switch (step.mode) {
        case ADD:
            return value + operand;
        case MUL:
            return value * operand;
        case MIN:
            return std::min(value, operand);
        case MAX:
            return std::max(value, operand);
        case SUB:
            return value - operand;
        case RELU_FWD: {
            if (std::isnan(value)) return step.keeps_nan ? value : step.lower_clip;
            double low =
                value > step.lower_clip ? value : step.lower_clip + step.lower_slope * (value - step.lower_clip);
            return std::min(low, step.upper_clip);
        }
        case TANH_FWD:
            return std::tanh(value);
        case SIGMOID_FWD:
            return 1 / (1 + std::exp(-value));
        case SWISH_FWD:
            return value / (1 + std::exp(-step.swish_beta * value));
        default:
            return value;
    }
}

// Rounds as the virtual tensor between two operations does.
double through(const Tensor& t, double value) {
    double stored[1];
    device::store(stored, 0, value, format_of(t.type, false));
    return device::load(stored, 0, format_of(t.type, false));
}

bool good(const Tensor& t, const Pointers& pointers, const char* what) {
    return atrous_device_in_range(pointers.at(t.uid), t.bytes(), what);
}

}  // namespace

size_t Tensor::bytes() const {
    int64_t last = 0;
    for (size_t i = 0; i < 4; ++i) last += (dims[i] - 1) * strides[i];
    return static_cast<size_t>(last + 1) * (type == DATA_FLOAT ? 4 : 2);
}

bool run(const Program& p, int64_t engine, const Pointers& pointers, const void* workspace) {
    const Convolution& conv = p.convolution;
    const Tensor& out = p.result();
    if (!good(conv.x, pointers, "x") || !good(conv.w, pointers, "w") || !good(out, pointers, "y")) return false;
    for (int i = 0; i < p.step_count; ++i) {
        const Step& step = p.steps[static_cast<size_t>(i)];
        if (step.binary && !good(step.operand, pointers, "an operand")) return false;
    }
    if (workspace_of(engine) > 0 && !atrous_device_in_range(workspace, workspace_of(engine), "the workspace"))
        return false;

    take_device_time(engine);
    Format format = format_of(conv.x.type, uses_tensor_cores(engine));
    std::vector<float> x = unpack(conv.x, pointers.at(conv.x.uid), format),
                       w = unpack(conv.w, pointers.at(conv.w.uid), format);
    w.resize(w.size() + static_cast<size_t>((FILTERS - 1) * conv.w.dims[1] * conv.w.dims[2] * conv.w.dims[3]));
    int64_t channels = conv.x.dims[1], height = conv.x.dims[2], width = conv.x.dims[3];
    int64_t depth = conv.w.dims[1], rows = conv.w.dims[2], columns = conv.w.dims[3];
    int64_t groups = channels / depth, taps = rows * columns * depth;
    const auto& [count, outputs, out_height, out_width] = out.dims;
    int64_t outputs_of_group = outputs / groups, pixels = count * out_height * out_width;
    auto finish = [&](int64_t pixel, int64_t k, double value) {
        int64_t n = pixel / (out_height * out_width), oh = pixel / out_width % out_height, ow = pixel % out_width;
        if (engine == WRONG_ENGINE) value += 1;
        if (p.step_count > 0) value = through(conv.y, value);
        for (int i = 0; i < p.step_count; ++i) {
            const Step& step = p.steps[static_cast<size_t>(i)];
            double operand = 0;
            if (step.binary) {
                const Tensor& t = step.operand;
                auto at = [&](size_t d, int64_t index) { return t.dims[d] == 1 ? 0 : index; };
                operand = device::load(pointers.at(t.uid), offset(t, at(0, n), at(1, k), at(2, oh), at(3, ow)),
                                       format_of(t.type, false));
            }
            value = apply(step, value, operand);
            if (i + 1 < p.step_count) value = through(step.y, value);
        }
        device::store(pointers.at(out.uid), offset(out, n, k, oh, ow), value, format_of(out.type, false));
    };
    // A block of pixels at a time, so that filters are not fetched anew for each.
    std::vector<float> windows(static_cast<size_t>(BLOCK * taps));
    for (int64_t first = 0; first < pixels; first += BLOCK)
        for (int64_t group = 0; group < groups; ++group) {
            std::fill(windows.begin(), windows.end(), 0.0f);
            for (int64_t pixel = first; pixel < std::min(first + BLOCK, pixels); ++pixel) {
                int64_t n = pixel / (out_height * out_width), oh = pixel / out_width % out_height,
                        ow = pixel % out_width;
                for (int64_t r = 0; r < rows; ++r)
                    for (int64_t s = 0; s < columns; ++s) {
                        int64_t h = oh * conv.strides[0] - conv.pre_paddings[0] + r * conv.dilations[0];
                        int64_t v = ow * conv.strides[1] - conv.pre_paddings[1] + s * conv.dilations[1];
                        if (h < 0 || h >= height || v < 0 || v >= width) continue;
                        std::copy_n(&x[static_cast<size_t>(((n * height + h) * width + v) * channels + group * depth)],
                                    depth,
                                    &windows[static_cast<size_t>((pixel - first) * taps + (r * columns + s) * depth)]);
                    }
            }
            const int64_t end = (group + 1) * outputs_of_group;
            for (int64_t k = group * outputs_of_group; k < end; k += FILTERS)
                for (int64_t part = 0; part < BLOCK && first + part < pixels; part += PIXELS) {
                    double sums[FILTERS][PIXELS];
                    multiply(&w[static_cast<size_t>(k * taps)], &windows[static_cast<size_t>(part * taps)], taps, sums);
                    for (int64_t j = 0; j < FILTERS && k + j < end; ++j)
                        for (int64_t i = 0; i < PIXELS && first + part + i < pixels; ++i)
                            finish(first + part + i, k + j, sums[j][i]);
                }
        }
    return true;
}

}  // namespace dnn
