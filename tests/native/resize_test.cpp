#include "support.h"

namespace atrous::tests {
namespace {

struct resize_case {
    const char* name;
    int batch, height, width, channels, out_height, out_width;
    atrous_resize_desc desc;
};

const resize_case cases[] = {
    {"up", 1, 5, 7, 21, 17, 23, {ATROUS_SAMPLING_HALF_PIXEL, 0, 0}},
    {"up_aligned", 2, 5, 7, 21, 17, 25, {ATROUS_SAMPLING_ALIGN_CORNERS, 0, 0}},
    {"up_asymmetric", 1, 5, 7, 21, 17, 23, {ATROUS_SAMPLING_ASYMMETRIC, 0, 0}},
    {"down", 1, 33, 29, 5, 9, 8, {ATROUS_SAMPLING_HALF_PIXEL, 0, 0}},
    {"down_aligned", 1, 33, 29, 32, 9, 8, {ATROUS_SAMPLING_ALIGN_CORNERS, 0, 0}},
    {"given_scale", 1, 9, 9, 3, 18, 20, {ATROUS_SAMPLING_HALF_PIXEL, 0.49f, 0.46f}},
    {"from_one_pixel", 2, 1, 1, 35, 6, 5, {ATROUS_SAMPLING_ALIGN_CORNERS, 0, 0}},
    {"to_one_pixel", 1, 6, 5, 35, 1, 1, {ATROUS_SAMPLING_ALIGN_CORNERS, 0, 0}},
    {"equal", 1, 6, 5, 19, 6, 5, {ATROUS_SAMPLING_HALF_PIXEL, 0, 0}},
    {"wide", 1, 9, 65, 6, 16, 600, {ATROUS_SAMPLING_HALF_PIXEL, 0, 0}},
};

double source_of(const atrous_resize_desc& desc, float scale, int in, int out, int i) {
    const double step = scale != 0 ? scale : static_cast<double>(in) / out;
    if (desc.sampling == ATROUS_SAMPLING_ALIGN_CORNERS)
        return out > 1 ? i * static_cast<double>(in - 1) / (out - 1) : 0;
    if (desc.sampling == ATROUS_SAMPLING_ASYMMETRIC) return i * step;
    return std::max((i + 0.5) * step - 0.5, 0.0);
}

double reference(const resize_case& c, const sheet& input, int n, int y, int x, int channel) {
    const double in_y =
        std::min<double>(source_of(c.desc, c.desc.scale_height, c.height, c.out_height, y), c.height - 1);
    const double in_x = std::min<double>(source_of(c.desc, c.desc.scale_width, c.width, c.out_width, x), c.width - 1);
    const int y0 = static_cast<int>(in_y), x0 = static_cast<int>(in_x);
    const int y1 = std::min(y0 + 1, c.height - 1), x1 = std::min(x0 + 1, c.width - 1);
    const double fy = in_y - y0, fx = in_x - x0;
    const auto row = [&](int at) {
        return (1 - fx) * input.at(n, at, x0, channel) + fx * input.at(n, at, x1, channel);
    };
    return (1 - fy) * row(y0) + fy * row(y1);
}

using Resize = EveryIsa;

TEST_P(Resize, InterpolatesBetweenFourPixels) {
    const auto engine = make_engine(2);
    for (const resize_case& c : cases) {
        SCOPED_TRACE(c.name);
        const sheet input = sheet::random(c.batch, c.height, c.width, c.channels, 2, 1);
        sheet output(c.batch, c.out_height, c.out_width, c.channels, 3);
        ATROUS_EXPECT_OK(atrous_resize_bilinear(engine.get(), input.view(), &c.desc, output.view()));
        output.for_each([&](int n, int y, int x, int channel) {
            // The scale rounds by 2^-24, a coordinate so by that share of the picture's side.
            ASSERT_NEAR(output.at(n, y, x, channel), reference(c, input, n, y, x, channel), 1e-5);
        });
        output.expect_gaps_untouched();
    }
}

TEST_P(Resize, ArgmaxIsTheArgmaxOfTheResizedLogits) {
    const auto engine = make_engine(3);
    for (const resize_case& c : cases) {
        SCOPED_TRACE(c.name);
        const sheet logits = sheet::random(c.batch, c.height, c.width, c.channels, 2, 1, -4, 4);
        sheet resized(c.batch, c.out_height, c.out_width, c.channels);
        ATROUS_EXPECT_OK(atrous_resize_bilinear(engine.get(), logits.view(), &c.desc, resized.view()));
        const size_t pixels = static_cast<size_t>(c.batch) * c.out_height * c.out_width;
        std::vector<uint16_t> labels(pixels + 1, 12345), alone(pixels);
        std::vector<float> confidence(pixels + 1, -7);
        ATROUS_EXPECT_OK(atrous_resize_argmax(engine.get(), logits.view(), &c.desc, c.out_height, c.out_width,
                                              labels.data(), confidence.data()));
        for (size_t p = 0; p < pixels; ++p) {
            const float* scores = &resized.storage()[p * c.channels];
            const auto best = std::max_element(scores, scores + c.channels);
            double sum = 0;
            for (int channel = 0; channel < c.channels; ++channel) sum += std::exp(double{scores[channel]} - *best);
            ASSERT_EQ(labels[p], best - scores) << "pixel " << p;
            ASSERT_NEAR(confidence[p], 1 / sum, 1e-6) << "pixel " << p;
        }
        EXPECT_EQ(labels[pixels], 12345);
        EXPECT_EQ(confidence[pixels], -7);
        ATROUS_EXPECT_OK(atrous_resize_argmax(engine.get(), logits.view(), &c.desc, c.out_height, c.out_width,
                                              alone.data(), nullptr));
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), labels.begin()));
        std::vector<float> confidence_alone(pixels);
        ATROUS_EXPECT_OK(atrous_resize_argmax(engine.get(), logits.view(), &c.desc, c.out_height, c.out_width, nullptr,
                                              confidence_alone.data()));
        EXPECT_TRUE(std::equal(confidence_alone.begin(), confidence_alone.end(), confidence.begin()));
    }
}

