#include "support.h"

namespace atrous::tests {
namespace {

class Arguments : public testing::Test {
 protected:
    static void expect_refused(atrous_status status, const char* message) {
        EXPECT_EQ(status, ATROUS_INVALID_ARGUMENT);
        EXPECT_STREQ(atrous_last_error(), message);
    }

    atrous_status create(const atrous_conv2d_desc& desc) {
        atrous_conv2d* conv = nullptr;
        const atrous_status status = atrous_conv2d_create(&engine_, &desc, weights_.data(), nullptr, nullptr, &conv);
        EXPECT_EQ(conv == nullptr, status != ATROUS_OK);
        atrous_conv2d_destroy(conv);
        return status;
    }

    atrous_engine engine_{1, *available_kernels().back()};
    std::vector<float> weights_ = std::vector<float>(4 * 8 * 9);
};

TEST_F(Arguments, TensorsMustHaveDataSidesAndRoom) {
    const sheet good(1, 2, 2, 4);
    const auto run = [&](const atrous_tensor* input) { return atrous_softmax(&engine_, input, 1, good.view()); };
    expect_refused(run(nullptr), "input is null");
    atrous_tensor bad = *good.view();
    bad.data = nullptr;
    expect_refused(run(&bad), "input has no data");
    bad = *good.view();
    bad.height = 0;
    expect_refused(run(&bad), "input is 1x0x2x4; every side must be at least 1");
    bad = *good.view();
    bad.pixel_stride = 3;
    expect_refused(run(&bad), "input has a pixel stride of 3, less than its 4 channels");
    bad = {good.view()->data, int64_t{1} << 40, 1 << 20, 1 << 20, 4, 4, ATROUS_FLOAT32, 0, 0};
    expect_refused(run(&bad), "input is larger than memory can be");
    expect_refused(atrous_softmax(nullptr, good.view(), 1, good.view()), "engine is null");
}

// Of one pixel no stride is used; sums of it must not overflow all the same.
TEST_F(Arguments, StridesThatNoMemoryHasAreRefused) {
    const sheet good(1, 1, 1, 4);
    atrous_tensor wide = *good.view();
    for (int64_t stride : {INT64_MAX, INT64_MAX / 2, INT64_MAX / 4, int64_t{1} << 55}) {
        wide.pixel_stride = stride;
        expect_refused(atrous_softmax(&engine_, &wide, 1, good.view()), "input is larger than memory can be");
        expect_refused(atrous_softmax(&engine_, good.view(), 1, &wide), "output is larger than memory can be");
    }
    wide.pixel_stride = int64_t{1} << 54;
    EXPECT_EQ(atrous_softmax(&engine_, &wide, 1, good.view()), ATROUS_OK);
    // Windows go beyond the pixel: there a stride is used.
    const atrous_conv2d_desc desc{4, 4, 3, 3, 1, 1, 1, 1, 4, 0, 0, ATROUS_FLOAT32, 8, 8, 0};
    atrous_conv2d* conv = nullptr;
    ATROUS_EXPECT_OK(atrous_conv2d_create(&engine_, &desc, weights_.data(), nullptr, nullptr, &conv));
    expect_refused(atrous_conv2d_run(&engine_, conv, &wide, 1, 1, nullptr, good.view()),
                   "windows of 6 rows and 6 columns reach too far for pixels of 18014398509481984");
    wide.pixel_stride = int64_t{1} << 32;
    EXPECT_EQ(atrous_conv2d_run(&engine_, conv, &wide, 1, 1, nullptr, good.view()), ATROUS_OK);
    expect_refused(atrous_conv2d_run(&engine_, conv, &wide, 1 << 20, 1, nullptr, good.view()),
                   "windows of 1048581 rows and 6 columns reach too far for pixels of 4294967296");
    atrous_conv2d_destroy(conv);
}

TEST_F(Arguments, LabelMapsThatNoMemoryHasAreRefused) {
    const sheet logits(1, 1, 1, 4);
    uint16_t label = 0;
    const atrous_resize_desc desc{ATROUS_SAMPLING_HALF_PIXEL, 0, 0};
    expect_refused(atrous_resize_argmax(&engine_, logits.view(), &desc, INT32_MAX, INT32_MAX, &label, nullptr),
                   "the label map is larger than memory can be");
    EXPECT_EQ(atrous_resize_argmax(&engine_, logits.view(), &desc, 1, 1, &label, nullptr), ATROUS_OK);
}

TEST_F(Arguments, ShapesMustAgree) {
    const sheet a(1, 2, 2, 4), other(1, 2, 3, 4), narrow(1, 1, 1, 3), two(2, 2, 2, 4);
    expect_refused(atrous_affine(&engine_, a.view(), nullptr, nullptr, 0, 0, other.view()),
                   "input is 1x2x2x4 and output is 1x2x3x4; they must have one shape");
    expect_refused(atrous_binary_op(&engine_, ATROUS_ADD, a.view(), narrow.view(), 0, 0, a.view()),
                   "b has 3 channels and a has 4; they must agree");
    expect_refused(atrous_binary_op(&engine_, 9, a.view(), a.view(), 0, 0, a.view()), "op is 9; use 0 to 2");
    expect_refused(atrous_affine(&engine_, a.view(), nullptr, nullptr, 42, 0, a.view()), "activation 42 is not known");
    expect_refused(atrous_copy(&engine_, a.view(), 0, 0, two.view()),
                   "input has batch 1 and output has batch 2; they must agree");
}

TEST_F(Arguments, TypesMustAgree) {
    const sheet a(1, 2, 2, 4);
    const half_sheet half(a);
    atrous_tensor odd = *a.view();
    odd.type = 3;
    expect_refused(atrous_softmax(&engine_, &odd, 1, a.view()), "a tensor's type is 3; use 0 to 2");
    expect_refused(atrous_softmax(&engine_, half.view(), 1, half.view()), "input is bfloat16; it must be float32");
    expect_refused(atrous_copy(&engine_, half.view(), 0, 0, a.view()),
                   "input and output are of different types; they must agree");
    expect_refused(atrous_binary_op(&engine_, ATROUS_ADD, a.view(), half.view(), 0, 0, a.view()),
                   "b and output are of different types; they must agree");
    const atrous_conv2d_desc desc{4, 4, 1, 1, 1, 1, 1, 1, 1, 0, 0, ATROUS_FLOAT32, 8, 8, 0};
    atrous_conv2d* conv = nullptr;
    ASSERT_EQ(atrous_conv2d_create(&engine_, &desc, weights_.data(), nullptr, nullptr, &conv), ATROUS_OK);
    expect_refused(atrous_conv2d_run(&engine_, conv, half.view(), 0, 0, nullptr, a.view()),
                   "the convolution was made for float32 and input is bfloat16");
    expect_refused(atrous_conv2d_run(&engine_, conv, a.view(), 0, 0, half.view(), a.view()),
                   "residual and output are of different types; they must agree");
    atrous_conv2d_destroy(conv);
}

TEST_F(Arguments, ConvolutionsAreCheckedWhenMade) {
    const atrous_conv2d_desc good{4, 8, 3, 3, 1, 1, 1, 1, 1, 0, 0, ATROUS_FLOAT32, 8, 8, 0};
    EXPECT_EQ(create(good), ATROUS_OK);
    auto bad = good;
    bad.groups = 3;
    expect_refused(create(bad), "groups is 3, which does not divide 4 input and 8 output channels");
    bad = good;
    bad.dilation_width = 0;
    expect_refused(create(bad), "dilation_width is 0; use 1 to 65536");
    bad = good;
    bad.out_channels = -1;
    expect_refused(create(bad), "out_channels is -1; use 1 to 1048576");
    bad = good;
    bad.usual_width = 0;
    expect_refused(create(bad), "usual_width is 0; use 1 to 16777216");
    bad = good;
    bad.activation = 9;
    expect_refused(create(bad), "activation 9 is not known");
    atrous_conv2d* conv = nullptr;
    expect_refused(atrous_conv2d_create(&engine_, &good, nullptr, nullptr, nullptr, &conv), "weights is null");
    expect_refused(atrous_conv2d_create(&engine_, nullptr, weights_.data(), nullptr, nullptr, &conv), "desc is null");
    expect_refused(atrous_conv2d_create(nullptr, &good, weights_.data(), nullptr, nullptr, &conv), "engine is null");
    expect_refused(atrous_conv2d_create(&engine_, &good, weights_.data(), nullptr, nullptr, nullptr), "conv is null");
}

TEST_F(Arguments, ConvolutionsAreCheckedWhenRun) {
    const atrous_conv2d_desc desc{4, 8, 3, 3, 1, 1, 1, 1, 1, 0, 0, ATROUS_FLOAT32, 8, 8, 0};
    const int64_t before = atrous_live_handles();
    atrous_conv2d* conv = nullptr;
    ATROUS_EXPECT_OK(atrous_conv2d_create(&engine_, &desc, weights_.data(), nullptr, nullptr, &conv));
    EXPECT_EQ(atrous_live_handles(), before + 1);
    const sheet input(1, 5, 5, 4), output(1, 5, 5, 8), wrong(1, 5, 5, 7), residual(1, 4, 5, 8), two(2, 5, 5, 8);
    const auto run = [&](const sheet& in, const atrous_tensor* add, const sheet& out) {
        return atrous_conv2d_run(&engine_, conv, in.view(), 1, 1, add, out.view());
    };
    EXPECT_EQ(run(input, nullptr, output), ATROUS_OK);
    expect_refused(run(wrong, nullptr, output), "input has 7 channels, the convolution has 4");
    expect_refused(run(input, nullptr, wrong), "output has 7 channels, the convolution has 8");
    expect_refused(run(input, nullptr, two), "input has batch 1 and output has batch 2; they must agree");
    expect_refused(run(input, residual.view(), output),
                   "residual is 1x4x5x8 and output is 1x5x5x8; they must have one shape");
    expect_refused(atrous_conv2d_run(&engine_, nullptr, input.view(), 1, 1, nullptr, output.view()), "conv is null");
    const auto padded = [&](int32_t top, int32_t left) {
        return atrous_conv2d_run(&engine_, conv, input.view(), top, left, nullptr, output.view());
    };
    EXPECT_EQ(padded(-3, 7), ATROUS_OK);
    EXPECT_EQ(padded(1 << 24, -(1 << 23)), ATROUS_OK);
    expect_refused(padded(INT32_MAX, 1), "the padding is 2147483647; use -16777216 to 16777216");
    expect_refused(padded(1, INT32_MIN), "the padding is -2147483648; use -16777216 to 16777216");
    expect_refused(padded(-(1 << 24), 1),
                   "the last window's row of an output of 5 is 16777222, too far beyond an input of 5");
    atrous_conv2d_destroy(conv);
    atrous_conv2d_destroy(nullptr);
    EXPECT_EQ(atrous_live_handles(), before);
}

}  // namespace
}  // namespace atrous::tests
