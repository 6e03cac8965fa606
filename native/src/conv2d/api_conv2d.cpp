#include <algorithm>
#include <cstdlib>
#include <memory>
#include <variant>

#include "checks.h"
#include "conv2d/conv2d.h"
#include "dispatch.h"

using namespace atrous;

using conv2d_algorithm = std::variant<conv2d_product<float>, conv2d_product<bf16>, conv2d_bytes, conv2d_depthwise,
                                      conv2d_winograd, conv2d_either<float>, conv2d_either<bf16>>;

struct atrous_conv2d {
    atrous_conv2d_desc desc;
    const kernel_table* kernels;  // those that the weights are packed for
    conv2d_algorithm algorithm;
};

namespace {

void require_desc(const atrous_conv2d_desc* desc) {
    require_not_null(desc, "desc");
    constexpr int32_t most_channels = 1 << 20, longest_kernel = 1023, longest_step = 1 << 16, longest_side = 1 << 24;
    require_range(desc->in_channels, 1, most_channels, "in_channels");
    require_range(desc->out_channels, 1, most_channels, "out_channels");
    require_range(desc->kernel_height, 1, longest_kernel, "kernel_height");
    require_range(desc->kernel_width, 1, longest_kernel, "kernel_width");
    require_range(desc->stride_height, 1, longest_step, "stride_height");
    require_range(desc->stride_width, 1, longest_step, "stride_width");
    require_range(desc->dilation_height, 1, longest_step, "dilation_height");
    require_range(desc->dilation_width, 1, longest_step, "dilation_width");
    require_range(desc->groups, 1, desc->in_channels, "groups");
    if (desc->in_channels % desc->groups != 0 || desc->out_channels % desc->groups != 0) {
        throw fail(ATROUS_INVALID_ARGUMENT, "groups is %d, which does not divide %d input and %d output channels",
                   desc->groups, desc->in_channels, desc->out_channels);
    }
    require_activation(desc->activation);
    require_range(desc->type, ATROUS_FLOAT32, ATROUS_UINT8, "type");
    if (desc->type == ATROUS_UINT8) require_range(desc->zero, 0, 255, "zero");
    require_range(desc->usual_height, 1, longest_side, "usual_height");
    require_range(desc->usual_width, 1, longest_side, "usual_width");
}

// Sums of uint8 times int8 must fit: int32, or the integers that a depthwise convolution's floats hold.
void require_sums(const atrous_conv2d_desc& desc, conv2d_choice choice) {
    constexpr int64_t largest = 255 * 127;
    const int64_t most = choice == conv2d_choice::depthwise ? (int64_t{1} << 24) / largest : INT32_MAX / largest;
    const int64_t inputs = int64_t{desc.in_channels / desc.groups} * desc.kernel_height * desc.kernel_width;
    if (inputs <= most) return;
    throw fail(ATROUS_TOO_LARGE, "a window has %lld inputs; of uint8 it may have %lld", static_cast<long long>(inputs),
               static_cast<long long>(most));
}

void take_algorithm(conv2d_choice choice, int32_t type, conv2d_algorithm& algorithm) {
    switch (choice) {
        case conv2d_choice::product:
            if (type == ATROUS_FLOAT32) {
                algorithm.emplace<conv2d_product<float>>();
            } else if (type == ATROUS_BFLOAT16) {
                algorithm.emplace<conv2d_product<bf16>>();
            } else {
                algorithm.emplace<conv2d_bytes>();
            }
            return;
        case conv2d_choice::depthwise:
            algorithm.emplace<conv2d_depthwise>();
            return;
        case conv2d_choice::winograd:
            algorithm.emplace<conv2d_winograd>();
            return;
        case conv2d_choice::either:
            if (type == ATROUS_FLOAT32) {
                algorithm.emplace<conv2d_either<float>>();
            } else {
                algorithm.emplace<conv2d_either<bf16>>();
            }
            return;
    }
}

void require_channels(const atrous_tensor& tensor, const char* name, int32_t channels) {
    if (tensor.channels == channels) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s has %d channels, the convolution has %d", name, tensor.channels, channels);
}

// Along one axis: every window lies within some millions of the input, so that no position overflows a number or a
// pointer. Windows beyond the input see zeros.
void require_positions(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation, int32_t pad,
                       const char* axis) {
    constexpr int32_t farthest = 1 << 24, longest_side = 1 << 30;
    require_range(in, 1, longest_side, "a side of the input");
    require_range(pad, -farthest, farthest, "the padding");
    const int64_t last = (out - 1) * int64_t{stride} + (kernel - 1) * int64_t{dilation} - pad;
    if (last < int64_t{in} + farthest) return;
    throw fail(ATROUS_INVALID_ARGUMENT,
               "the last window's %s of an output of %d is %lld, too far beyond an input of %d", axis, out,
               static_cast<long long>(last), in);
}

// Windows that stick out begin outside the input, as far as their positions say; what is added to its address then must
// be such that no address overflows. No one's input is so wide.
void require_reach(const atrous_tensor& input, const atrous_tensor& output, const atrous_conv2d_desc& desc,
                   int32_t pad_top, int32_t pad_left) {
    constexpr int64_t farthest_bytes = int64_t{1} << 44;
    const auto reach = [](int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation, int32_t pad) {
        return int64_t{in} + out * int64_t{stride} + kernel * int64_t{dilation} + std::abs(int64_t{pad});
    };
    const int64_t rows =
        reach(input.height, output.height, desc.kernel_height, desc.stride_height, desc.dilation_height, pad_top);
    const int64_t columns =
        reach(input.width, output.width, desc.kernel_width, desc.stride_width, desc.dilation_width, pad_left);
    int64_t bytes = sizeof(float);
    if (__builtin_mul_overflow(bytes, input.pixel_stride, &bytes) ||
        __builtin_mul_overflow(bytes, std::max(rows * input.width, columns), &bytes) || bytes > farthest_bytes) {
        throw fail(ATROUS_INVALID_ARGUMENT, "windows of %lld rows and %lld columns reach too far for pixels of %lld",
                   static_cast<long long>(rows), static_cast<long long>(columns),
                   static_cast<long long>(input.pixel_stride));
    }
}

// What the convolution can write, and add.
void require_output(const atrous_conv2d& conv, const atrous_tensor& output, const atrous_tensor* residual) {
    const atrous_conv2d_desc& desc = conv.desc;
    if (desc.type == ATROUS_UINT8) {
        if (output.type == ATROUS_BFLOAT16)
            throw fail(ATROUS_INVALID_ARGUMENT, "output is bfloat16; a uint8 convolution writes uint8 or float32");
        if (output.type == ATROUS_UINT8 && desc.activation > ATROUS_ACTIVATION_RELU6) {
            throw fail(ATROUS_INVALID_ARGUMENT,
                       "activation %d cannot end in uint8; use none, ReLU or ReLU6, or write float32", desc.activation);
        }
        return;
    }
    if (output.type != ATROUS_UINT8) return;
    if (desc.type == ATROUS_BFLOAT16)
        throw fail(ATROUS_INVALID_ARGUMENT, "output is uint8; a bfloat16 convolution writes bfloat16 or float32");
    if (residual != nullptr) {
        throw fail(ATROUS_INVALID_ARGUMENT,
                   "output is uint8 and residual is given; a float32 convolution adds none to uint8");
    }
    if (std::holds_alternative<conv2d_depthwise>(conv.algorithm) ||
        std::holds_alternative<conv2d_winograd>(conv.algorithm)) {
        throw fail(ATROUS_INVALID_ARGUMENT,
                   "output is uint8; a float32 convolution that is depthwise or Winograd's does not write it");
    }
}

// The arguments of a run, whose input one convolution reads and whose output one (the same, or another) writes.
conv2d_call require_call(const atrous_conv2d_desc& reader, const atrous_tensor* input, int32_t pad_top,
                         int32_t pad_left, const atrous_conv2d_desc& writer, const atrous_tensor* residual,
                         const atrous_tensor* output) {
    require_tensor(input, "input");
    require_tensor(output, "output");
    if (input->type != reader.type) {
        throw fail(ATROUS_INVALID_ARGUMENT, "the convolution was made for %s and input is %s", type_name(reader.type),
                   type_name(input->type));
    }
    if (input->type == ATROUS_UINT8 && input->zero != reader.zero) {
        throw fail(ATROUS_INVALID_ARGUMENT, "the convolution was made for a zero of %d and input has %d", reader.zero,
                   input->zero);
    }
    require_channels(*input, "input", reader.in_channels);
    require_channels(*output, "output", writer.out_channels);
    require_same_batch(*input, "input", *output, "output");
    require_positions(input->height, output->height, reader.kernel_height, reader.stride_height, reader.dilation_height,
                      pad_top, "row");
    require_positions(input->width, output->width, reader.kernel_width, reader.stride_width, reader.dilation_width,
                      pad_left, "column");
    require_reach(*input, *output, reader, pad_top, pad_left);
    if (residual != nullptr) {
        require_tensor(residual, "residual");
        require_same_type(*residual, "residual", *output, "output");
        require_same_shape(*residual, "residual", *output, "output");
    }
    return {.input = *input,
            .output = *output,
            .residual = residual == nullptr ? atrous_tensor{} : *residual,
            .taps = {.kernel_height = reader.kernel_height,
                     .kernel_width = reader.kernel_width,
                     .stride_height = reader.stride_height,
                     .stride_width = reader.stride_width,
                     .dilation_height = reader.dilation_height,
                     .dilation_width = reader.dilation_width,
                     .pad_top = pad_top,
                     .pad_left = pad_left}};
}

}  // namespace