TEST_P(Resize, ArgmaxTakesTheLowestIndexAmongEquals) {
    const auto engine = make_engine(1);
    sheet logits(1, 2, 2, 300);
    logits.for_each([&](int n, int y, int x, int c) { logits.at(n, y, x, c) = c == 17 || c == 257 ? 2.0f : 1.0f; });
    const atrous_resize_desc desc{ATROUS_SAMPLING_HALF_PIXEL, 0, 0};
    std::vector<uint16_t> labels(25, 9999);
    ATROUS_EXPECT_OK(atrous_resize_argmax(engine.get(), logits.view(), &desc, 5, 5, labels.data(), nullptr));
    EXPECT_EQ(labels, std::vector<uint16_t>(25, 17));
}

TEST_P(Resize, ArgmaxOfEqualSizesCopesWithMinusInfinity) {
    const auto engine = make_engine(1);
    sheet logits(1, 1, 3, 2);
    const float infinity = std::numeric_limits<float>::infinity();
    const float values[] = {-infinity, 0, 1, -infinity, 2, 0};
    for (int x = 0; x < 3; ++x)
        for (int c = 0; c < 2; ++c) logits.at(0, 0, x, c) = values[x * 2 + c];
    const atrous_resize_desc desc{ATROUS_SAMPLING_HALF_PIXEL, 0, 0};
    std::vector<uint16_t> labels(3, 9);
    ATROUS_EXPECT_OK(atrous_resize_argmax(engine.get(), logits.view(), &desc, 1, 3, labels.data(), nullptr));
    EXPECT_EQ(labels, (std::vector<uint16_t>{1, 0, 0}));
}

