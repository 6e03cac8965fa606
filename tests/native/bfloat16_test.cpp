#include "bfloat16.h"

#include "support.h"

namespace atrous::tests {
namespace {

TEST(Bfloat16, RoundsToTheNearestAndToEven) {
    EXPECT_EQ(round_to_bf16(1.0f).bits, 0x3f80);
    EXPECT_EQ(round_to_bf16(0x1.01p0f).bits, 0x3f80);      // a tie, down to the even one
    EXPECT_EQ(round_to_bf16(0x1.010002p0f).bits, 0x3f81);  // just above it
    EXPECT_EQ(round_to_bf16(0x1.03p0f).bits, 0x3f82);      // a tie, up to the even one
    EXPECT_EQ(round_to_bf16(-0.0f).bits, 0x8000);
    EXPECT_EQ(round_to_bf16(3.4e38f).bits, 0x7f80);  // beyond the largest
    EXPECT_EQ(to_float(round_to_bf16(-INFINITY)), -INFINITY);
    EXPECT_TRUE(std::isnan(to_float(round_to_bf16(std::nanf("")))));
    EXPECT_EQ(to_float({0x4049}), 3.140625f);
}

// Operations that merely store bfloat16 compute as in float32: their result is that of float32, rounded.
using Bfloat16Storage = EveryIsa;

constexpr int channel_counts[] = {1, 3, 21, 64, 130};

// run(input, output) for the same values in both types.
template <class Run>
void expect_rounded(int channels, int height, int width, Run run) {
    sheet values = sheet::random(2, 9, 11, channels, 3, 1, -8, 8);
    round_values(values);
    const sheet wide(2, height, width, channels, 1);
    const half_sheet input(values), narrow(wide);
    ATROUS_EXPECT_OK(run(values.view(), wide.view()));
    ATROUS_EXPECT_OK(run(input.view(), narrow.view()));
    const half_sheet expected(wide);
    for (size_t i = 0; i < expected.storage().size(); ++i)
        ASSERT_EQ(narrow.storage()[i].bits, expected.storage()[i].bits) << channels << " channels, element " << i;
}

TEST_P(Bfloat16Storage, PoolsAsInFloat) {
    const auto engine = make_engine(2);
    const atrous_pool_desc desc{3, 3, 2, 2, 1, 1};
    for (int channels : channel_counts) {
        for (auto pool : {atrous_max_pool, atrous_average_pool})
            expect_rounded(channels, 5, 6, [&](auto* in, auto* out) { return pool(engine.get(), in, &desc, out); });
    }
}

TEST_P(Bfloat16Storage, ResizesAsInFloat) {
    const auto engine = make_engine(2);
    const atrous_resize_desc desc{ATROUS_SAMPLING_ALIGN_CORNERS, 0, 0};
    for (int channels : channel_counts)
        expect_rounded(channels, 20, 7,
                       [&](auto* in, auto* out) { return atrous_resize_bilinear(engine.get(), in, &desc, out); });
}

TEST_P(Bfloat16Storage, CopiesBits) {
    const auto engine = make_engine(2);
    for (int channels : channel_counts)
        expect_rounded(channels, 4, 5, [&](auto* in, auto* out) { return atrous_copy(engine.get(), in, 2, 3, out); });
}

TEST_P(Bfloat16Storage, CombinesAsInFloat) {
    const auto engine = make_engine(2);
    for (int channels : channel_counts) {
        for (int op : {ATROUS_ADD, ATROUS_MULTIPLY, ATROUS_MAXIMUM}) {
            expect_rounded(channels, 9, 11, [&](auto* in, auto* out) {
                return atrous_binary_op(engine.get(), op, in, in, ATROUS_ACTIVATION_SILU, 0, out);
            });
        }
    }
}

TEST_P(Bfloat16Storage, ScalesAsInFloatFromAndToEitherType) {
    const auto engine = make_engine(2);
    for (int channels : channel_counts) {
        const auto scale = random_floats(channels, 2), shift = random_floats(channels, 3);
        const auto run = [&](auto* in, auto* out) {
            return atrous_affine(engine.get(), in, scale.data(), shift.data(), ATROUS_ACTIVATION_RELU6, 0, out);
        };
        expect_rounded(channels, 9, 11, run);
        sheet values = sheet::random(2, 9, 11, channels, 3, 1, -8, 8);
        round_values(values);
        const sheet wide(2, 9, 11, channels, 1), from_half(2, 9, 11, channels, 1);
        const half_sheet input(values), to_half(wide);
        ATROUS_EXPECT_OK(run(values.view(), wide.view()));
        ATROUS_EXPECT_OK(run(input.view(), from_half.view()));
        EXPECT_EQ(from_half.storage(), wide.storage());
        ATROUS_EXPECT_OK(run(values.view(), to_half.view()));
        const half_sheet expected(wide);
        for (size_t i = 0; i < expected.storage().size(); ++i)
            ASSERT_EQ(to_half.storage()[i].bits, expected.storage()[i].bits) << i;
    }
}

TEST_P(Bfloat16Storage, ConversionKeepsNaNInfinityAndTies) {
    const auto engine = make_engine(1);
    sheet values(1, 1, 1, 19);
    for (int i = 0; i < 19; ++i) values.at(0, 0, 0, i) = 0x1.01p0f + 0x0.02p0f * static_cast<float>(i);
    values.at(0, 0, 0, 1) = std::nanf("");
    values.at(0, 0, 0, 2) = -INFINITY;
    values.at(0, 0, 0, 17) = std::nanf("");
    values.at(0, 0, 0, 18) = 3.4e38f;
    const sheet blank(1, 1, 1, 19);
    const half_sheet made(blank), expected(values);
    ATROUS_EXPECT_OK(
        atrous_affine(engine.get(), values.view(), nullptr, nullptr, ATROUS_ACTIVATION_NONE, 0, made.view()));
    for (int i = 0; i < 19; ++i) {
        if (std::isnan(values.at(0, 0, 0, i))) {
            EXPECT_TRUE(std::isnan(to_float(made.storage()[i]))) << i;
        } else {
            EXPECT_EQ(made.storage()[i].bits, expected.storage()[i].bits) << i;
        }
    }
}

ATROUS_EVERY_ISA(Bfloat16Storage);

}  // namespace
}  // namespace atrous::tests