atrous_status atrous_conv2d_create(const atrous_engine* engine, const atrous_conv2d_desc* desc, const float* weights,
                                   const float* scale, const float* bias, atrous_conv2d** conv) {
    return guard([&] {
        require_not_null(conv, "conv");
        *conv = nullptr;
        require_not_null(engine, "engine");
        require_desc(desc);
        require_not_null(weights, "weights");
        auto made = std::make_unique<atrous_conv2d>();
        made->desc = *desc;
        made->kernels = &engine->kernels;
        if (desc->type == ATROUS_BFLOAT16) require_bf16_products(engine->kernels);
        const conv2d_choice choice = choose_algorithm(*desc);
        if (desc->type == ATROUS_UINT8) require_sums(*desc, choice);
        take_algorithm(choice, desc->type, made->algorithm);
        std::visit(
            [&](auto& algorithm) {
                pack(*desc, engine->kernels, {weights, scale, bias}, algorithm);
            },
            made->algorithm);
        *conv = made.release();
        ++handle_count;
    });
}

void atrous_conv2d_destroy(atrous_conv2d* conv) {
    if (conv == nullptr) return;
    delete conv;
    --handle_count;
}

atrous_status atrous_conv2d_run(atrous_engine* engine, const atrous_conv2d* conv, const atrous_tensor* input,
                                int32_t pad_top, int32_t pad_left, const atrous_tensor* residual,
                                const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_not_null(conv, "conv");
        const conv2d_call call = require_call(conv->desc, input, pad_top, pad_left, conv->desc, residual, output);
        require_output(*conv, *output, residual);
        std::visit([&](const auto& algorithm) { run(*engine, conv->desc, *conv->kernels, algorithm, call); },
                   conv->algorithm);
    });
}

