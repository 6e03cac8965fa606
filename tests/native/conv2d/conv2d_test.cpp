#include "conv2d/conv2d_fixture.h"

namespace atrous::tests {
namespace {

const conv_case cases[] = {
    {"pointwise", 1, 9, 7, 64, 64, 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {"pointwise_deep", 1, 5, 5, 2100, 70, 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {"pointwise_slices", 2, 5, 7, 19, 21, 1, 1, 1, 1, 1, 0, 0, 0, 0, 5, 3},
    {"pointwise_one_class", 1, 6, 6, 33, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {"pointwise_strided", 1, 9, 9, 32, 48, 1, 1, 2, 1, 1, 0, 0, 0, 0},
    {"one_pixel", 3, 1, 1, 300, 40, 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {"one_pixel_padded", 1, 1, 1, 30, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"three_by_three", 1, 13, 11, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"three_by_three_deep", 1, 7, 9, 600, 80, 3, 3, 1, 2, 1, 2, 2, 2, 2},
    {"three_by_three_batches", 3, 5, 5, 24, 130, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"strided_asymmetric", 1, 12, 10, 40, 33, 3, 3, 2, 1, 1, 0, 0, 1, 1},
    {"no_padding", 2, 8, 8, 25, 17, 3, 3, 1, 1, 1, 0, 0, 0, 0},
    {"rate_six", 1, 33, 33, 32, 16, 3, 3, 1, 6, 1, 6, 6, 6, 6},
    {"rate_eighteen", 1, 33, 33, 40, 21, 3, 3, 1, 18, 1, 18, 18, 18, 18},
    {"rate_beyond_the_picture", 2, 5, 6, 32, 20, 3, 3, 1, 24, 1, 24, 24, 24, 24},
    {"stem", 1, 21, 23, 3, 64, 7, 7, 2, 1, 1, 3, 3, 3, 3},
    {"stem_same_padding", 2, 16, 18, 3, 32, 3, 3, 2, 1, 1, 0, 0, 1, 1},
    {"stem_slice", 1, 9, 9, 3, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2},
    {"shallow_dilated", 1, 9, 9, 4, 16, 3, 3, 1, 2, 1, 2, 2, 2, 2},
    {"one_channel", 1, 8, 9, 1, 5, 5, 3, 1, 1, 1, 2, 1, 2, 1},
    {"row_wider_than_the_picture", 1, 3, 2, 2, 7, 3, 7, 1, 1, 1, 1, 3, 1, 3},
    {"flat_kernel", 1, 9, 9, 32, 16, 1, 7, 1, 1, 1, 0, 3, 0, 3},
    {"all_extras", 1, 7, 9, 48, 70, 3, 3, 1, 1, 1, 1, 1, 1, 1, 2, 4, ATROUS_ACTIVATION_RELU, true, true},
    {"no_bias", 1, 5, 5, 32, 32, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_NONE, true, true, false},
    {"deep_residual", 1, 5, 5, 2100, 64, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_RELU, true},
    {"relu6", 1, 5, 5, 64, 32, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_RELU6},
    {"leaky", 1, 5, 5, 64, 32, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_LEAKY_RELU},
    {"hard_swish", 1, 5, 5, 64, 32, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_HARD_SWISH},
    {"hard_sigmoid", 1, 5, 5, 64, 32, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_HARD_SIGMOID},
    {"sigmoid", 1, 5, 5, 64, 32, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_SIGMOID},
    {"silu", 1, 5, 5, 64, 32, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_SILU},
    {"groups", 2, 7, 6, 32, 48, 3, 3, 1, 1, 4, 1, 1, 1, 1, 3, 5, ATROUS_ACTIVATION_RELU, true, true},
    {"groups_strided", 1, 9, 9, 64, 128, 3, 3, 2, 1, 2, 1, 1, 1, 1},
    {"depthwise_multiplier", 1, 7, 7, 6, 12, 3, 3, 1, 1, 6, 1, 1, 1, 1},
    {"depthwise", 1, 12, 13, 35, 35, 3, 3, 1, 1, 35, 1, 1, 1, 1, 0, 0, ATROUS_ACTIVATION_RELU6, false, true},
    {"depthwise_strided", 2, 11, 13, 32, 32, 3, 3, 2, 1, 32, 0, 0, 1, 1, 3, 4},
    {"depthwise_dilated", 1, 17, 19, 20, 20, 3, 3, 1, 4, 20, 4, 4, 4, 4, 0, 1, ATROUS_ACTIVATION_RELU, true},
    {"depthwise_five", 1, 10, 9, 24, 24, 5, 5, 1, 2, 24, 4, 4, 4, 4, 0, 0, ATROUS_ACTIVATION_HARD_SWISH},
    {"depthwise_beyond_the_picture", 1, 4, 3, 17, 17, 3, 3, 1, 12, 17, 12, 12, 12, 12},
    {"depthwise_one_pixel", 1, 1, 1, 9, 9, 3, 3, 1, 1, 9, 1, 1, 1, 1},
};

using Conv2d = EveryIsa;

TEST_P(Conv2d, MatchesTheReference) {
    const scoped_algorithm algorithm("direct");
    const auto engine = make_engine(2);
    for (const conv_case& c : cases) {
        SCOPED_TRACE(c.name);
        const conv_data data(c);
        const sheet output = run_case(c, data, *engine);
        expect_matches_reference(c, data, output);
        output.expect_gaps_untouched();
    }
}

TEST_P(Conv2d, GivesTheSameBitsOnAnyNumberOfThreads) {
    const scoped_algorithm algorithm("direct");
    const auto one = make_engine(1), three = make_engine(3);
    for (const conv_case& c : cases) {
        SCOPED_TRACE(c.name);
        const conv_data data(c);
        EXPECT_EQ(run_case(c, data, *one).storage(), run_case(c, data, *three).storage());
    }
}

TEST_P(Conv2d, AddsAResidualInPlace) {
    const auto engine = make_engine(2);
    for (const conv_case& c : cases) {
        if (!c.residual) continue;
        SCOPED_TRACE(c.name);
        conv_data data(c);
        const sheet separate = run_case(c, data, *engine);
        run_into(c, data, *engine, data.residual);
        EXPECT_EQ(separate.storage(), data.residual.storage());
    }
}

// The data are values that bfloat16 holds, so what is left is float32 sums and the rounding of what is stored.
TEST_P(Conv2d, MatchesTheReferenceInBfloat16) {
    const auto engine = make_engine(2);
    if (!GetParam()->bf16_products) GTEST_SKIP() << "no products of bfloat16";
    for (conv_case c : cases) {
        SCOPED_TRACE(c.name);
        c.scale = false;
        conv_data data(c);
        round_values(data.input);
        round_values(data.residual);
        round_values(data.weights);
        const sheet blank(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap);
        const half_sheet residual(data.residual), stored(blank);
        run_halves(c, data, *engine, residual.view(), stored.view());
        sheet wide(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap);
        stored.widen_into(wide);
        wide.expect_gaps_untouched();
        const sheet full(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap);
        run_halves(c, data, *engine, data.residual.view(), full.view());
        full.expect_gaps_untouched();
        full.for_each([&](int n, int y, int x, int o) {
            const reference_sum expected = reference_at(c, data, n, y, x, o);
            const double sums = 1e-6 * expected.magnitude;
            ASSERT_NEAR(full.at(n, y, x, o), expected.value, sums) << n << ", " << y << ", " << x << ", " << o;
            ASSERT_NEAR(wide.at(n, y, x, o), expected.value, sums + bf16_rounding(expected.value))
                << n << ", " << y << ", " << x << ", " << o;
        });
    }
}

// The first convolution of a network stored as bfloat16 reads a float32 picture.
TEST_P(Conv2d, RoundsFloat32SumsToBfloat16) {
    const auto engine = make_engine(2);
    for (const char* algorithm : {"direct", "winograd"}) {
        const scoped_algorithm forced(algorithm);
        for (const conv_case& c : cases) {
            SCOPED_TRACE(c.name);
            conv_data data(c);
            round_values(data.residual);
            const sheet wide = run_case(c, data, *engine);
            const half_sheet narrow(sheet(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap)), expected(wide);
            const half_sheet residual(data.residual);
            run_with(c, data, *engine, residual.view(), narrow.view());
            for (size_t i = 0; i < expected.storage().size(); ++i)
                ASSERT_EQ(narrow.storage()[i].bits, expected.storage()[i].bits) << i;
        }
    }
}

TEST_P(Conv2d, RefusesBfloat16WhereItsProductsAreMissing) {
    const auto engine = make_engine(1);
    const bool has = GetParam()->bf16_products;
    EXPECT_EQ(atrous_engine_require_bfloat16(engine.get()), has ? ATROUS_OK : ATROUS_UNSUPPORTED);
    if (has) return;
    const std::string reason = atrous_last_error();
    EXPECT_EQ(reason.rfind("bf16 takes the instruction ", 0), 0u) << reason;
    atrous_conv2d_desc desc = cases[0].desc();
    desc.type = ATROUS_BFLOAT16;
    const conv_data data(cases[0]);
    atrous_conv2d* conv = nullptr;
    EXPECT_EQ(atrous_conv2d_create(engine.get(), &desc, data.weights.data(), nullptr, nullptr, &conv),
              ATROUS_UNSUPPORTED);
    EXPECT_EQ(conv, nullptr);
}

TEST_P(Conv2d, ServesConcurrentCallersWithOneHandle) {
    const conv_case c{"shared", 1, 17, 15, 48, 70, 3, 3, 1, 2, 1, 2, 2, 2, 2};
    const conv_data data(c);
    const auto engine = make_engine(3);
    const sheet expected = run_case(c, data, *engine);
    atrous_conv2d* conv = nullptr;
    const atrous_conv2d_desc desc = c.desc();
    ATROUS_EXPECT_OK(atrous_conv2d_create(engine.get(), &desc, data.weights.data(), nullptr, data.bias.data(), &conv));
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&] {
            for (int round = 0; round < 20; ++round) {
                sheet output(1, 17, 15, 70);
                ATROUS_EXPECT_OK(
                    atrous_conv2d_run(engine.get(), conv, data.input.view(), 2, 2, nullptr, output.view()));
                EXPECT_EQ(output.storage(), expected.storage());
            }
        });
    }
    for (auto& caller : callers) caller.join();
    atrous_conv2d_destroy(conv);
}

ATROUS_EVERY_ISA(Conv2d);

TEST(Conv2dHandle, KeepsTheIsaOfTheEngineThatMadeIt) {
    const conv_case c{"mixed", 1, 5, 5, 32, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1};
    const conv_data data(c);
    atrous_engine slow(1, *available_kernels().front()), fast(2, *available_kernels().back());
    const atrous_conv2d_desc desc = c.desc();
    atrous_conv2d* conv = nullptr;
    ATROUS_EXPECT_OK(atrous_conv2d_create(&slow, &desc, data.weights.data(), nullptr, data.bias.data(), &conv));
    sheet output(1, 5, 5, 40);
    ATROUS_EXPECT_OK(atrous_conv2d_run(&fast, conv, data.input.view(), 1, 1, nullptr, output.view()));
    atrous_conv2d_destroy(conv);
    expect_matches_reference(c, data, output);
}

}  // namespace
}  // namespace atrous::tests
