#include "support.h"

namespace atrous::tests {
namespace {

using Attention = EveryIsa;

// Sums of some hundred products of numbers up to 1, and exponentials of their sums.
constexpr double tolerance = 2e-6;

TEST_P(Attention, LayerNormIsOverAPixelOrAPicture) {
    const auto engine = make_engine(3);
    for (int channels : {1, 5, 16, 35, 144}) {
        for (bool whole : {false, true}) {
            SCOPED_TRACE(testing::Message() << channels << " channels, whole picture " << whole);
            const sheet input = sheet::random(2, 5, 7, channels, 3, 1, 2, 4);
            const auto scale = random_floats(channels, 2), shift = random_floats(channels, 3);
            sheet output(2, 5, 7, channels, 1);
            ATROUS_EXPECT_OK(
                atrous_layer_norm(engine.get(), input.view(), scale.data(), shift.data(), 1e-3f, whole, output.view()));
            output.for_each([&](int n, int y, int x, int c) {
                double sum = 0, squares = 0, count = 0;
                input.for_each([&](int on, int oy, int ox, int oc) {
                    if (on != n || (!whole && (oy != y || ox != x))) return;
                    const double value = input.at(on, oy, ox, oc);
                    sum += value;
                    squares += value * value;
                    ++count;
                });
                const double mean = sum / count, variance = squares / count - mean * mean;
                const double expected =
                    (input.at(n, y, x, c) - mean) / std::sqrt(variance + 1e-3) * scale[c] + shift[c];
                ASSERT_NEAR(output.at(n, y, x, c), expected, 1e-5);
            });
            output.expect_gaps_untouched();
        }
    }
}

TEST_P(Attention, GlobalResponseIsByThePicturesNorms) {
    const auto engine = make_engine(3);
    for (int channels : {1, 5, 16, 35, 144}) {
        SCOPED_TRACE(testing::Message() << channels << " channels");
        const sheet input = sheet::random(2, 19, 23, channels, 3, 1, -2, 4);
        const auto scale = random_floats(channels, 2);
        sheet output(2, 1, 1, channels, 1);
        ATROUS_EXPECT_OK(atrous_global_response(engine.get(), input.view(), scale.data(), 1e-3f, output.view()));
        std::vector<double> squares(2 * channels);
        input.for_each([&](int n, int y, int x, int c) {
            const double value = input.at(n, y, x, c);
            squares[n * channels + c] += value * value;
        });
        output.for_each([&](int n, int y, int x, int c) {
            double mean = 0;
            for (int i = 0; i < channels; ++i) mean += std::sqrt(squares[n * channels + i]) / channels;
            const double norm = std::sqrt(squares[n * channels + c]);
            ASSERT_NEAR(output.at(n, y, x, c), 1 + scale[c] * norm / (mean + 1e-3), 1e-6);
        });
        output.expect_gaps_untouched();
    }
}

TEST_P(Attention, LayerNormWritesBothTypesAndInPlace) {
    const auto engine = make_engine(2);
    sheet x = sheet::random(1, 6, 5, 37, 0, 1);
    const auto scale = random_floats(37, 2), shift = random_floats(37, 3);
    sheet expected(1, 6, 5, 37), wide(1, 6, 5, 37);
    const half_sheet half(expected);
    ATROUS_EXPECT_OK(atrous_layer_norm(engine.get(), x.view(), scale.data(), shift.data(), 1e-5f, 0, expected.view()));
    ATROUS_EXPECT_OK(atrous_layer_norm(engine.get(), x.view(), scale.data(), shift.data(), 1e-5f, 0, half.view()));
    ATROUS_EXPECT_OK(atrous_layer_norm(engine.get(), x.view(), scale.data(), shift.data(), 1e-5f, 0, x.view()));
    half.widen_into(wide);
    expected.for_each([&](int n, int y, int px, int c) {
        const float value = expected.at(n, y, px, c);
        ASSERT_EQ(x.at(n, y, px, c), value);
        ASSERT_NEAR(wide.at(n, y, px, c), value, bf16_rounding(value));
    });
}

struct attention_case {
    int height, width, key_height, key_width, channels, heads, patch;
};

TEST_P(Attention, MixesTheValuesOfEachSequence) {
    const auto engine = make_engine(2);
    const attention_case cases[] = {{1, 1, 1, 1, 1, 1, 1},
                                    {4, 6, 4, 6, 36, 4, 2},
                                    {18, 10, 18, 10, 24, 2, 1},
                                    {9, 7, 2, 3, 160, 5, 1},
                                    {6, 9, 3, 6, 33, 1, 3},
                                    {2, 2, 2, 2, 60, 1, 2},
                                    // Keys of a whole part, of one more, and of three; more queries than a run.
                                    {1, 70, 32, 32, 3, 1, 1},
                                    {5, 3, 25, 41, 3, 1, 1},
                                    {6, 6, 98, 46, 10, 2, 2},
                                    {26, 25, 45, 47, 4, 1, 1}};
    for (const attention_case& t : cases) {
        SCOPED_TRACE(testing::Message() << t.height << "x" << t.width << "x" << t.channels << " in " << t.heads);
        const sheet q = sheet::random(2, t.height, t.width, t.channels, 2, 1, -3, 3);
        const sheet k = sheet::random(2, t.key_height, t.key_width, t.channels, 1, 2, -3, 3);
        const sheet v = sheet::random(2, t.key_height, t.key_width, t.channels, 0, 3);
        sheet output(2, t.height, t.width, t.channels, 5);
        ATROUS_EXPECT_OK(
            atrous_attention(engine.get(), q.view(), k.view(), v.view(), t.heads, 0.3f, t.patch, output.view()));
        const int depth = t.channels / t.heads;
        output.for_each([&](int n, int y, int x, int c) {
            const int first = c / depth * depth;
            double sum = 0, total = 0;
            for (int ky = y % t.patch; ky < t.key_height; ky += t.patch) {
                for (int kx = x % t.patch; kx < t.key_width; kx += t.patch) {
                    double score = 0;
                    for (int i = first; i < first + depth; ++i)
                        score += static_cast<double>(q.at(n, y, x, i)) * k.at(n, ky, kx, i);
                    const double weight = std::exp(0.3 * score);
                    sum += weight;
                    total += weight * v.at(n, ky, kx, c);
                }
            }
            ASSERT_NEAR(output.at(n, y, x, c), total / sum, 5 * tolerance);
        });
        output.expect_gaps_untouched();
    }
}

TEST_P(Attention, LargeScoresDoNotOverflow) {
    const auto engine = make_engine(1);
    sheet q = sheet::random(1, 3, 3, 8, 0, 1, -100, 100), output(1, 3, 3, 8);
    ATROUS_EXPECT_OK(atrous_attention(engine.get(), q.view(), q.view(), q.view(), 1, 1.0f, 1, output.view()));
    output.for_each([&](int n, int y, int x, int c) { ASSERT_TRUE(std::isfinite(output.at(n, y, x, c))); });
}

TEST_P(Attention, LinearAttentionWeighsTheKeysOfEachSequence) {
    const auto engine = make_engine(2);
    for (int channels : {1, 7, 64, 130}) {
        for (int patch : {1, 2}) {
            SCOPED_TRACE(testing::Message() << channels << " channels, patch " << patch);
            const sheet scores = sheet::random(2, 6, 8, 1, 3, 1, -5, 5), keys = sheet::random(2, 6, 8, channels, 2, 2);
            const sheet values = sheet::random(2, 6, 8, channels, 0, 3);
            sheet output(2, 6, 8, channels, 1);
            ATROUS_EXPECT_OK(
                atrous_linear_attention(engine.get(), scores.view(), keys.view(), values.view(), patch, output.view()));
            output.for_each([&](int n, int y, int x, int c) {
                double sum = 0, total = 0;
                for (int ky = y % patch; ky < 6; ky += patch) {
                    for (int kx = x % patch; kx < 8; kx += patch) {
                        const double weight = std::exp(static_cast<double>(scores.at(n, ky, kx, 0)));
                        sum += weight;
                        total += weight * keys.at(n, ky, kx, c);
                    }
                }
                ASSERT_NEAR(output.at(n, y, x, c), std::max(values.at(n, y, x, c), 0.0f) * total / sum, tolerance);
            });
            output.expect_gaps_untouched();
        }
    }
}

TEST_P(Attention, MisfitsAreRefused) {
    const auto engine = make_engine(1);
    const sheet x(1, 4, 6, 6), small(1, 2, 6, 6), one(1, 4, 6, 1), narrow(1, 4, 6, 3);
    const auto refused = [](atrous_status status, const char* message) {
        EXPECT_EQ(status, ATROUS_INVALID_ARGUMENT);
        EXPECT_STREQ(atrous_last_error(), message);
    };
    const auto attend = [&](const sheet& k, const sheet& v, int heads, int patch) {
        return atrous_attention(engine.get(), x.view(), k.view(), v.view(), heads, 1.0f, patch, x.view());
    };
    refused(attend(x, x, 4, 1), "6 channels do not divide into 4 heads");
    refused(attend(x, x, 0, 1), "heads is 0; use 1 to 6");
    refused(attend(x, x, 1, 4), "queries is 4x6, which patches of 4 do not fill");
    refused(attend(x, small, 1, 1), "keys is 1x4x6x6 and values is 1x2x6x6; they must have one shape");
    refused(attend(narrow, narrow, 1, 1), "queries has 6 channels and keys has 3; they must agree");
    refused(atrous_linear_attention(engine.get(), x.view(), x.view(), x.view(), 2, x.view()),
            "scores is 1x4x6x6 and a channel of keys is 1x4x6x1; they must have one shape");
    refused(atrous_layer_norm(engine.get(), x.view(), nullptr, nullptr, 0, 0, x.view()), "scale is null");
    refused(atrous_global_response(engine.get(), x.view(), nullptr, 0, x.view()), "scale is null");
    const float factors[64] = {};
    refused(atrous_global_response(engine.get(), x.view(), factors, 0, x.view()),
            "a pixel of input is 1x1x1x6 and output is 1x4x6x6; they must have one shape");
    const half_sheet half(x);
    refused(atrous_linear_attention(engine.get(), one.view(), half.view(), x.view(), 2, x.view()),
            "keys is bfloat16; it must be float32");
}

ATROUS_EVERY_ISA(Attention);

}  // namespace
}  // namespace atrous::tests
