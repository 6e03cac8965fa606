#include "support.h"

namespace atrous::tests {
namespace {

constexpr int32_t activations[] = {
    ATROUS_ACTIVATION_NONE,       ATROUS_ACTIVATION_RELU,       ATROUS_ACTIVATION_RELU6,
    ATROUS_ACTIVATION_LEAKY_RELU, ATROUS_ACTIVATION_HARD_SWISH, ATROUS_ACTIVATION_HARD_SIGMOID,
    ATROUS_ACTIVATION_SIGMOID,    ATROUS_ACTIVATION_SILU,       ATROUS_ACTIVATION_GELU};

struct layout {
    int channels, in_gap, out_gap;
};
constexpr layout layouts[] = {{1, 0, 0}, {3, 0, 0}, {21, 0, 0}, {21, 3, 0}, {64, 0, 5}, {35, 2, 1}};

using Elementwise = EveryIsa;

TEST_P(Elementwise, AffineScalesShiftsAndActivates) {
    const auto engine = make_engine(2);
    for (const layout& l : layouts) {
        for (int32_t activation : activations) {
            SCOPED_TRACE(testing::Message() << l.channels << " channels, activation " << activation);
            const sheet input = sheet::random(2, 5, 7, l.channels, l.in_gap, 1, -8, 8);
            const auto scale = random_floats(l.channels, 2), shift = random_floats(l.channels, 3);
            for (int given = 0; given < 4; ++given) {
                sheet output(2, 5, 7, l.channels, l.out_gap);
                ATROUS_EXPECT_OK(atrous_affine(engine.get(), input.view(), given & 1 ? scale.data() : nullptr,
                                               given & 2 ? shift.data() : nullptr, activation, 0.2f, output.view()));
                output.for_each([&](int n, int y, int x, int c) {
                    const double value = static_cast<double>(input.at(n, y, x, c)) * (given & 1 ? scale[c] : 1.0f) +
                                         (given & 2 ? shift[c] : 0.0f);
                    ASSERT_NEAR(output.at(n, y, x, c), reference_activation(value, activation, 0.2f), 4e-6);
                });
                output.expect_gaps_untouched();
            }
        }
    }
}

TEST_P(Elementwise, ActivationsKeepTheirLimitsAndNaN) {
    const auto engine = make_engine(1);
    const float values[] = {-1e30f, -100.0f, -0.0f, 100.0f, 1e30f};
    for (int32_t activation : activations) {
        SCOPED_TRACE(activation);
        sheet x(1, 1, 1, 6);
        for (int i = 0; i < 5; ++i) x.at(0, 0, 0, i) = values[i];
        x.at(0, 0, 0, 5) = std::nanf("");
        ATROUS_EXPECT_OK(atrous_affine(engine.get(), x.view(), nullptr, nullptr, activation, 0.5f, x.view()));
        for (int i = 0; i < 5; ++i) {
            const double expected = reference_activation(values[i], activation, 0.5);
            EXPECT_NEAR(x.at(0, 0, 0, i), expected, 1e-6 * std::abs(expected) + 1e-30) << values[i];
        }
        EXPECT_TRUE(std::isnan(x.at(0, 0, 0, 5)));
    }
}

double combine(int op, double a, double b) {
    return op == ATROUS_ADD ? a + b : op == ATROUS_MULTIPLY ? a * b : std::max(a, b);
}

TEST_P(Elementwise, BinaryCombinesAndActivates) {
    const auto engine = make_engine(2);
    for (const layout& l : layouts) {
        for (int op : {ATROUS_ADD, ATROUS_MULTIPLY, ATROUS_MAXIMUM}) {
            for (bool broadcast : {false, true}) {
                SCOPED_TRACE(testing::Message() << l.channels << " channels, op " << op << ", broadcast " << broadcast);
                const sheet a = sheet::random(2, 6, 5, l.channels, l.in_gap, 1);
                const sheet b = broadcast ? sheet::random(2, 1, 1, l.channels, l.out_gap, 2)
                                          : sheet::random(2, 6, 5, l.channels, l.out_gap, 2);
                sheet output(2, 6, 5, l.channels, l.out_gap);
                ATROUS_EXPECT_OK(atrous_binary_op(engine.get(), op, a.view(), b.view(), ATROUS_ACTIVATION_LEAKY_RELU,
                                                  0.5f, output.view()));
                output.for_each([&](int n, int y, int x, int c) {
                    const double other = broadcast ? b.at(n, 0, 0, c) : b.at(n, y, x, c);
                    const double expected = combine(op, a.at(n, y, x, c), other);
                    ASSERT_NEAR(output.at(n, y, x, c),
                                reference_activation(expected, ATROUS_ACTIVATION_LEAKY_RELU, 0.5), 1e-6);
                });
                output.expect_gaps_untouched();
            }
        }
    }
}

TEST_P(Elementwise, BinaryWorksInPlace) {
    const auto engine = make_engine(2);
    sheet a = sheet::random(1, 9, 9, 33, 0, 1);
    const sheet before = sheet::random(1, 9, 9, 33, 0, 1), b = sheet::random(1, 9, 9, 33, 0, 2);
    ATROUS_EXPECT_OK(
        atrous_binary_op(engine.get(), ATROUS_ADD, a.view(), b.view(), ATROUS_ACTIVATION_NONE, 0, a.view()));
    a.for_each(
        [&](int n, int y, int x, int c) { ASSERT_EQ(a.at(n, y, x, c), before.at(n, y, x, c) + b.at(n, y, x, c)); });
}

TEST_P(Elementwise, CopyCropsIntoASlice) {
    const auto engine = make_engine(2);
    for (const layout& l : layouts) {
        const sheet input = sheet::random(2, 9, 8, l.channels, l.in_gap, 1);
        sheet output(2, 5, 6, l.channels, l.out_gap);
        ATROUS_EXPECT_OK(atrous_copy(engine.get(), input.view(), 3, 2, output.view()));
        output.for_each(
            [&](int n, int y, int x, int c) { ASSERT_EQ(output.at(n, y, x, c), input.at(n, y + 3, x + 2, c)); });
        output.expect_gaps_untouched();
    }
}

TEST_P(Elementwise, CopyBroadcastsOnePixel) {
    const auto engine = make_engine(2);
    for (const layout& l : layouts) {
        const sheet input = sheet::random(2, 1, 1, l.channels, l.in_gap, 1);
        sheet output(2, 5, 6, l.channels, l.out_gap);
        ATROUS_EXPECT_OK(atrous_copy(engine.get(), input.view(), 0, 0, output.view()));
        output.for_each([&](int n, int y, int x, int c) { ASSERT_EQ(output.at(n, y, x, c), input.at(n, 0, 0, c)); });
        output.expect_gaps_untouched();
    }
}

TEST_P(Elementwise, CopyRefusesAWindowOutside) {
    const auto engine = make_engine(1);
    const sheet input(1, 4, 4, 3), output(1, 3, 3, 3);
    EXPECT_EQ(atrous_copy(engine.get(), input.view(), 5, 0, output.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(),
                 "a 3x3 window at (5, 0) lies neither inside an input of 4x4 nor inside its mirror images");
    EXPECT_EQ(atrous_copy(engine.get(), input.view(), 0, -4, output.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_copy(engine.get(), input.view(), INT32_MAX, 0, output.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_copy(engine.get(), input.view(), INT32_MIN, 0, output.view()), ATROUS_INVALID_ARGUMENT);
    const sheet wide(1, 8, 3, 3);
    EXPECT_EQ(atrous_copy(engine.get(), input.view(), 0, 0, wide.view()), ATROUS_INVALID_ARGUMENT);
}

TEST_P(Elementwise, CopyMirrorsBeyondItsInput) {
    const auto engine = make_engine(2);
    for (const layout l : layouts) {
        const sheet input = sheet::random(2, 4, 3, l.channels, l.in_gap, 1);
        sheet output(2, 9, 7, l.channels, l.out_gap);
        ATROUS_EXPECT_OK(atrous_copy(engine.get(), input.view(), -3, -2, output.view()));
        const int rows[] = {3, 2, 1, 0, 1, 2, 3, 2, 1}, columns[] = {2, 1, 0, 1, 2, 1, 0};
        output.for_each(
            [&](int n, int y, int x, int c) { ASSERT_EQ(output.at(n, y, x, c), input.at(n, rows[y], columns[x], c)); });
        output.expect_gaps_untouched();
    }
}

ATROUS_EVERY_ISA(Elementwise);

}  // namespace
}  // namespace atrous::tests
