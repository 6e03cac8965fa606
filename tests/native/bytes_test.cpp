// Operations on quantised tensors, bit for bit against plain loops written from the formulas of atrous.h.
#include "byte_sheet.h"

namespace atrous::tests {
namespace {

constexpr int channel_counts[] = {1, 3, 21, 64, 130};

class Bytes : public EveryIsa {};

// Activations that take no exponential; reference_activation() rounds once at the end, these after every operation.
float activated(float x, int activation, float slope) {
    const float clipped = std::min(6.0f, std::max(0.0f, x + 3.0f));
    switch (activation) {
        case ATROUS_ACTIVATION_RELU:
            return std::max(0.0f, x);
        case ATROUS_ACTIVATION_RELU6:
            return std::min(6.0f, std::max(0.0f, x));
        case ATROUS_ACTIVATION_LEAKY_RELU:
            return x < 0 ? x * slope : x;
        case ATROUS_ACTIVATION_HARD_SWISH:
            return x * clipped / 6.0f;
        case ATROUS_ACTIVATION_HARD_SIGMOID:
            return clipped / 6.0f;
        default:
            return x;
    }
}

TEST_P(Bytes, AreScaledFromAndToEveryType) {
    const auto engine = make_engine(3);
    for (int channels : channel_counts) {
        const auto scale = random_floats(channels, 2, -2, 2), shift = random_floats(channels, 3);
        const byte_sheet bytes = byte_sheet::random(2, 5, 6, channels, 3, 0.037f, 90, 1);
        sheet floats = sheet::random(2, 5, 6, channels, 1, 4, -4, 4);
        round_values(floats);
        const half_sheet halves(floats);
        for (int activation = ATROUS_ACTIVATION_NONE; activation <= ATROUS_ACTIVATION_HARD_SIGMOID; ++activation) {
            for (bool scaled : {false, true}) {
                const auto expected = [&](float x, int c) {
                    return activated(scaled ? x * scale[c] + shift[c] : x, activation, 0.1f);
                };
                const auto run = [&](const atrous_tensor* from, const atrous_tensor* to) {
                    ATROUS_EXPECT_OK(atrous_affine(engine.get(), from, scaled ? scale.data() : nullptr,
                                                   scaled ? shift.data() : nullptr, activation, 0.1f, to));
                };
                byte_sheet to_bytes(2, 5, 6, channels, 2, 0.0191f, 131);
                run(bytes.view(), to_bytes.view());
                bytes.for_each([&](int n, int y, int x, int c) {
                    ASSERT_EQ(to_bytes.at(n, y, x, c), to_bytes.quantised(expected(bytes.value(n, y, x, c), c)));
                });
                for (const atrous_tensor* from : {floats.view(), halves.view()}) {
                    run(from, to_bytes.view());
                    bytes.for_each([&](int n, int y, int x, int c) {
                        ASSERT_EQ(to_bytes.at(n, y, x, c), to_bytes.quantised(expected(floats.at(n, y, x, c), c)));
                    });
                    to_bytes.expect_gaps_untouched();
                }
                sheet to_floats(2, 5, 6, channels, 2);
                const half_sheet to_halves(to_floats);
                run(bytes.view(), to_floats.view());
                run(bytes.view(), to_halves.view());
                bytes.for_each([&](int n, int y, int x, int c) {
                    ASSERT_EQ(to_floats.at(n, y, x, c), expected(bytes.value(n, y, x, c), c));
                });
                to_floats.expect_gaps_untouched();
                const half_sheet rounded(to_floats);
                for (size_t i = 0; i < rounded.storage().size(); ++i)
                    ASSERT_EQ(rounded.storage()[i].bits, to_halves.storage()[i].bits);
            }
        }
    }
}

TEST_P(Bytes, AreZeroOfNaNAndCutOffInfinities) {
    const auto engine = make_engine(1);
    sheet values(1, 1, 1, 19);
    for (int i = 0; i < 19; ++i) values.at(0, 0, 0, i) = static_cast<float>(i) / 2;
    for (int i : {1, 17}) values.at(0, 0, 0, i) = std::nanf("");
    for (int i : {2, 18}) values.at(0, 0, 0, i) = INFINITY;
    values.at(0, 0, 0, 3) = -INFINITY;
    values.at(0, 0, 0, 4) = 3e38f;
    values.at(0, 0, 0, 5) = -3e38f;
    byte_sheet made(1, 1, 1, 19, 0, 1, 10);
    ATROUS_EXPECT_OK(
        atrous_affine(engine.get(), values.view(), nullptr, nullptr, ATROUS_ACTIVATION_NONE, 0, made.view()));
    const int expected[] = {10, 0, 255, 0, 255, 0, 13, 14, 14, 14, 15, 16, 16, 16, 17, 18, 18, 0, 255};  // ties to even
    for (int i = 0; i < 19; ++i) EXPECT_EQ(made.at(0, 0, 0, i), expected[i]) << i;
}

TEST_P(Bytes, ArePooled) {
    const auto engine = make_engine(3);
    const atrous_pool_desc usual{3, 3, 2, 2, 1, 1}, whole{9, 11, 1, 1, 0, 0};
    for (int channels : {1, 3, 21, 64, 130, 200}) {
        for (const atrous_pool_desc& desc : {usual, whole}) {
            const bool global = desc.kernel_height == 9;
            const int height = global ? 1 : 5, width = global ? 1 : 6;
            const byte_sheet input = byte_sheet::random(2, 9, 11, channels, 3, 0.5f, 9, 1);
            byte_sheet largest(2, height, width, channels, 2, 0.5f, 9), mean(2, height, width, channels, 2, 0.5f, 9);
            ATROUS_EXPECT_OK(atrous_max_pool(engine.get(), input.view(), &desc, largest.view()));
            ATROUS_EXPECT_OK(atrous_average_pool(engine.get(), input.view(), &desc, mean.view()));
            largest.for_each([&](int n, int y, int x, int c) {
                int best = 0, sum = 0, cells = 0;
                for (int ky = 0; ky < desc.kernel_height; ++ky) {
                    for (int kx = 0; kx < desc.kernel_width; ++kx) {
                        const int at_y = y * desc.stride_height - desc.pad_top + ky;
                        const int at_x = x * desc.stride_width - desc.pad_left + kx;
                        if (at_y < 0 || at_y >= 9 || at_x < 0 || at_x >= 11) continue;
                        best = std::max<int>(best, input.at(n, at_y, at_x, c));
                        sum += input.at(n, at_y, at_x, c);
                        ++cells;
                    }
                }
                ASSERT_EQ(largest.at(n, y, x, c), best);
                ASSERT_EQ(mean.at(n, y, x, c),
                          byte_sheet::rounded(static_cast<float>(sum) / static_cast<float>(cells)));
            });
            largest.expect_gaps_untouched();
            mean.expect_gaps_untouched();
        }
    }
}

// More bytes than a float's integers.
TEST_P(Bytes, AreAveragedExactly) {
    const auto engine = make_engine(1);
    byte_sheet input(1, 300, 301, 2, 0, 1, 0), output(1, 1, 1, 2, 0, 1, 0);
    input.for_each([&](int n, int y, int x, int c) { input.at(n, y, x, c) = 255; });
    for (int i = 0; i < 150; ++i)
        for (int x = 0; x < 301; ++x) input.at(0, 2 * i, x, 0) = 254;
    const atrous_pool_desc desc{300, 301, 1, 1, 0, 0};
    ATROUS_EXPECT_OK(atrous_average_pool(engine.get(), input.view(), &desc, output.view()));
    EXPECT_EQ(output.at(0, 0, 0, 0), 254);  // 254.5, to even
    EXPECT_EQ(output.at(0, 0, 0, 1), 255);
}

TEST_P(Bytes, AreResizedAsTheirNumbersWouldBe) {
    const auto engine = make_engine(3);
    for (int channels : channel_counts) {
        for (int32_t sampling : {ATROUS_SAMPLING_HALF_PIXEL, ATROUS_SAMPLING_ALIGN_CORNERS}) {
            const atrous_resize_desc desc{sampling, 0, 0};
            const byte_sheet input = byte_sheet::random(2, 5, 6, channels, 1, 0.1f, 77, 4);
            sheet floats(2, 5, 6, channels), wide(2, 17, 11, channels);
            floats.for_each([&](int n, int y, int x, int c) { floats.at(n, y, x, c) = input.at(n, y, x, c); });
            byte_sheet output(2, 17, 11, channels, 2, 0.1f, 77);
            ATROUS_EXPECT_OK(atrous_resize_bilinear(engine.get(), input.view(), &desc, output.view()));
            // The float kernel's products and sums are separate on every instruction set.
            ATROUS_EXPECT_OK(atrous_resize_bilinear(engine.get(), floats.view(), &desc, wide.view()));
            output.for_each([&](int n, int y, int x, int c) {
                ASSERT_EQ(output.at(n, y, x, c), byte_sheet::rounded(wide.at(n, y, x, c)));
            });
            output.expect_gaps_untouched();
        }
    }
}

TEST_P(Bytes, AreCopied) {
    const auto engine = make_engine(3);
    const byte_sheet input = byte_sheet::random(2, 9, 11, 21, 3, 0.5f, 9, 1),
                     pixel = byte_sheet::random(2, 1, 1, 21, 0, 0.5f, 9, 2);
    const byte_sheet output(2, 5, 6, 21, 2, 0.5f, 9);
    ATROUS_EXPECT_OK(atrous_copy(engine.get(), input.view(), 2, 3, output.view()));
    output.for_each(
        [&](int n, int y, int x, int c) { ASSERT_EQ(output.at(n, y, x, c), input.at(n, y + 2, x + 3, c)); });
    ATROUS_EXPECT_OK(atrous_copy(engine.get(), pixel.view(), 0, 0, output.view()));
    output.for_each([&](int n, int y, int x, int c) { ASSERT_EQ(output.at(n, y, x, c), pixel.at(n, 0, 0, c)); });
    output.expect_gaps_untouched();
}

TEST_P(Bytes, AreCombinedAsNumbers) {
    const auto engine = make_engine(3);
    for (int channels : channel_counts) {
        const byte_sheet a = byte_sheet::random(2, 5, 6, channels, 3, 0.037f, 90, 1);
        const byte_sheet same = byte_sheet::random(2, 5, 6, channels, 1, 0.0219f, 3, 2);
        const byte_sheet pixel = byte_sheet::random(2, 1, 1, channels, 0, 0.011f, 0, 3);
        for (int op : {ATROUS_ADD, ATROUS_MULTIPLY, ATROUS_MAXIMUM}) {
            for (const byte_sheet* b : {&same, &pixel}) {
                byte_sheet output(2, 5, 6, channels, 2, 0.05f, 120);
                ATROUS_EXPECT_OK(atrous_binary_op(engine.get(), op, a.view(), b->view(), ATROUS_ACTIVATION_LEAKY_RELU,
                                                  0.3f, output.view()));
                output.for_each([&](int n, int y, int x, int c) {
                    const float p = a.value(n, y, x, c);
                    const float q = b == &pixel ? pixel.value(n, 0, 0, c) : same.value(n, y, x, c);
                    const float made = op == ATROUS_ADD ? p + q : op == ATROUS_MULTIPLY ? p * q : std::max(p, q);
                    ASSERT_EQ(output.at(n, y, x, c),
                              output.quantised(activated(made, ATROUS_ACTIVATION_LEAKY_RELU, 0.3f)));
                });
                output.expect_gaps_untouched();
            }
        }
    }
}

ATROUS_EVERY_ISA(Bytes);

class ByteArguments : public testing::Test {
 protected:
    static void expect_refused(atrous_status status, const char* message) {
        EXPECT_EQ(status, ATROUS_INVALID_ARGUMENT);
        EXPECT_STREQ(atrous_last_error(), message);
    }

