// Convolutions of all shapes against seven plain loops.
#include "input.h"

using namespace atrous::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    input in(data, size);
    const int32_t groups = in.in(1, 3);
    const bool depthwise = in.in(0, 3) == 0;
    atrous_conv2d_desc desc{};
    desc.groups = groups;
    desc.in_channels = groups * (depthwise ? 1 : in.in(1, 9));
    desc.out_channels = groups * (depthwise ? 1 : in.in(1, 18));
    desc.kernel_height = in.in(1, 4);
    desc.kernel_width = in.in(1, 4);
    desc.stride_height = in.in(1, 3);
    desc.stride_width = in.in(1, 3);
    desc.dilation_height = in.in(1, 4);
    desc.dilation_width = in.in(1, 4);
    desc.activation = in.in(0, 1);
    desc.usual_height = in.in(1, 64);
    desc.usual_width = in.in(1, 64);
    const int32_t batch = in.in(1, 2), out_height = in.in(1, 12), out_width = in.in(1, 12);
    const int32_t pad_top = in.in(-3, 6), pad_left = in.in(-3, 6);
    const int32_t each = desc.in_channels / groups, filters = desc.out_channels / groups;
    const sheet source(batch, in.in(1, 12), in.in(1, 12), desc.in_channels, &in);
    const std::vector<float> weights =
        in.values(static_cast<size_t>(desc.out_channels) * each * desc.kernel_height * desc.kernel_width);
    const std::vector<float> bias = in.values(static_cast<size_t>(desc.out_channels));

    atrous_conv2d* conv = nullptr;
    if (!taken(atrous_conv2d_create(engine(), &desc, weights.data(), nullptr, bias.data(), &conv))) return 0;
    const sheet result(batch, out_height, out_width, desc.out_channels);
    const bool ran = taken(atrous_conv2d_run(engine(), conv, source.view(), pad_top, pad_left, nullptr, result.view()));
    atrous_conv2d_destroy(conv);
    if (!ran) return 0;
    for (int32_t n = 0; n < batch; ++n) {
        for (int32_t y = 0; y < out_height; ++y) {
            for (int32_t x = 0; x < out_width; ++x) {
                for (int32_t o = 0; o < desc.out_channels; ++o) {
                    double sum = bias[o], size_of_sum = std::fabs(sum);
                    for (int32_t i = 0; i < each; ++i) {
                        for (int32_t ky = 0; ky < desc.kernel_height; ++ky) {
                            for (int32_t kx = 0; kx < desc.kernel_width; ++kx) {
                                const double product =
                                    static_cast<double>(
                                        weights[((static_cast<size_t>(o) * each + i) * desc.kernel_height + ky) *
                                                    desc.kernel_width +
                                                kx]) *
                                    source.at(n, y * desc.stride_height + ky * desc.dilation_height - pad_top,
                                              x * desc.stride_width + kx * desc.dilation_width - pad_left,
                                              o / filters * each + i);
                                sum += product;
                                size_of_sum += std::fabs(product);
                            }
                        }
                    }
                    if (desc.activation == ATROUS_ACTIVATION_RELU && sum < 0) sum = 0;
                    // Winograd's transforms round more than a sum does, by what its terms are large.
                    expect_near("convolution", result.at(n, y, x, o), sum, 1e-4 * (1 + size_of_sum));
                }
            }
        }
    }
    return 0;
}
