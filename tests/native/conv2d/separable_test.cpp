// Depthwise and pointwise convolutions in one call, against the two calls.
#include "conv2d/conv2d_fixture.h"

namespace atrous::tests {
namespace {

struct separable_case {
    const char* name;
    conv_case depthwise;
    int out, out_gap, activation;
    bool residual;
};

const separable_case cases[] = {
    {"plain", {"", 1, 9, 7, 32, 32, 3, 3, 1, 1, 32, 1, 1, 1, 1}, 48, 0, ATROUS_ACTIVATION_NONE, false},
    {"tails", {"", 2, 6, 5, 19, 19, 3, 3, 1, 1, 19, 1, 1, 1, 1, 3}, 21, 4, ATROUS_ACTIVATION_RELU, true},
    {"strided", {"", 2, 13, 11, 40, 40, 3, 3, 2, 1, 40, 0, 0, 1, 1}, 24, 0, ATROUS_ACTIVATION_NONE, true},
    {"rate_two", {"", 1, 17, 19, 48, 48, 3, 3, 1, 2, 48, 2, 2, 2, 2}, 70, 2, ATROUS_ACTIVATION_RELU6, false},
    {"rate_twelve", {"", 1, 17, 19, 24, 24, 3, 3, 1, 12, 24, 12, 12, 12, 12}, 16, 0, ATROUS_ACTIVATION_NONE, false},
    {"five", {"", 1, 10, 9, 24, 24, 5, 5, 1, 1, 24, 2, 2, 2, 2}, 16, 0, ATROUS_ACTIVATION_HARD_SWISH, false},
    {"one_pixel", {"", 3, 1, 1, 30, 30, 3, 3, 1, 1, 30, 1, 1, 1, 1}, 8, 0, ATROUS_ACTIVATION_NONE, false},
    {"deep", {"", 1, 9, 9, 700, 700, 3, 3, 1, 1, 700, 1, 1, 1, 1}, 90, 0, ATROUS_ACTIVATION_RELU, true},
    {"many_runs", {"", 2, 40, 41, 200, 200, 3, 3, 1, 1, 200, 1, 1, 1, 1}, 32, 0, ATROUS_ACTIVATION_NONE, true},
};

// The two convolutions and what they read, of float32 or all of it of bfloat16.
class separable {
 public:
    separable(const separable_case& c, atrous_engine& engine, int32_t type)
        : engine_(engine),
          first_(c.depthwise),
          second_(pointwise_of(c)),
          type_(type),
          of_first_(first_),
          of_second_(second_) {
        if (type == ATROUS_BFLOAT16) {
            round_values(of_first_.input);
            round_values(of_second_.residual);
        }
        depthwise_ = make(first_, of_first_);
        pointwise_ = make(second_, of_second_);
    }
    ~separable() {
        atrous_conv2d_destroy(depthwise_);
        atrous_conv2d_destroy(pointwise_);
    }

    sheet output() const { return sheet(second_.batch, second_.height, second_.width, second_.out, second_.out_gap); }
    const sheet& residual() const { return of_second_.residual; }

    // One call after the other; output: where the second one writes.
    void run_apart(const atrous_tensor* residual, const atrous_tensor* output) const {
        const sheet plain(second_.batch, second_.height, second_.width, second_.in);
        const half_sheet half(plain);
        const atrous_tensor* between = type_ == ATROUS_FLOAT32 ? plain.view() : half.view();
        with_input([&](const atrous_tensor* input) {
            ATROUS_EXPECT_OK(
                atrous_conv2d_run(&engine_, depthwise_, input, first_.pad_top, first_.pad_left, nullptr, between));
        });
        ATROUS_EXPECT_OK(
            atrous_conv2d_run(&engine_, pointwise_, between, 0, 0, second_.residual ? residual : nullptr, output));
    }
    void run_as_one(const atrous_tensor* residual, const atrous_tensor* output) const {
        with_input([&](const atrous_tensor* input) {
            ATROUS_EXPECT_OK(atrous_separable_run(&engine_, depthwise_, pointwise_, input, first_.pad_top,
                                                  first_.pad_left, second_.residual ? residual : nullptr, output));
        });
    }

 private:
    static conv_case pointwise_of(const separable_case& c) {
        conv_case made{c.name,
                       c.depthwise.batch,
                       c.depthwise.out_height(),
                       c.depthwise.out_width(),
                       c.depthwise.out,
                       c.out,
                       1,
                       1,
                       1,
                       1,
                       1,
                       0,
                       0,
                       0,
                       0};
        made.out_gap = c.out_gap;
        made.activation = c.activation;
        made.residual = c.residual;
        return made;
    }