    struct conv_handle {
        conv_handle(const atrous_engine& engine, int32_t type, int32_t zero, int activation = ATROUS_ACTIVATION_NONE,
                    int groups = 1) {
            const std::vector<float> weights(4 * 4 * 9, 1.0f);
            const atrous_conv2d_desc desc{4, 4, 3, 3, 1, 1, 1, 1, groups, activation, 0, type, 8, 8, zero};
            status = atrous_conv2d_create(&engine, &desc, weights.data(), nullptr, nullptr, &conv);
        }
        conv_handle(const conv_handle&) = delete;
        ~conv_handle() { atrous_conv2d_destroy(conv); }
        atrous_conv2d* conv = nullptr;
        atrous_status status;
    };

    atrous_status run(const conv_handle& conv, const atrous_tensor* input, const atrous_tensor* residual,
                      const atrous_tensor* output) {
        return atrous_conv2d_run(&engine_, conv.conv, input, 1, 1, residual, output);
    }

    atrous_engine engine_{1, *available_kernels().back()};
    const sheet floats_{1, 3, 3, 4};
    const half_sheet halves_{floats_};
    const byte_sheet bytes_{1, 3, 3, 4, 0, 0.5f, 7}, others_{1, 3, 3, 4, 0, 0.25f, 7};
};

TEST_F(ByteArguments, StepAndZeroAreChecked) {
    const auto run = [&](float step, int32_t zero) {
        atrous_tensor bad = *bytes_.view();
        bad.step = step;
        bad.zero = zero;
        return atrous_affine(&engine_, &bad, nullptr, nullptr, 0, 0, floats_.view());
    };
    EXPECT_EQ(run(1e-30f, 0), ATROUS_OK);
    EXPECT_EQ(run(1e30f, 255), ATROUS_OK);
    expect_refused(run(0, 0), "input has a step of 0; it must be finite and above 0");
    expect_refused(run(-1, 0), "input has a step of -1; it must be finite and above 0");
    expect_refused(run(INFINITY, 0), "input has a step of inf; it must be finite and above 0");
    expect_refused(run(std::nanf(""), 0), "input has a step of nan; it must be finite and above 0");
    expect_refused(run(1, -1), "a tensor's zero is -1; use 0 to 255");
    expect_refused(run(1, 256), "a tensor's zero is 256; use 0 to 255");
}

TEST_F(ByteArguments, ConvolutionsAreCheckedWhenMade) {
    EXPECT_EQ(conv_handle(engine_, ATROUS_UINT8, 255).status, ATROUS_OK);
    EXPECT_EQ(conv_handle(engine_, ATROUS_FLOAT32, -1).status, ATROUS_OK);
    expect_refused(conv_handle(engine_, ATROUS_UINT8, 256).status, "zero is 256; use 0 to 255");
    expect_refused(conv_handle(engine_, ATROUS_UINT8, -1).status, "zero is -1; use 0 to 255");
    expect_refused(conv_handle(engine_, 3, 0).status, "type is 3; use 0 to 2");
    const std::vector<float> weights(66313);
    const auto create = [&](int32_t inputs, int32_t kernel, int32_t groups) {
        const atrous_conv2d_desc desc{inputs, groups, 1, kernel, 1, 1, 1, 1, groups, 0, 0, ATROUS_UINT8, 8, 8, 0};
        atrous_conv2d* conv = nullptr;
        const atrous_status status = atrous_conv2d_create(&engine_, &desc, weights.data(), nullptr, nullptr, &conv);
        atrous_conv2d_destroy(conv);
        return status;
    };
    EXPECT_EQ(create(66311, 1, 1), ATROUS_OK);
    EXPECT_EQ(create(66312, 1, 1), ATROUS_TOO_LARGE);
    EXPECT_STREQ(atrous_last_error(), "a window has 66312 inputs; of uint8 it may have 66311");
    EXPECT_EQ(create(2, 518, 2), ATROUS_OK);
    EXPECT_EQ(create(2, 519, 2), ATROUS_TOO_LARGE);
    EXPECT_STREQ(atrous_last_error(), "a window has 519 inputs; of uint8 it may have 518");
}

TEST_F(ByteArguments, ConvolutionsAreCheckedWhenRun) {
    const conv_handle bytes(engine_, ATROUS_UINT8, 7), other(engine_, ATROUS_UINT8, 8);
    EXPECT_EQ(run(bytes, bytes_.view(), nullptr, others_.view()), ATROUS_OK);
    EXPECT_EQ(run(bytes, bytes_.view(), bytes_.view(), others_.view()), ATROUS_OK);
    expect_refused(run(bytes, floats_.view(), nullptr, others_.view()),
                   "the convolution was made for uint8 and input is float32");
    expect_refused(run(other, bytes_.view(), nullptr, others_.view()),
                   "the convolution was made for a zero of 8 and input has 7");
    expect_refused(run(bytes, bytes_.view(), nullptr, halves_.view()),
                   "output is bfloat16; a uint8 convolution writes uint8 or float32");
    expect_refused(run(bytes, bytes_.view(), floats_.view(), others_.view()),
                   "residual and output are of different types; they must agree");
    const conv_handle silu(engine_, ATROUS_UINT8, 7, ATROUS_ACTIVATION_SILU);
    EXPECT_EQ(run(silu, bytes_.view(), nullptr, floats_.view()), ATROUS_OK);
    expect_refused(run(silu, bytes_.view(), nullptr, others_.view()),
                   "activation 7 cannot end in uint8; use none, ReLU or ReLU6, or write float32");
}

TEST_F(ByteArguments, FloatConvolutionsWriteBytesByTheProductAlone) {
    const conv_handle product(engine_, ATROUS_FLOAT32, 0), depthwise(engine_, ATROUS_FLOAT32, 0, 0, 4);
    EXPECT_EQ(run(product, floats_.view(), nullptr, bytes_.view()), ATROUS_OK);
    expect_refused(run(product, bytes_.view(), nullptr, bytes_.view()),
                   "the convolution was made for float32 and input is uint8");
    expect_refused(run(product, floats_.view(), others_.view(), bytes_.view()),
                   "output is uint8 and residual is given; a float32 convolution adds none to uint8");
    expect_refused(run(depthwise, floats_.view(), nullptr, bytes_.view()),
                   "output is uint8; a float32 convolution that is depthwise or Winograd's does not write it");
    if (engine_.kernels.bf16_products) {
        const conv_handle halves(engine_, ATROUS_BFLOAT16, 0);
        expect_refused(run(halves, halves_.view(), nullptr, bytes_.view()),
                       "output is uint8; a bfloat16 convolution writes bfloat16 or float32");
    }
}

TEST_F(ByteArguments, StepsMustAgreeWhereNothingIsConverted) {
    const byte_sheet shifted(1, 3, 3, 4, 0, 0.5f, 8);
    const atrous_pool_desc pool{1, 1, 1, 1, 0, 0};
    const atrous_resize_desc resize{ATROUS_SAMPLING_HALF_PIXEL, 0, 0};
    for (const atrous_tensor* other : {others_.view(), shifted.view()}) {
        const char* message = other == others_.view()
                                  ? "input has a step of 0.5 and a zero of 7, output of 0.25 and 7; they must agree"
                                  : "input has a step of 0.5 and a zero of 7, output of 0.5 and 8; they must agree";
        expect_refused(atrous_max_pool(&engine_, bytes_.view(), &pool, other), message);
        expect_refused(atrous_average_pool(&engine_, bytes_.view(), &pool, other), message);
        expect_refused(atrous_resize_bilinear(&engine_, bytes_.view(), &resize, other), message);
        expect_refused(atrous_copy(&engine_, bytes_.view(), 0, 0, other), message);
    }
    expect_refused(atrous_copy(&engine_, bytes_.view(), 0, 0, floats_.view()),
                   "input and output are of different types; they must agree");
    expect_refused(atrous_binary_op(&engine_, ATROUS_ADD, bytes_.view(), floats_.view(), 0, 0, bytes_.view()),
                   "b and output are of different types; they must agree");
    const byte_sheet large(1, 1 << 12, (1 << 11) + 1, 1, 0, 1, 0), mean(1, 1, 1, 1, 0, 1, 0);
    const atrous_pool_desc whole{1 << 12, (1 << 11) + 1, 1, 1, 0, 0};
    EXPECT_EQ(atrous_max_pool(&engine_, large.view(), &whole, mean.view()), ATROUS_OK);
    EXPECT_EQ(atrous_average_pool(&engine_, large.view(), &whole, mean.view()), ATROUS_TOO_LARGE);
    EXPECT_STREQ(atrous_last_error(), "the pool's window has 8392704 cells; of uint8 it may have 8388608");
}

TEST_F(ByteArguments, WhatTakesNoBytesSaysSo) {
    const std::vector<float> ones(4, 1.0f);
    const atrous_tensor* bytes = bytes_.view();
    const atrous_tensor* floats = floats_.view();
    const atrous_resize_desc resize{ATROUS_SAMPLING_HALF_PIXEL, 0, 0};
    std::vector<uint16_t> labels(9);
    expect_refused(atrous_softmax(&engine_, bytes, 1, floats), "input is uint8; it must be float32");
    expect_refused(atrous_softmax(&engine_, floats, 1, bytes), "output is uint8; it must be float32");
    expect_refused(atrous_resize_argmax(&engine_, bytes, &resize, 3, 3, labels.data(), nullptr),
                   "logits is uint8; it must be float32");
    expect_refused(atrous_layer_norm(&engine_, bytes, ones.data(), ones.data(), 0, 0, floats),
                   "input is uint8; it must be float32");
    expect_refused(atrous_layer_norm(&engine_, floats, ones.data(), ones.data(), 0, 0, bytes),
                   "output is uint8; it must be float32 or bfloat16");
    expect_refused(atrous_attention(&engine_, bytes, floats, floats, 1, 1, 1, floats),
                   "queries is uint8; it must be float32");
    expect_refused(atrous_linear_attention(&engine_, floats, floats, bytes, 1, floats),
                   "values is uint8; it must be float32");
    const std::vector<float> weights(4 * 4 * 9);
    const auto create = [&](int32_t kernel, int32_t groups, int32_t type) {
        const atrous_conv2d_desc desc{4, 4, kernel, kernel, 1, 1, 1, 1, groups, 0, 0, type, 8, 8, 7};
        atrous_conv2d* conv = nullptr;
        ATROUS_EXPECT_OK(atrous_conv2d_create(&engine_, &desc, weights.data(), nullptr, nullptr, &conv));
        return conv;
    };
    atrous_conv2d* const float_filters = create(3, 4, ATROUS_FLOAT32);
    atrous_conv2d* const byte_filters = create(3, 4, ATROUS_UINT8);
    atrous_conv2d* const float_points = create(1, 1, ATROUS_FLOAT32);
    atrous_conv2d* const byte_points = create(1, 1, ATROUS_UINT8);
    const auto separable = [&](const atrous_conv2d* first, const atrous_conv2d* last, const atrous_tensor* input,
                               const atrous_tensor* output) {
        return atrous_separable_run(&engine_, first, last, input, 1, 1, nullptr, output);
    };
    EXPECT_EQ(separable(float_filters, float_points, floats, floats), ATROUS_OK);
    const char* message = "a separable run of uint8 convolutions is two runs";
    expect_refused(separable(byte_filters, float_points, bytes, floats), message);
    expect_refused(separable(float_filters, byte_points, floats, bytes), message);
    expect_refused(separable(float_filters, float_points, floats, bytes),
                   "output is uint8; it must be float32 or bfloat16");
    for (atrous_conv2d* conv : {float_filters, byte_filters, float_points, byte_points}) atrous_conv2d_destroy(conv);
}

}  // namespace
}  // namespace atrous::tests
