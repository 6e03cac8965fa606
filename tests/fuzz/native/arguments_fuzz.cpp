// Every call of the C ABI with integers of all sizes, on tensors whose memory is as large as they say.
#include "input.h"

using namespace atrous::fuzz;

namespace {

// Of some pixels, or of one, whose stride is never walked: any will do that is refused or comes to nothing.
sheet any_sheet(input& in) {
    const bool one = in.in(0, 3) == 0;
    const int32_t batch = one ? 1 : in.in(1, 2), height = one ? 1 : in.in(1, 7), width = one ? 1 : in.in(1, 7);
    sheet made(batch, height, width, in.in(1, 9), &in);
    if (in.in(0, 1) == 0) made.become_bytes(in);
    if (one) made.set_stride(in.wide());
    return made;
}

// A stride of several items: one for which there is memory, or one for which no machine has any.
int64_t any_stride(input& in, int64_t least, int64_t count) {
    if (in.in(0, 1) == 0) return least + in.in(0, 3);
    const int64_t stride = in.wide();
    return stride >= least && stride < (int64_t{1} << 56) / count ? INT64_MAX : stride;
}

struct any_picture {
    explicit any_picture(input& in) {
        const int32_t height = in.in(1, 6), width = in.in(1, 6), channels = in.in(1, 5);
        const int64_t row = int64_t{width} * channels;
        bytes.resize(static_cast<size_t>(height * (row + 3)));
        for (uint8_t& one : bytes) one = in.byte();
        image = {bytes.data(), height, width, channels, in.in(0, 2) == 0 ? 0 : any_stride(in, row, height)};
    }
    std::vector<uint8_t> bytes;
    atrous_image image{};
};

void pictures(input& in) {
    const any_picture from(in), to(in);
    const int32_t filter = in.wild();
    (void)taken(atrous_image_resize(engine(), &from.image, filter, &to.image));
    const sheet result = any_sheet(in);
    std::vector<float> numbers(64);
    std::vector<int32_t> order(64);
    for (float& one : numbers) one = in.any_float();
    for (int32_t& one : order) one = in.in(0, 7) == 0 ? in.wild() : 0;
    const atrous_normalize_desc desc{in.any_float(),      in.wild(),           in.wild(),   numbers.data(),
                                     numbers.data() + 16, numbers.data() + 32, order.data()};
    (void)taken(atrous_normalize(engine(), &from.image, &desc, result.view()));
}

void crf(input& in) {
    const any_picture picture(in);
    const int32_t labels = in.in(0, 3) == 0 ? in.wild() : in.in(1, 5);
    const bool fits = labels > 0 && labels <= 5;
    atrous_crf_desc desc{.height = picture.image.height,
                         .width = picture.image.width,
                         .labels = labels,
                         .memory_limit = fits ? int64_t{1} << 26 : in.wide()};
    if (!fits) {
        desc.height = in.wild();
        desc.width = in.wild();
        if (desc.memory_limit > 1 << 26 || desc.memory_limit == 0) desc.memory_limit = 1 << 26;
    }
    atrous_crf* made = nullptr;
    if (!taken(atrous_crf_create(engine(), &desc, &made)) || !fits) return atrous_crf_destroy(made);
    const int64_t pixels = int64_t{desc.height} * desc.width;
    std::vector<float> numbers(static_cast<size_t>((pixels + labels) * 64 + labels * labels));
    for (float& one : numbers) one = in.value();
    const atrous_crf_scores scores{.data = numbers.data(),
                                   .label_stride = any_stride(in, 1, labels),
                                   .pixel_stride = any_stride(in, 1, pixels),
                                   .form = in.wild(),
                                   .scale = in.any_float(),
                                   .clip = in.any_float()};
    (void)taken(atrous_crf_set_unary(made, &scores));
    const atrous_crf_kernel kernel{
        .normalization = in.wild(), .compatibility = in.wild(), .compatibility_values = numbers.data()};
    const float x = in.any_float(), y = in.any_float();
    (void)taken(atrous_crf_add_gaussian(made, x, y, &kernel));
    const float sigmas[] = {in.any_float(), in.any_float(), 1, 1, 1};
    (void)taken(atrous_crf_add_bilateral(made, x, y, sigmas, &picture.image, &kernel));
    const int32_t dims = in.wild();
    if (dims <= 64) (void)taken(atrous_crf_add_features(made, dims, numbers.data(), &kernel));
    (void)taken(atrous_crf_start(made));
    const int32_t iterations = in.wild();
    if (iterations < 4) (void)taken(atrous_crf_step(made, iterations));
    double divergence = 0;
    (void)taken(atrous_crf_kl_divergence(made, &divergence));
    const int64_t label_stride = any_stride(in, 1, labels), pixel_stride = any_stride(in, 1, pixels);
    (void)taken(atrous_crf_beliefs(made, numbers.data(), label_stride, pixel_stride));
    std::vector<uint16_t> winners(static_cast<size_t>(pixels));
    (void)taken(atrous_crf_labels(made, winners.data()));
    atrous_crf_destroy(made);
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
    switch (in.in(0, 9)) {
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
            (void)taken(atrous_softmax(engine(), a.view(), in.in(0, 1) == 0 ? one : 1, result.view()));
            break;
        case 8: {
            const std::vector<float> scale(16);
            (void)taken(atrous_global_response(engine(), a.view(), scale.data(), number, result.view()));
            break;
        }
        case 7: {
            int32_t height = in.in(-1, 16), width = in.in(-1, 16);
            // For so many labels there is no memory, and none is asked for.
            if (in.in(0, 3) == 0) height = width = INT32_MAX;
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
    constexpr void (*calls[])(input&) = {conv2d, pool, others, pictures, crf};
    calls[in.in(0, std::size(calls) - 1)](in);
    return 0;
}
