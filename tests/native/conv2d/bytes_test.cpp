// Quantised convolutions, bit for bit against plain loops written from the formulas of atrous.h.
#include "byte_sheet.h"
#include "conv2d/conv2d_fixture.h"

namespace atrous::tests {
namespace {

struct byte_case {
    conv_case shape;
    int in_zero = 3, out_zero = 101;
    float in_step = 0.021f, out_step = 0.17f;
};

struct byte_data {
    explicit byte_data(const byte_case& b)
        : input(byte_sheet::random(b.shape.batch, b.shape.height, b.shape.width, b.shape.in, b.shape.in_gap, b.in_step,
                                   b.in_zero, 1)),
          residual(byte_sheet::random(b.shape.batch, b.shape.out_height(), b.shape.out_width(), b.shape.out,
                                      b.shape.out_gap, 0.043f, 77, 2)),
          float_residual(
              sheet::random(b.shape.batch, b.shape.out_height(), b.shape.out_width(), b.shape.out, 2, 6, -3, 3)),
          weights(random_floats(static_cast<size_t>(b.shape.out) * (b.shape.in / b.shape.groups) *
                                    b.shape.kernel_height * b.shape.kernel_width,
                                3)),
          scale(random_floats(b.shape.out, 4, -1.5f, 1.5f)),
          bias(random_floats(b.shape.out, 5, -4, 4)) {
        // A channel without weights.
        const size_t filter = weights.size() / b.shape.out;
        if (b.shape.out > 2) std::fill_n(weights.begin() + static_cast<int64_t>(filter), filter, 0.0f);
    }
    byte_sheet input, residual;
    sheet float_residual;
    std::vector<float> weights, scale, bias;
};

// A channel's integers and its step.
struct quantised_filter {
    std::vector<int> q;
    float step;
    quantised_filter(const byte_case& b, const byte_data& data, int o) {
        const size_t count = data.weights.size() / b.shape.out;
        std::vector<float> scaled(count);
        float largest = 0;
        for (size_t i = 0; i < count; ++i) {
            scaled[i] = data.weights[o * count + i] * (b.shape.scale ? data.scale[o] : 1.0f);
            largest = std::max(largest, std::abs(scaled[i]));
        }
        step = largest == 0 ? 1 : largest / 127;
        for (float w : scaled) q.push_back(static_cast<int>(std::nearbyint(w / step)));
    }
};

int64_t sum_at(const byte_case& b, const byte_data& data, const quantised_filter& filter, int n, int y, int x, int o) {
    const conv_case& c = b.shape;
    const int depth = c.in / c.groups, outputs = c.out / c.groups;
    int64_t sum = 0;
    for (int k = 0; k < depth; ++k) {
        for (int ky = 0; ky < c.kernel_height; ++ky) {
            for (int kx = 0; kx < c.kernel_width; ++kx) {
                const int in = data.input.padded(n, y * c.stride - c.pad_top + ky * c.dilation,
                                                 x * c.stride - c.pad_left + kx * c.dilation, o / outputs * depth + k);
                sum += int64_t{in - b.in_zero} * filter.q[(k * c.kernel_height + ky) * c.kernel_width + kx];
            }
        }
    }
    return sum;
}

// At most as many channels as make the loops slow: all at small sizes.
template <class Check>
void for_each_sum(const byte_case& b, const byte_data& data, Check check) {
    for (int o = 0; o < b.shape.out; ++o) {
        const quantised_filter filter(b, data, o);
        for (int n = 0; n < b.shape.batch; ++n)
            for (int y = 0; y < b.shape.out_height(); ++y)
                for (int x = 0; x < b.shape.out_width(); ++x) {
                    const int64_t sum = sum_at(b, data, filter, n, y, x, o);
                    ASSERT_LE(std::abs(sum), INT32_MAX);
                    check(static_cast<float>(static_cast<int32_t>(sum)), filter.step, n, y, x, o);
                }
    }
}

void expect_bytes(const byte_case& b, const byte_data& data, const byte_sheet& output) {
    const float sx = b.in_step, sy = b.out_step, zy = static_cast<float>(b.out_zero);
    const atrous_tensor& r = *data.residual.view();
    const int activation = b.shape.activation;
    for_each_sum(b, data, [&](float sum, float s, int n, int y, int x, int o) {
        const float m = (sx * s) / sy, add = (b.shape.bias ? data.bias[o] : 0.0f) / sy + zy;
        float value = sum * m + add;
        if (b.shape.residual) {
            const float above = static_cast<float>(data.residual.at(n, y, x, o)) - static_cast<float>(r.zero);
            value = value + above * (r.step / sy);
        }
        const float low = activation == ATROUS_ACTIVATION_NONE ? 0 : zy;
        const float high = activation == ATROUS_ACTIVATION_RELU6 ? std::min(255.0f, 6 / sy + zy) : 255;
        const int expected = byte_sheet::rounded(std::min(high, std::max(low, value)));
        ASSERT_EQ(output.at(n, y, x, o), expected) << n << ", " << y << ", " << x << ", " << o;
    });
    output.expect_gaps_untouched();
}

void expect_floats(const byte_case& b, const byte_data& data, const sheet& output) {
    for_each_sum(b, data, [&](float sum, float s, int n, int y, int x, int o) {
        float value = sum * (b.in_step * s) + (b.shape.bias ? data.bias[o] : 0.0f);
        if (b.shape.residual) value = value + data.float_residual.at(n, y, x, o);
        if (b.shape.activation != ATROUS_ACTIVATION_NONE) value = std::max(0.0f, value);
        if (b.shape.activation == ATROUS_ACTIVATION_RELU6) value = std::min(6.0f, value);
        ASSERT_EQ(output.at(n, y, x, o), value) << n << ", " << y << ", " << x << ", " << o;
    });
    output.expect_gaps_untouched();
}

struct made_conv {
    made_conv(const atrous_engine& engine, const byte_case& b, const byte_data& data) {
        atrous_conv2d_desc desc = b.shape.desc();
        desc.type = ATROUS_UINT8;
        desc.zero = b.in_zero;
        ATROUS_EXPECT_OK(atrous_conv2d_create(&engine, &desc, data.weights.data(),
                                              b.shape.scale ? data.scale.data() : nullptr,
                                              b.shape.bias ? data.bias.data() : nullptr, &handle));
    }
    made_conv(const made_conv&) = delete;
    ~made_conv() { atrous_conv2d_destroy(handle); }
    atrous_conv2d* handle = nullptr;
};

void expect_formulas(const byte_case& b, const byte_data& data, atrous_engine& engine) {
    const conv_case& c = b.shape;
    const made_conv conv(engine, b, data);
    byte_sheet output(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap, b.out_step, b.out_zero);
    ATROUS_EXPECT_OK(atrous_conv2d_run(&engine, conv.handle, data.input.view(), c.pad_top, c.pad_left,
                                       c.residual ? data.residual.view() : nullptr, output.view()));
    expect_bytes(b, data, output);
    sheet floats(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap);
    ATROUS_EXPECT_OK(atrous_conv2d_run(&engine, conv.handle, data.input.view(), c.pad_top, c.pad_left,
                                       c.residual ? data.float_residual.view() : nullptr, floats.view()));
    expect_floats(b, data, floats);
}

constexpr int none = ATROUS_ACTIVATION_NONE, relu = ATROUS_ACTIVATION_RELU, relu6 = ATROUS_ACTIVATION_RELU6;

const byte_case cases[] = {
    // name, batch, height, width, in, out, kernel h, w, stride, dilation, groups, pads t l b r, gaps, activation,
    // residual, scale, bias
    {{"pointwise", 1, 5, 7, 64, 64, 1, 1, 1, 1, 1, 0, 0, 0, 0}},
    {{"pointwise_odd", 2, 5, 3, 37, 51, 1, 1, 1, 1, 1, 0, 0, 0, 0, 3, 5, relu, true, true}},
    {{"pointwise_deep", 1, 3, 5, 1030, 130, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 0, relu6, true}, 128, 30, 0.004f, 0.05f},
    {{"pointwise_stride", 1, 7, 9, 24, 16, 1, 1, 2, 1, 1, 0, 0, 0, 0, 0, 1, none, false, true}},
    {{"no_zero", 1, 6, 6, 32, 48, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0, relu}, 0, 0},
    {{"three_by_three", 1, 6, 7, 30, 33, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2, relu, true, true}},
    {{"stem", 1, 17, 15, 3, 64, 7, 7, 2, 1, 1, 3, 3, 3, 3, 0, 0, relu, false, true}, 114},
    {{"stem_in_a_slice", 2, 9, 11, 3, 20, 3, 3, 2, 1, 1, 0, 1, 1, 0, 4, 3, relu6}, 200, 255, 0.02f, 0.3f},
    {{"one_channel", 1, 5, 6, 1, 1, 3, 5, 1, 1, 1, 1, 2, 1, 2}},
    {{"dilated", 1, 13, 12, 40, 21, 3, 3, 1, 6, 1, 6, 6, 6, 6, 0, 0, relu}, 90},
    {{"mostly_outside", 1, 5, 5, 28, 70, 3, 3, 1, 4, 1, 4, 4, 4, 4, 0, 0, none, true}, 255},
    {{"asymmetric", 1, 8, 9, 26, 17, 3, 2, 2, 2, 1, 0, 1, 3, 2, 2, 2, relu, true, true}, 17},
    {{"groups_of_four", 1, 7, 6, 32, 32, 3, 3, 1, 1, 8, 1, 1, 1, 1, 0, 0, relu, false, true}},
    {{"groups_odd", 2, 5, 6, 15, 21, 3, 3, 2, 1, 3, 1, 1, 1, 1, 2, 1, relu6, true, true}, 254, 7},
    {{"groups_wide", 1, 4, 5, 64, 128, 3, 3, 1, 2, 2, 2, 2, 2, 2, 0, 0, relu, false, false, false}},
    {{"depth_in_parts", 1, 5, 4, 700, 66, 3, 3, 1, 2, 1, 2, 2, 2, 2, 0, 0, relu, true}, 61, 3, 0.003f, 0.4f},
    {{"depthwise", 1, 9, 17, 70, 70, 3, 3, 1, 1, 70, 1, 1, 1, 1, 0, 0, relu6, false, true}},
    {{"depthwise_no_zero", 2, 6, 8, 35, 35, 3, 3, 1, 1, 35, 1, 1, 1, 1, 1, 2, relu, true}, 0, 0},
    {{"depthwise_stride", 1, 15, 21, 64, 64, 3, 3, 2, 1, 64, 0, 0, 1, 1, 3, 0, relu, true, true}, 255},
    {{"depthwise_dilated", 1, 9, 13, 48, 48, 3, 3, 1, 2, 48, 2, 2, 2, 2}, 128, 255},
    {{"depthwise_far", 1, 7, 7, 20, 20, 3, 3, 1, 12, 20, 12, 12, 12, 12, 0, 0, relu, true}},
    {{"depthwise_five", 1, 8, 9, 33, 33, 5, 5, 1, 1, 33, 2, 2, 2, 2, 0, 5, relu, true, true}, 90, 20, 0.01f, 0.1f},
    {{"depthwise_five_stride", 1, 11, 13, 16, 16, 5, 5, 2, 1, 16, 2, 1, 2, 3, 2, 2, none, true, true, false}},
    {{"depthwise_tall", 1, 9, 12, 66, 66, 5, 3, 1, 1, 66, 2, 1, 2, 1, 1, 0, relu}},
    {{"depthwise_cut", 1, 5, 30, 128, 128, 3, 3, 1, 1, 128, 0, -2, 1, -3, 0, 0, relu6, true}, 9, 30, 0.03f, 0.02f},
    // Sums beyond what an integer holds, before they are cut off.
    {{"depthwise_coarse", 1, 5, 9, 64, 64, 3, 3, 1, 1, 64, 1, 1, 1, 1, 0, 0, none, true, true}, 7, 100, 3e7f, 1e-3f},
    {{"coarse", 1, 5, 9, 20, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0, relu, false, true}, 7, 100, 3e7f, 1e-3f},
    {{"depthwise_wide", 1, 3, 19, 150, 150, 1, 9, 1, 1, 150, 0, 4, 0, 4, 0, 0, relu6, true}},
};

class ByteConvolution : public EveryIsa {};

TEST_P(ByteConvolution, EqualsTheFormulas) {
    for (int threads : {1, 3}) {
        const auto engine = make_engine(threads);
        for (const byte_case& b : cases) {
            SCOPED_TRACE(std::string(b.shape.name) + ", threads: " + std::to_string(threads));
            expect_formulas(b, byte_data(b), *engine);
        }
    }
}

// All products of one sign and as large as they get: a sum of 16 bits would not hold two of them.
TEST_P(ByteConvolution, SaturatesNowhere) {
    const auto engine = make_engine(2);
    for (int zero : {0, 255}) {
        for (float sign : {-1.0f, 1.0f}) {
            const byte_case dense{{"dense", 1, 4, 4, 260, 35, 3, 3, 1, 1, 1, 1, 1, 1, 1}, zero, 128, 0.02f, 90.0f};
            const byte_case filters{{"depthwise", 1, 23, 24, 17, 17, 22, 23, 1, 1, 17, 0, 0, 0, 0}, zero, 128};
            for (const byte_case& b : {dense, filters}) {
                byte_data data(b);
                data.input.for_each(
                    [&](int n, int y, int x, int c) { data.input.at(n, y, x, c) = static_cast<uint8_t>(255 - zero); });
                std::fill(data.weights.begin(), data.weights.end(), sign);
                expect_formulas(b, data, *engine);
            }
        }
    }
}

// Halves of odd sums: no rounding error hides where a tie goes.
TEST_P(ByteConvolution, RoundsTiesToEven) {
    const auto engine = make_engine(1);
    byte_case dense{{"dense", 1, 16, 16, 2, 64, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 0, 3, 0.5f, 1.0f};
    byte_case filters{{"depthwise", 1, 16, 16, 64, 64, 1, 2, 1, 1, 64, 0, 0, 0, 1}, 0, 3, 0.5f, 1.0f};
    for (byte_case* b : {&dense, &filters}) {
        SCOPED_TRACE(b->shape.name);
        b->shape.bias = false;
        byte_data data(*b);
        // The larger weight makes the step 1, and multiplies zeros; or is outside in the last column alone.
        for (size_t i = 0; i < data.weights.size(); ++i) data.weights[i] = i % 2 == 0 ? 1.0f : 127.0f;
        data.input.for_each([&](int n, int y, int x, int c) {
            data.input.at(n, y, x, c) = static_cast<uint8_t>((b == &dense ? c : x) % 2 == 1 ? 0 : y * 16 + x);
        });
        expect_formulas(*b, data, *engine);
    }
}

// The output may be the residual itself.
TEST_P(ByteConvolution, AddsInPlace) {
    const auto engine = make_engine(2);
    const byte_case b{{"in_place", 1, 6, 5, 40, 70, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, relu, true}};
    const byte_data data(b);
    byte_sheet output(1, 6, 5, 70, 0, b.out_step, b.out_zero);
    data.residual.for_each([&](int n, int y, int x, int c) { output.at(n, y, x, c) = data.residual.at(n, y, x, c); });
    atrous_tensor residual = *output.view();
    residual.step = data.residual.view()->step;
    residual.zero = data.residual.view()->zero;
    const made_conv conv(*engine, b, data);
    ATROUS_EXPECT_OK(atrous_conv2d_run(engine.get(), conv.handle, data.input.view(), 0, 0, &residual, output.view()));
    expect_bytes(b, data, output);
}

// A float32 convolution writes what its sums are, quantised; Winograd's algorithm is passed over where both are at
// hand.
TEST_P(ByteConvolution, FollowsOneOfFloats) {
    const auto engine = make_engine(2);
    for (const conv_case& c :
         {conv_case{"stem", 1, 21, 19, 3, 37, 7, 7, 2, 1, 1, 3, 3, 3, 3, 2, 1, relu, false, true},
          conv_case{"either", 1, 33, 33, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0, relu6},
          conv_case{"silu", 1, 5, 6, 40, 24, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 3, ATROUS_ACTIVATION_SILU}}) {
        SCOPED_TRACE(c.name);
        const conv_data data(c);
        sheet direct(c.batch, c.out_height(), c.out_width(), c.out);
        {
            const scoped_algorithm forced("direct");
            run_into(c, data, *engine, direct);
        }
        byte_sheet output(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap, 0.0213f, 40);
        run_with(c, data, *engine, nullptr, output.view());
        output.for_each([&](int n, int y, int x, int o) {
            ASSERT_EQ(output.at(n, y, x, o), output.quantised(direct.at(n, y, x, o))) << y << ", " << x << ", " << o;
        });
        output.expect_gaps_untouched();
    }
}

// Weights of numbers that are none, and of steps below the smallest number, are integers all the same.
TEST_P(ByteConvolution, TakesOddWeights) {
    const auto engine = make_engine(1);
    byte_case b{{"odd", 1, 2, 2, 4, 3, 1, 1, 1, 1, 1, 0, 0, 0, 0}};
    b.shape.bias = false;
    byte_data data(b);
    for (float odd : {std::nanf(""), 1e-45f}) {
        std::fill(data.weights.begin(), data.weights.end(), odd);
        const made_conv conv(*engine, b, data);
        byte_sheet output(1, 2, 2, 3, 0, b.out_step, b.out_zero);
        ATROUS_EXPECT_OK(atrous_conv2d_run(engine.get(), conv.handle, data.input.view(), 0, 0, nullptr, output.view()));
        output.for_each([&](int n, int y, int x, int c) { EXPECT_EQ(output.at(n, y, x, c), b.out_zero); });
    }
}

ATROUS_EVERY_ISA(ByteConvolution);

}  // namespace
}  // namespace atrous::tests
