#include "support.h"

namespace atrous::tests {
namespace {

struct conv_case {
    const char* name;
    int batch, height, width, in, out;
    int kernel_height, kernel_width, stride, dilation, groups;
    int pad_top, pad_left, pad_bottom, pad_right;
    int in_gap = 0, out_gap = 0;
    int activation = ATROUS_ACTIVATION_NONE;
    bool residual = false, scale = false, bias = true;

    int out_height() const { return out_size(height, kernel_height, pad_top + pad_bottom); }
    int out_width() const { return out_size(width, kernel_width, pad_left + pad_right); }
    int out_size(int size, int kernel, int pad) const {
        return (size + pad - (kernel - 1) * dilation - 1) / stride + 1;
    }
    atrous_conv2d_desc desc() const {
        return {in, out, kernel_height, kernel_width, stride, stride, dilation, dilation, groups, activation, 0.1f};
    }
};

struct conv_data {
    explicit conv_data(const conv_case& c)
        : input(sheet::random(c.batch, c.height, c.width, c.in, c.in_gap, 1)),
          residual(sheet::random(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap, 2)),
          weights(random_floats(static_cast<size_t>(c.out) * (c.in / c.groups) * c.kernel_height * c.kernel_width, 3)),
          scale(random_floats(c.out, 4, 0.5f, 1.5f)),
          bias(random_floats(c.out, 5)) {}
    sheet input, residual;
    std::vector<float> weights, scale, bias;
};

void expect_matches_reference(const conv_case& c, const conv_data& data, const sheet& output) {
    const int depth = c.in / c.groups, outputs = c.out / c.groups;
    output.for_each([&](int n, int y, int x, int o) {
        double sum = 0, magnitude = 1;
        const double factor = c.scale ? data.scale[o] : 1.0;
        for (int k = 0; k < depth; ++k) {
            for (int ky = 0; ky < c.kernel_height; ++ky) {
                for (int kx = 0; kx < c.kernel_width; ++kx) {
                    const double weight = data.weights[((o * depth + k) * c.kernel_height + ky) * c.kernel_width + kx];
                    const double term =
                        factor * weight *
                        data.input.padded(n, y * c.stride - c.pad_top + ky * c.dilation,
                                          x * c.stride - c.pad_left + kx * c.dilation, o / outputs * depth + k);
                    sum += term;
                    magnitude += std::abs(term);
                }
            }
        }
        if (c.bias) sum += data.bias[o];
        if (c.residual) sum += data.residual.at(n, y, x, o);
        const double expected = reference_activation(sum, c.activation, 0.1);
        ASSERT_NEAR(output.at(n, y, x, o), expected, 1e-6 * magnitude) << n << ", " << y << ", " << x << ", " << o;
    });
}

sheet run_case(const conv_case& c, const conv_data& data, atrous_engine& engine) {
    atrous_conv2d* conv = nullptr;
    const atrous_conv2d_desc desc = c.desc();
    ATROUS_EXPECT_OK(atrous_conv2d_create(&engine, &desc, data.weights.data(), c.scale ? data.scale.data() : nullptr,
                                          c.bias ? data.bias.data() : nullptr, &conv));
    sheet output(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap);
    ATROUS_EXPECT_OK(atrous_conv2d_run(&engine, conv, data.input.view(), c.pad_top, c.pad_left,
                                       c.residual ? data.residual.view() : nullptr, output.view()));
    atrous_conv2d_destroy(conv);
    return output;
}

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
        atrous_conv2d* conv = nullptr;
        const atrous_conv2d_desc desc = c.desc();
        ATROUS_EXPECT_OK(atrous_conv2d_create(engine.get(), &desc, data.weights.data(),
                                              c.scale ? data.scale.data() : nullptr,
                                              c.bias ? data.bias.data() : nullptr, &conv));
        ATROUS_EXPECT_OK(atrous_conv2d_run(engine.get(), conv, data.input.view(), c.pad_top, c.pad_left,
                                           data.residual.view(), data.residual.view()));
        atrous_conv2d_destroy(conv);
        EXPECT_EQ(separate.storage(), data.residual.storage());
    }
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