    atrous_conv2d* make(const conv_case& c, const conv_data& data) const {
        atrous_conv2d_desc desc = c.desc();
        desc.type = type_;
        atrous_conv2d* conv = nullptr;
        ATROUS_EXPECT_OK(
            atrous_conv2d_create(&engine_, &desc, data.weights.data(), data.scale.data(), data.bias.data(), &conv));
        return conv;
    }

    template <class Body>
    void with_input(Body body) const {
        if (type_ == ATROUS_FLOAT32) return body(of_first_.input.view());
        body(half_sheet(of_first_.input).view());
    }

    atrous_engine& engine_;
    conv_case first_, second_;
    int32_t type_;
    conv_data of_first_, of_second_;
    atrous_conv2d *depthwise_ = nullptr, *pointwise_ = nullptr;
};

using Separable = EveryIsa;

TEST_P(Separable, GivesTheBitsOfTheTwoCalls) {
    for (int threads : {1, 3}) {
        const auto engine = make_engine(threads);
        for (const separable_case& c : cases) {
            SCOPED_TRACE(c.name);
            const separable pair(c, *engine, ATROUS_FLOAT32);
            const sheet apart = pair.output(), one = pair.output();
            pair.run_apart(pair.residual().view(), apart.view());
            pair.run_as_one(pair.residual().view(), one.view());
            EXPECT_EQ(one.storage(), apart.storage());
            one.expect_gaps_untouched();
        }
    }
}

TEST_P(Separable, AddsAResidualInPlace) {
    const auto engine = make_engine(2);
    for (const separable_case& c : cases) {
        if (!c.residual) continue;
        SCOPED_TRACE(c.name);
        const separable pair(c, *engine, ATROUS_FLOAT32);
        const sheet apart = pair.output();
        pair.run_as_one(pair.residual().view(), apart.view());
        pair.run_as_one(pair.residual().view(), pair.residual().view());
        EXPECT_EQ(pair.residual().storage(), apart.storage());
    }
}

TEST_P(Separable, GivesTheBitsOfTheTwoCallsInBfloat16) {
    const auto engine = make_engine(2);
    if (!GetParam()->bf16_products) GTEST_SKIP() << "no products of bfloat16";
    for (const separable_case& c : cases) {
        SCOPED_TRACE(c.name);
        const separable pair(c, *engine, ATROUS_BFLOAT16);
        const half_sheet residual(pair.residual()), apart(pair.output()), one(pair.output());
        pair.run_apart(residual.view(), apart.view());
        pair.run_as_one(residual.view(), one.view());
        for (size_t i = 0; i < one.storage().size(); ++i)
            ASSERT_EQ(one.storage()[i].bits, apart.storage()[i].bits) << i;
    }
}

ATROUS_EVERY_ISA(Separable);

TEST(SeparableHandles, MustBeDepthwiseAndPointwise) {
    atrous_engine engine(1, *available_kernels().back());
    const std::vector<float> weights(4 * 4 * 9);
    const auto make = [&](int in, int out, int kernel, int groups) {
        const atrous_conv2d_desc desc{in, out, kernel, kernel, 1, 1, 1, 1, groups, 0, 0, ATROUS_FLOAT32, 5, 5, 0};
        atrous_conv2d* conv = nullptr;
        ATROUS_EXPECT_OK(atrous_conv2d_create(&engine, &desc, weights.data(), nullptr, nullptr, &conv));
        return conv;
    };
    atrous_conv2d *depthwise = make(4, 4, 3, 4), *pointwise = make(4, 2, 1, 1), *wide = make(4, 4, 3, 1),
                  *other = make(3, 2, 1, 1);
    const sheet input(1, 5, 5, 4), output(1, 5, 5, 2);
    const auto refusal = [&](const atrous_conv2d* first, const atrous_conv2d* second, const sheet& from) {
        EXPECT_EQ(atrous_separable_run(&engine, first, second, from.view(), 1, 1, nullptr, output.view()),
                  ATROUS_INVALID_ARGUMENT);
        return std::string(atrous_last_error());
    };
    EXPECT_EQ(refusal(nullptr, pointwise, input), "depthwise is null");
    EXPECT_EQ(refusal(depthwise, nullptr, input), "pointwise is null");
    EXPECT_EQ(refusal(wide, pointwise, input), "depthwise has not one filter a channel");
    EXPECT_EQ(refusal(depthwise, wide, input), "pointwise is not a 1x1 convolution of 4 channels at stride 1");
    EXPECT_EQ(refusal(depthwise, other, input), "pointwise is not a 1x1 convolution of 4 channels at stride 1");
    EXPECT_EQ(refusal(depthwise, pointwise, output), "input has 2 channels, the convolution has 4");
    for (atrous_conv2d* conv : {depthwise, pointwise, wide, other}) atrous_conv2d_destroy(conv);
}

}  // namespace
}  // namespace atrous::tests