TEST_P(Resize, ArgmaxRefusesScoresThatAreNoNumbers) {
    const auto engine = make_engine(3);
    const float no_numbers[] = {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()};
    for (const resize_case& c : cases) {
        SCOPED_TRACE(c.name);
        std::vector<uint16_t> labels(static_cast<size_t>(c.batch) * c.out_height * c.out_width);
        for (const float no_number : no_numbers) {
            for (const int channel : {0, c.channels / 2, c.channels - 1}) {
                sheet logits = sheet::random(c.batch, c.height, c.width, c.channels, 2, 1, -4, 4);
                for (int y = 0; y < c.height; ++y)
                    for (int x = 0; x < c.width; ++x) logits.at(c.batch - 1, y, x, channel) = no_number;
                EXPECT_EQ(atrous_resize_argmax(engine.get(), logits.view(), &c.desc, c.out_height, c.out_width,
                                               labels.data(), nullptr),
                          ATROUS_NOT_FINITE);
            }
        }
    }
}

TEST_P(Resize, SoftmaxSumsToOne) {
    const auto engine = make_engine(2);
    for (int channels : {1, 2, 5, 16, 21, 150}) {
        sheet logits = sheet::random(1, 7, 5, channels, 3, 1, -20, 20);
        const sheet before = sheet::random(1, 7, 5, channels, 3, 1, -20, 20);
        ATROUS_EXPECT_OK(atrous_softmax(engine.get(), logits.view(), 1, logits.view()));
        logits.for_each([&](int n, int y, int x, int c) {
            double sum = 0;
            for (int other = 0; other < channels; ++other)
                sum += std::exp(static_cast<double>(before.at(n, y, x, other)) - before.at(n, y, x, c));
            ASSERT_NEAR(logits.at(n, y, x, c), 1 / sum, 1e-6);
        });
        logits.expect_gaps_untouched();
    }
}

TEST_P(Resize, SoftmaxAmongSlicesIsOfEachChannelByItself) {
    const auto engine = make_engine(2);
    for (int slices : {2, 3, 4}) {
        for (int step : {1, 5, 16, 37}) {
            SCOPED_TRACE(testing::Message() << slices << " slices of " << step);
            sheet scores = sheet::random(2, 3, 5, slices * step, 3, 1, -20, 20);
            const sheet before = sheet::random(2, 3, 5, slices * step, 3, 1, -20, 20);
            ATROUS_EXPECT_OK(atrous_softmax(engine.get(), scores.view(), slices, scores.view()));
            scores.for_each([&](int n, int y, int x, int c) {
                double sum = 0;
                for (int other = c % step; other < slices * step; other += step)
                    sum += std::exp(static_cast<double>(before.at(n, y, x, other)) - before.at(n, y, x, c));
                ASSERT_NEAR(scores.at(n, y, x, c), 1 / sum, 1e-6);
            });
            scores.expect_gaps_untouched();
        }
    }
    const sheet odd(1, 2, 2, 7);
    EXPECT_EQ(atrous_softmax(engine.get(), odd.view(), 2, odd.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "7 channels do not divide into 2 slices");
    EXPECT_EQ(atrous_softmax(engine.get(), odd.view(), 0, odd.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "slices is 0; use 1 to 7");
}

TEST_P(Resize, RefusesWhatIsNotAGrid) {
    const auto engine = make_engine(1);
    const sheet input(1, 4, 4, 3), output(1, 8, 8, 3);
    const atrous_resize_desc unknown{7, 0, 0}, backwards{0, -1, 0};
    EXPECT_EQ(atrous_resize_bilinear(engine.get(), input.view(), &unknown, output.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "sampling is 7; use 0 to 2");
    EXPECT_EQ(atrous_resize_bilinear(engine.get(), input.view(), &backwards, output.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "a resize scale is -1; use a positive number, or 0 for in / out");
    uint16_t label;
    const atrous_resize_desc desc{};
    EXPECT_EQ(atrous_resize_argmax(engine.get(), input.view(), &desc, 0, 1, &label, nullptr), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "height is 0; use 1 to 2147483647");
}

ATROUS_EVERY_ISA(Resize);

}  // namespace
}  // namespace atrous::tests
