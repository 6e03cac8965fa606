// Pictures through the C ABI: resizing, and the way to the network's input.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "atrous.h"

namespace {

using bytes = std::vector<uint8_t>;

class Imaging : public testing::Test {
 protected:
    void SetUp() override { ASSERT_EQ(atrous_engine_create(3, &engine_), ATROUS_OK); }
    void TearDown() override {
        atrous_engine_destroy(engine_);
        EXPECT_EQ(atrous_live_handles(), before_);
    }

    int64_t before_ = atrous_live_handles();
    atrous_engine* engine_ = nullptr;
};

TEST_F(Imaging, RowsMayHaveGaps) {
    constexpr int32_t height = 5, width = 7, channels = 3, packed = width * channels, stride = packed + 6;
    bytes tight(height * packed), loose(height * stride, 255);
    for (size_t i = 0; i < tight.size(); ++i) tight[i] = static_cast<uint8_t>(i * 7);
    for (int32_t y = 0; y < height; ++y) std::copy_n(&tight[y * packed], packed, &loose[y * stride]);
    const atrous_image a{tight.data(), height, width, channels, 0}, b{loose.data(), height, width, channels, stride};

    for (int32_t filter = ATROUS_FILTER_BILINEAR; filter <= ATROUS_FILTER_BILINEAR_PLAIN; ++filter) {
        for (const auto& [rows, columns] : std::vector<std::pair<int32_t, int32_t>>{{5, 7}, {3, 7}, {5, 9}, {4, 11}}) {
            bytes of_a(static_cast<size_t>(rows * columns * channels)), of_b(of_a.size());
            const atrous_image to_a{of_a.data(), rows, columns, channels, 0},
                to_b{of_b.data(), rows, columns, channels, 0};
            ASSERT_EQ(atrous_image_resize(engine_, &a, filter, &to_a), ATROUS_OK);
            ASSERT_EQ(atrous_image_resize(engine_, &b, filter, &to_b), ATROUS_OK);
            EXPECT_EQ(of_a, of_b) << filter << " " << rows << "x" << columns;
        }
    }
}

TEST_F(Imaging, ResizeOfAFlatPictureIsFlat) {
    for (int32_t filter = ATROUS_FILTER_BILINEAR; filter <= ATROUS_FILTER_BILINEAR_PLAIN; ++filter) {
        for (const auto& [height, width] :
             std::vector<std::pair<int32_t, int32_t>>{{1, 1}, {3, 50}, {61, 40}, {7, 9}}) {
            bytes from(7 * 9 * 3, 201), to(static_cast<size_t>(height * width * 3));
            const atrous_image input{from.data(), 7, 9, 3, 0}, output{to.data(), height, width, 3, 0};
            ASSERT_EQ(atrous_image_resize(engine_, &input, filter, &output), ATROUS_OK);
            EXPECT_EQ(to, bytes(to.size(), 201)) << filter << " " << height << "x" << width;
        }
    }
}

TEST_F(Imaging, NormalizeWritesTheWindowTheFillAndNothingElse) {
    const uint8_t pixels[] = {10, 20, 30, 40, 50, 60};
    const atrous_image image{const_cast<uint8_t*>(pixels), 1, 2, 3, 0};
    const float mean[] = {1, 2}, std[] = {2, 4}, fill[] = {128, 64};
    const int32_t order[] = {2, 0};
    const atrous_normalize_desc desc{1.0f, 1, 1, mean, std, fill, order};
    std::vector<float> data(3 * 4 * 5, -1.0f);  // two channels in pixels of five
    const atrous_tensor output{data.data(), 5, 1, 3, 4, 2, ATROUS_FLOAT32, 0, 0};
    ASSERT_EQ(atrous_normalize(engine_, &image, &desc, &output), ATROUS_OK);
    for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 4; ++x) {
            const float* pixel = data.data() + (y * 4 + x) * 5;
            const bool inside = y == 1 && (x == 1 || x == 2);
            EXPECT_EQ(pixel[0], ((inside ? pixels[(x - 1) * 3 + 2] : 128.0f) - 1) / 2);
            EXPECT_EQ(pixel[1], ((inside ? pixels[(x - 1) * 3] : 64.0f) - 2) / 4);
            for (int c = 2; c < 5; ++c) EXPECT_EQ(pixel[c], -1.0f);
        }
    }
}

TEST_F(Imaging, RowsThatNoMemoryHoldsAreRefused) {
    uint8_t pixels[12] = {}, made[3] = {};
    const float zero[] = {0, 0, 0}, ones[] = {1, 1, 1};
    const int32_t order[] = {0, 1, 2};
    float data[12];
    const atrous_normalize_desc desc{1.0f, 0, 0, zero, ones, zero, order};
    const auto resize = [&](const atrous_image& input, const atrous_image& output) {
        return atrous_image_resize(engine_, &input, ATROUS_FILTER_BILINEAR, &output);
    };
    for (int64_t stride : {INT64_MAX, INT64_MAX / 2, INT64_MAX / 3, int64_t{1} << 55}) {
        const atrous_image image{pixels, 3, 1, 3, stride};
        EXPECT_EQ(resize(image, {made, 1, 1, 3, 0}), ATROUS_INVALID_ARGUMENT);
        EXPECT_STREQ(atrous_last_error(), "input is larger than memory can be");
        EXPECT_EQ(resize({made, 1, 1, 3, 0}, image), ATROUS_INVALID_ARGUMENT);
        EXPECT_STREQ(atrous_last_error(), "output is larger than memory can be");
        const atrous_tensor output{data, 3, 1, 3, 1, 3, ATROUS_FLOAT32, 0, 0};
        EXPECT_EQ(atrous_normalize(engine_, &image, &desc, &output), ATROUS_INVALID_ARGUMENT);
        EXPECT_STREQ(atrous_last_error(), "image is larger than memory can be");
        const atrous_image packed{pixels, 3, 1, 3, 0};
        const atrous_tensor wide{data, stride, 1, 3, 1, 3, ATROUS_FLOAT32, 0, 0};
        EXPECT_EQ(atrous_normalize(engine_, &packed, &desc, &wide), ATROUS_INVALID_ARGUMENT);
        EXPECT_STREQ(atrous_last_error(), "output is larger than memory can be");
    }
    // Packed, and as large: the channels of a picture to normalise are any number.
    const atrous_image large{pixels, 1 << 30, 1 << 30, 1 << 30, 0};
    const atrous_tensor output{data, 3, 1, 1 << 30, 1 << 30, 3, ATROUS_FLOAT32, 0, 0};
    EXPECT_EQ(atrous_normalize(engine_, &large, &desc, &output), ATROUS_INVALID_ARGUMENT);
}

TEST_F(Imaging, NormalizeRefusesWhatDoesNotFit) {
    uint8_t pixels[12] = {};
    const atrous_image image{pixels, 2, 2, 3, 0};
    const float ones[] = {1}, zero[] = {0};
    const int32_t order[] = {0}, beyond[] = {3};
    float data[4];
    const atrous_tensor output{data, 1, 1, 2, 2, 1, ATROUS_FLOAT32, 0, 0};
    const atrous_normalize_desc shifted{1.0f, 1, 0, zero, ones, zero, order};
    const atrous_normalize_desc channel{1.0f, 0, 0, zero, ones, zero, beyond};
    const atrous_normalize_desc flat{1.0f, 0, 0, zero, zero, zero, order};
    for (const auto* desc : {&shifted, &channel, &flat})
        EXPECT_EQ(atrous_normalize(engine_, &image, desc, &output), ATROUS_INVALID_ARGUMENT);
}

}  // namespace