atrous_status atrous_separable_run(atrous_engine* engine, const atrous_conv2d* depthwise,
                                   const atrous_conv2d* pointwise, const atrous_tensor* input, int32_t pad_top,
                                   int32_t pad_left, const atrous_tensor* residual, const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_not_null(depthwise, "depthwise");
        require_not_null(pointwise, "pointwise");
        const auto* filters = std::get_if<conv2d_depthwise>(&depthwise->algorithm);
        if (filters == nullptr) throw fail(ATROUS_INVALID_ARGUMENT, "depthwise has not one filter a channel");
        const atrous_conv2d_desc& last = pointwise->desc;
        if (last.kernel_height != 1 || last.kernel_width != 1 || last.stride_height != 1 || last.stride_width != 1 ||
            last.groups != 1 || last.in_channels != depthwise->desc.out_channels) {
            throw fail(ATROUS_INVALID_ARGUMENT, "pointwise is not a 1x1 convolution of %d channels at stride 1",
                       depthwise->desc.out_channels);
        }
        if (depthwise->desc.type == ATROUS_UINT8 || last.type == ATROUS_UINT8)
            throw fail(ATROUS_INVALID_ARGUMENT, "a separable run of uint8 convolutions is two runs");
        const conv2d_call call = require_call(depthwise->desc, input, pad_top, pad_left, last, residual, output);
        refuse_uint8(*output, "output");
        const auto run_with = [&](const auto& product) {
            run_separable(*engine, *pointwise->kernels, depthwise->desc, *filters, last, product, call);
        };
        if (last.type == ATROUS_FLOAT32) {
            run_with(std::get<conv2d_product<float>>(pointwise->algorithm));
        } else {
            run_with(std::get<conv2d_product<bf16>>(pointwise->algorithm));
        }
    });
}
