// Sequences of calls on a small CRF, with arguments of all kinds: beliefs stay probabilities.
#include "input.h"

using namespace atrous::fuzz;

namespace {

float sigma(input& in) {
    return in.in(0, 7) == 0 ? in.any_float() : static_cast<float>(in.in(1, 80)) / 4;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    input in(data, size);
    const atrous_crf_desc desc{
        .height = in.in(1, 12), .width = in.in(1, 12), .labels = in.in(1, 9), .memory_limit = int64_t{1} << 28};
    const int64_t pixels = int64_t{desc.height} * desc.width;
    atrous_crf* crf = nullptr;
    if (!taken(atrous_crf_create(engine(), &desc, &crf))) return 0;
    std::vector<float> weights = in.values(static_cast<size_t>(desc.labels) * desc.labels);
    if (weights.back() == 2) weights[0] = in.any_float();
    for (int32_t call = in.in(1, 8); call > 0; --call) {
        const atrous_crf_kernel kernel{
            .normalization = in.in(-1, 4), .compatibility = in.in(-1, 3), .compatibility_values = weights.data()};
        switch (in.in(0, 5)) {
            case 0: {
                const bool planes = call % 2 == 0;  // label by label, or pixel by pixel
                const std::vector<float> scores = in.values(static_cast<size_t>(pixels) * desc.labels);
                const atrous_crf_scores given{.data = scores.data(),
                                              .label_stride = planes ? pixels : 1,
                                              .pixel_stride = planes ? 1 : desc.labels,
                                              .form = in.in(-1, 3),
                                              .scale = in.in(0, 3) == 0 ? in.any_float() : 1,
                                              .clip = in.in(0, 3) == 0 ? in.any_float() : 1e-5f};
                (void)taken(atrous_crf_set_unary(crf, &given));
                break;
            }
            case 1: {
                const float x = sigma(in), y = sigma(in);
                (void)taken(atrous_crf_add_gaussian(crf, x, y, &kernel));
                break;
            }
            case 2: {
                const int32_t channels = in.in(1, 4);
                std::vector<uint8_t> colours(static_cast<size_t>(pixels) * channels);
                for (uint8_t& colour : colours) colour = in.byte();
                const atrous_image image{colours.data(), desc.height, desc.width, channels, 0};
                const float x = sigma(in), y = sigma(in);
                const float sigmas[] = {sigma(in), 3, 3, 3};
                (void)taken(atrous_crf_add_bilateral(crf, x, y, sigmas, &image, &kernel));
                break;
            }
            case 3: {
                const int32_t dims = in.in(1, 6);
                const std::vector<float> features = in.values(static_cast<size_t>(pixels) * dims);
                (void)taken(atrous_crf_add_features(crf, dims, features.data(), &kernel));
                break;
            }
            case 4:
                (void)taken(atrous_crf_start(crf));
                break;
            default:
                (void)taken(atrous_crf_step(crf, in.in(-1, 3)));
                break;
        }
    }
    std::vector<float> beliefs(static_cast<size_t>(pixels) * desc.labels);
    std::vector<uint16_t> labels(static_cast<size_t>(pixels));
    if (taken(atrous_crf_beliefs(crf, beliefs.data(), 1, desc.labels)) &&
        taken(atrous_crf_labels(crf, labels.data()))) {
        for (int64_t p = 0; p < pixels; ++p) {
            double sum = 0;
            for (int32_t l = 0; l < desc.labels; ++l) sum += beliefs[p * desc.labels + l];
            expect_near("the sum of beliefs", sum, 1, 1e-3);
            if (labels[p] >= desc.labels) found("label", labels[p], desc.labels - 1);
        }
    }
    atrous_crf_destroy(crf);
    return 0;
}
