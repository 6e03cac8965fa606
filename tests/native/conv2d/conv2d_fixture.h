// Convolutions and what they should give, by plain loops.
#ifndef ATROUS_TESTS_CONV2D_FIXTURE_H
#define ATROUS_TESTS_CONV2D_FIXTURE_H

#include "environment.h"
#include "support.h"

namespace atrous::tests {

// Convolutions made while it lives are computed by this algorithm.
struct scoped_algorithm {
    explicit scoped_algorithm(const char* name) : variable("ATROUS_CONV", name) {}
    scoped_variable variable;
};

struct conv_case {
    const char* name;
    int batch, height, width, in, out;
    int kernel_height, kernel_width, stride, dilation, groups;
    int pad_top, pad_left, pad_bottom, pad_right;
    int in_gap = 0, out_gap = 0;
    int activation = ATROUS_ACTIVATION_NONE;
    bool residual = false, scale = false, bias = true;
    int usual_height = 0, usual_width = 0;  // the case's own where not given

    int out_height() const { return out_size(height, kernel_height, pad_top + pad_bottom); }
    int out_width() const { return out_size(width, kernel_width, pad_left + pad_right); }
    int out_size(int size, int kernel, int pad) const {
        return (size + pad - (kernel - 1) * dilation - 1) / stride + 1;
    }
    atrous_conv2d_desc desc() const {
        return {in,
                out,
                kernel_height,
                kernel_width,
                stride,
                stride,
                dilation,
                dilation,
                groups,
                activation,
                0.1f,
                ATROUS_FLOAT32,
                usual_height == 0 ? height : usual_height,
                usual_width == 0 ? width : usual_width,
                0};
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

struct reference_sum {
    double value, magnitude;  // of the terms, with one for the bias
};

inline reference_sum reference_at(const conv_case& c, const conv_data& data, int n, int y, int x, int o) {
    const int depth = c.in / c.groups, outputs = c.out / c.groups;
    const double factor = c.scale ? data.scale[o] : 1.0;
    double sum = 0, magnitude = 1;
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
    return {reference_activation(sum, c.activation, 0.1), magnitude};
}

inline void expect_matches_reference(const conv_case& c, const conv_data& data, const sheet& output,
                                     double least_magnitude = 0) {
    output.for_each([&](int n, int y, int x, int o) {
        const reference_sum expected = reference_at(c, data, n, y, x, o);
        ASSERT_NEAR(output.at(n, y, x, o), expected.value, 1e-6 * std::max(expected.magnitude, least_magnitude))
            << n << ", " << y << ", " << x << ", " << o;
    });
}

inline void run_with(const conv_case& c, const conv_data& data, atrous_engine& engine, const atrous_tensor* residual,
                     const atrous_tensor* output) {
    atrous_conv2d* conv = nullptr;
    const atrous_conv2d_desc desc = c.desc();
    ATROUS_EXPECT_OK(atrous_conv2d_create(&engine, &desc, data.weights.data(), c.scale ? data.scale.data() : nullptr,
                                          c.bias ? data.bias.data() : nullptr, &conv));
    ATROUS_EXPECT_OK(atrous_conv2d_run(&engine, conv, data.input.view(), c.pad_top, c.pad_left,
                                       c.residual ? residual : nullptr, output));
    atrous_conv2d_destroy(conv);
}

inline void run_into(const conv_case& c, const conv_data& data, atrous_engine& engine, const sheet& output) {
    run_with(c, data, engine, data.residual.view(), output.view());
}

// The same with everything stored as bfloat16; the data holds values that bfloat16 holds, and no scale.
inline void run_halves(const conv_case& c, const conv_data& data, atrous_engine& engine, const atrous_tensor* residual,
                       const atrous_tensor* output) {
    atrous_conv2d* conv = nullptr;
    atrous_conv2d_desc desc = c.desc();
    desc.type = ATROUS_BFLOAT16;
    ATROUS_EXPECT_OK(
        atrous_conv2d_create(&engine, &desc, data.weights.data(), nullptr, c.bias ? data.bias.data() : nullptr, &conv));
    const half_sheet input(data.input);
    ATROUS_EXPECT_OK(
        atrous_conv2d_run(&engine, conv, input.view(), c.pad_top, c.pad_left, c.residual ? residual : nullptr, output));
    atrous_conv2d_destroy(conv);
}

inline sheet run_case(const conv_case& c, const conv_data& data, atrous_engine& engine) {
    sheet output(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap);
    run_into(c, data, engine, output);
    return output;
}

}  // namespace atrous::tests

#endif  // ATROUS_TESTS_CONV2D_FIXTURE_H
