// Every call of the C ABI with integers of all sizes, on tensors whose memory is as large as they say.
#include "input.h"

using namespace atrous::fuzz;

namespace {

sheet any_sheet(input& in) {
    const int32_t batch = in.in(1, 2), height = in.in(1, 7), width = in.in(1, 7), channels = in.in(1, 9);
    sheet made(batch, height, width, channels, &in);
    if (in.in(0, 1) == 0) made.become_bytes(in);
    return made;
}

void conv2d(input& in) {
    const sheet source = any_sheet(in), result = any_sheet(in);
    const atrous_conv2d_desc desc{.in_channels = in.in(0, 3) == 0 ? in.wild() : source.view()->channels,
                                  .out_channels = in.in(0, 3) == 0 ? in.wild() : result.view()->channels,
                                  .kernel_height = in.in(0, 3) == 0 ? in.wild() : in.in(1, 3),
                                  .kernel_width = in.in(0, 3) == 0 ? in.wild() : in.in(1, 3),
                                  .stride_height = in.wild(),
                                  .stride_width = in.wild(),
                                  .dilation_height = in.wild(),
                                  .dilation_width = in.wild(),
                                  .groups = in.in(0, 3) == 0 ? in.wild() : 1,
                                  .activation = in.in(-1, 9),
                                  .slope = in.any_float(),
                                  .type = in.in(-1, 3),
                                  .usual_height = in.wild(),
                                  .usual_width = in.wild(),
                                  .zero = in.in(0, 3) == 0 ? in.wild() : source.view()->zero};
    double count = 1;
    for (int32_t factor : {desc.in_channels, desc.out_channels, desc.kernel_height, desc.kernel_width}) count *= factor;
    // The weights are as many as the description says; more than some are not worth their time.
    if (count > 1 << 16) return;
    const std::vector<float> weights(1 << 16);
    atrous_conv2d* conv = nullptr;
    if (taken(atrous_conv2d_create(engine(), &desc, weights.data(), nullptr, nullptr, &conv))) {
        const int32_t top = in.wild(), left = in.wild();
        (void)taken(atrous_conv2d_run(engine(), conv, source.view(), top, left, nullptr, result.view()));
        (void)taken(atrous_separable_run(engine(), conv, conv, source.view(), top, left, nullptr, result.view()));
    }
    atrous_conv2d_destroy(conv);
}

void pool(input& in) {
    const sheet source = any_sheet(in), result = any_sheet(in);
    const atrous_pool_desc desc{.kernel_height = in.wild(),
                                .kernel_width = in.wild(),
                                .stride_height = in.wild(),
                                .stride_width = in.wild(),
                                .pad_top = in.wild(),
                                .pad_left = in.wild()};
    (void)taken(in.in(0, 1) == 0 ? atrous_max_pool(engine(), source.view(), &desc, result.view())
                                 : atrous_average_pool(engine(), source.view(), &desc, result.view()));
}

void others(input& in) {
    const sheet a = any_sheet(in), b = any_sheet(in), c = any_sheet(in), result = any_sheet(in);
    const int32_t one = in.wild(), two = in.wild();
    const float number = in.any_float(), other = in.any_float();
    const atrous_resize_desc desc{.sampling = in.in(-1, 3), .scale_height = number, .scale_width = other};
    std::vector<uint16_t> labels(1 << 12);
    switch (in.in(0, 8)) {
        case 0:
            (void)taken(atrous_copy(engine(), a.view(), one, two, result.view()));
            break;
        case 1:
            (void)taken(atrous_resize_bilinear(engine(), a.view(), &desc, result.view()));
            break;
        case 2:
            (void)taken(atrous_attention(engine(), a.view(), b.view(), c.view(), one, number, two, result.view()));
            break;
        case 3:
            (void)taken(atrous_linear_attention(engine(), a.view(), b.view(), c.view(), one, result.view()));
            break;
        case 4:
            (void)taken(atrous_binary_op(engine(), one, a.view(), b.view(), two, number, result.view()));
            break;
        case 5:
            (void)taken(atrous_affine(engine(), a.view(), nullptr, nullptr, one, number, result.view()));
            break;
        case 6:
            (void)taken(atrous_softmax(engine(), a.view(), 1, result.view()));
            break;
        case 7: {
            const int32_t height = in.in(-1, 16), width = in.in(-1, 16);
            (void)taken(atrous_resize_argmax(engine(), a.view(), &desc, height, width, labels.data(), nullptr));
            break;
        }
        default: {
            const std::vector<float> scale(16), shift(16);
            (void)taken(atrous_layer_norm(engine(), a.view(), scale.data(), shift.data(), number, one, result.view()));
            break;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    input in(data, size);
    switch (in.in(0, 2)) {
        case 0:
            conv2d(in);
            break;
        case 1:
            pool(in);
            break;
        default:
            others(in);
            break;
    }
    return 0;
}
