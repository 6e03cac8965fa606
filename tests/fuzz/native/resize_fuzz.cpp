// Bilinear resizing, and the argmax of what it makes, against the formula of each grid.
#include <algorithm>

#include "input.h"

using namespace atrous::fuzz;

namespace {

double source_of(int32_t sampling, int32_t i, int32_t in, int32_t out) {
    if (in == out) return i;
    if (sampling == ATROUS_SAMPLING_ALIGN_CORNERS) {
        return out > 1 ? i * static_cast<double>(in - 1) / (out - 1) : 0.0;
    }
    const double scale = static_cast<double>(in) / out;
    return sampling == ATROUS_SAMPLING_ASYMMETRIC ? i * scale : std::max((i + 0.5) * scale - 0.5, 0.0);
}

double sample(const sheet& s, int32_t height, int32_t width, int32_t n, double y, double x, int32_t c) {
    y = std::min(y, height - 1.0);
    x = std::min(x, width - 1.0);
    const auto top = static_cast<int32_t>(y), left = static_cast<int32_t>(x);
    const int32_t bottom = std::min(top + 1, height - 1), right = std::min(left + 1, width - 1);
    const double v = y - top, u = x - left;
    return (1 - v) * ((1 - u) * s.at(n, top, left, c) + u * s.at(n, top, right, c)) +
           v * ((1 - u) * s.at(n, bottom, left, c) + u * s.at(n, bottom, right, c));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    input in(data, size);
    const int32_t sampling = in.in(0, 2), batch = in.in(1, 2), channels = in.in(1, 19);
    const int32_t height = in.in(1, 9), width = in.in(1, 9), out_height = in.in(1, 17), out_width = in.in(1, 17);
    const atrous_resize_desc desc{.sampling = sampling, .scale_height = 0, .scale_width = 0};
    const sheet source(batch, height, width, channels, &in);
    const sheet result(batch, out_height, out_width, channels);
    if (!taken(atrous_resize_bilinear(engine(), source.view(), &desc, result.view()))) {
        found("a resize was refused", 0, 1);
    }
    std::vector<uint16_t> labels(static_cast<size_t>(batch) * out_height * out_width);
    std::vector<float> confidence(labels.size());
    if (!taken(atrous_resize_argmax(engine(), source.view(), &desc, out_height, out_width, labels.data(),
                                    confidence.data()))) {
        found("an argmax was refused", 0, 1);
    }
    for (int32_t n = 0; n < batch; ++n) {
        for (int32_t y = 0; y < out_height; ++y) {
            for (int32_t x = 0; x < out_width; ++x) {
                const size_t pixel = (static_cast<size_t>(n) * out_height + y) * out_width + x;
                const double at_y = source_of(sampling, y, height, out_height);
                const double at_x = source_of(sampling, x, width, out_width);
                double best = -1e9;
                for (int32_t c = 0; c < channels; ++c) {
                    const double expected = sample(source, height, width, n, at_y, at_x, c);
                    expect_near("resize", result.at(n, y, x, c), expected, 1e-5);
                    best = std::max(best, expected);
                }
                if (labels[pixel] >= channels) found("label", labels[pixel], channels - 1);
                const double won = sample(source, height, width, n, at_y, at_x, labels[pixel]);
                expect_near("the winner's score", won, best, 1e-5);
                if (!(confidence[pixel] > 0.999 / channels && confidence[pixel] <= 1.0001)) {
                    found("confidence", confidence[pixel], 1.0 / channels);
                }
            }
        }
    }
    return 0;
}
