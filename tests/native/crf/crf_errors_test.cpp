// What the CRF does not take, and what it says then.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "crf/crf_fixture.h"

namespace atrous {
namespace {

using testing::beliefs_of;
using testing::crf_ptr;
using testing::engine_ptr;
using testing::make_crf;
using testing::make_engine;
using testing::planar;
using testing::potts;

void expect_error(atrous_status got, atrous_status wanted, const char* part) {
    EXPECT_EQ(got, wanted);
    EXPECT_NE(std::strstr(atrous_last_error(), part), nullptr) << atrous_last_error();
}

TEST(CrfErrors, ArgumentsThatMakeNoSense) {
    const int64_t handles = atrous_live_handles();
    {
        const engine_ptr engine = make_engine();
        const crf_ptr crf = make_crf(engine.get(), 4, 3, 2);
        atrous_crf* none = nullptr;
        const atrous_crf_desc empty{.height = 0, .width = 4, .labels = 2, .memory_limit = 0};
        expect_error(atrous_crf_create(engine.get(), &empty, &none), ATROUS_INVALID_ARGUMENT, "4x0 pixels is empty");
        const atrous_crf_desc many{.height = 1, .width = 4, .labels = 65537, .memory_limit = 0};
        expect_error(atrous_crf_create(engine.get(), &many, &none), ATROUS_INVALID_ARGUMENT, "labels is 65537");
        EXPECT_EQ(none, nullptr);

        std::vector<float> unary(24, 1.0f);
        atrous_crf_scores scores = planar(unary, 12);
        unary[13] = std::numeric_limits<float>::quiet_NaN();
        expect_error(atrous_crf_set_unary(crf.get(), &scores), ATROUS_INVALID_ARGUMENT, "label 1 at pixel 1 is not");
        unary[13] = std::numeric_limits<float>::infinity();
        expect_error(atrous_crf_set_unary(crf.get(), &scores), ATROUS_INVALID_ARGUMENT, "not finite");
        unary[13] = 0.0f;
        scores.form = ATROUS_CRF_PROBABILITY;
        expect_error(atrous_crf_set_unary(crf.get(), &scores), ATROUS_INVALID_ARGUMENT, "raise clip above 0");
        scores.scale = 0.0f;
        expect_error(atrous_crf_set_unary(crf.get(), &scores), ATROUS_INVALID_ARGUMENT, "scale is 0");

        atrous_crf_kernel kernel = potts();
        expect_error(atrous_crf_add_gaussian(crf.get(), 0.0f, 1.0f, &kernel), ATROUS_INVALID_ARGUMENT, "sigma_x is 0");
        expect_error(atrous_crf_add_gaussian(crf.get(), 1e-30f, 1.0f, &kernel), ATROUS_INVALID_ARGUMENT,
                     "use larger sigmas");
        expect_error(atrous_crf_add_gaussian(crf.get(), 1e-5f, 1.0f, &kernel), ATROUS_INVALID_ARGUMENT,
                     "standard deviations from 0, too many for the lattice");
        kernel.normalization = 4;
        expect_error(atrous_crf_add_gaussian(crf.get(), 1.0f, 1.0f, &kernel), ATROUS_INVALID_ARGUMENT,
                     "normalization 4");
        kernel = potts();
        kernel.compatibility = 3;
        expect_error(atrous_crf_add_gaussian(crf.get(), 1.0f, 1.0f, &kernel), ATROUS_INVALID_ARGUMENT,
                     "compatibility 3");
        kernel = potts();
        std::vector<float> features(24, 0.5f);
        features[3] = std::numeric_limits<float>::quiet_NaN();
        expect_error(atrous_crf_add_features(crf.get(), 2, features.data(), &kernel), ATROUS_INVALID_ARGUMENT,
                     "feature 0 of pixel 3 is not a finite number");
        expect_error(atrous_crf_add_features(crf.get(), 257, features.data(), &kernel), ATROUS_INVALID_ARGUMENT,
                     "dims is 257");
        std::vector<uint8_t> pixels(60);
        const atrous_image wrong{.pixels = pixels.data(), .height = 4, .width = 5, .channels = 3, .row_stride = 0};
        const float sigmas[3] = {1.0f, 1.0f, 1.0f};
        expect_error(atrous_crf_add_bilateral(crf.get(), 1.0f, 1.0f, sigmas, &wrong, &kernel), ATROUS_INVALID_ARGUMENT,
                     "the image is 5x4 but the CRF 4x3");
        expect_error(atrous_crf_step(crf.get(), 1), ATROUS_INVALID_ARGUMENT, "call atrous_crf_start first");
        expect_error(atrous_crf_step(crf.get(), -1), ATROUS_INVALID_ARGUMENT, "iterations is -1");
        expect_error(atrous_crf_start(nullptr), ATROUS_INVALID_ARGUMENT, "crf is null");
    }
    EXPECT_EQ(atrous_live_handles(), handles);
}

// A label or a pixel further on than an int64 counts in bytes.
TEST(CrfErrors, StridesThatNoMemoryHas) {
    const engine_ptr engine = make_engine();
    const crf_ptr crf = make_crf(engine.get(), 4, 3, 3);
    const std::vector<float> unary(36, 1.0f);
    std::vector<float> beliefs(36);
    ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
    for (int64_t stride : {INT64_MAX, INT64_MAX / 2, INT64_MAX / 12, int64_t{1} << 54}) {
        for (const auto& [label_stride, pixel_stride] : {std::pair<int64_t, int64_t>{stride, 1}, {1, stride}}) {
            atrous_crf_scores scores = planar(unary, 12);
            scores.label_stride = label_stride;
            scores.pixel_stride = pixel_stride;
            expect_error(atrous_crf_set_unary(crf.get(), &scores), ATROUS_INVALID_ARGUMENT,
                         "scores is larger than memory can be");
            expect_error(atrous_crf_beliefs(crf.get(), beliefs.data(), label_stride, pixel_stride),
                         ATROUS_INVALID_ARGUMENT, "beliefs is larger than memory can be");
        }
    }
    expect_error(atrous_crf_beliefs(crf.get(), beliefs.data(), 0, 1), ATROUS_INVALID_ARGUMENT, "strides are 0 and 1");
    std::vector<uint8_t> pixels(12);
    const atrous_image image{.pixels = pixels.data(), .height = 3, .width = 4, .channels = 1, .row_stride = INT64_MAX};
    const float sigma = 1.0f;
    const atrous_crf_kernel kernel = potts();
    expect_error(atrous_crf_add_bilateral(crf.get(), 1.0f, 1.0f, &sigma, &image, &kernel), ATROUS_INVALID_ARGUMENT,
                 "image is larger than memory can be");
    EXPECT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
}

// Half of the scores were taken when one was found to be none: there are no beliefs of such a mixture.
TEST(CrfErrors, RefusedScoresLeaveNoBeliefs) {
    const engine_ptr engine = make_engine();
    const crf_ptr crf = make_crf(engine.get(), 4, 3, 2);
    std::vector<float> unary(24, 0.5f);
    const atrous_crf_scores scores = planar(unary, 12);
    ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
    unary[7] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(atrous_crf_set_unary(crf.get(), &scores), ATROUS_INVALID_ARGUMENT);
    double divergence = 0;
    EXPECT_EQ(atrous_crf_start(crf.get()), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_crf_step(crf.get(), 1), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_crf_kl_divergence(crf.get(), &divergence), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "the last scores were refused; set others first");
    unary[7] = 0.5f;
    ASSERT_EQ(atrous_crf_set_unary(crf.get(), &scores), ATROUS_OK);
    ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
    for (float q : beliefs_of(crf, 12, 2)) EXPECT_NEAR(q, 0.5f, 1e-6f);
}

// As large as they may be, on scores as large as floats are: beliefs stay numbers.
TEST(CrfErrors, WeightsHaveALimit) {
    const engine_ptr engine = make_engine();
    for (float weight : {1e20f, -1e20f, 2e20f, std::numeric_limits<float>::max()}) {
        const crf_ptr crf = make_crf(engine.get(), 9, 8, 3);
        const std::vector<float> unary(216, std::numeric_limits<float>::max() / 4);
        const atrous_crf_scores scores = planar(unary, 72);
        ASSERT_EQ(atrous_crf_set_unary(crf.get(), &scores), ATROUS_OK);
        const atrous_crf_kernel kernel{.normalization = ATROUS_CRF_NORMALIZE_NONE,
                                       .compatibility = ATROUS_CRF_POTTS,
                                       .compatibility_values = &weight};
        const bool fits = std::fabs(weight) <= 1e20f;
        EXPECT_EQ(atrous_crf_add_gaussian(crf.get(), 3, 3, &kernel), fits ? ATROUS_OK : ATROUS_INVALID_ARGUMENT);
        if (!fits) continue;
        ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
        ASSERT_EQ(atrous_crf_step(crf.get(), 3), ATROUS_OK);
        for (float q : beliefs_of(crf, 72, 3)) EXPECT_TRUE(q >= 0 && q <= 1) << q;
    }
}

TEST(CrfErrors, MoreMemoryThanThereIsOrWasAllowed) {
    const engine_ptr engine = make_engine();
    atrous_crf* none = nullptr;
    const atrous_crf_desc limited{.height = 500, .width = 500, .labels = 21, .memory_limit = 10 << 20};
    expect_error(atrous_crf_create(engine.get(), &limited, &none), ATROUS_OUT_OF_MEMORY,
                 "a CRF of 500x500 pixels and 21 labels needs");
    const atrous_crf_desc vast{.height = 40000, .width = 50000, .labels = 1000, .memory_limit = 0};
    expect_error(atrous_crf_create(engine.get(), &vast, &none), ATROUS_OUT_OF_MEMORY, "GiB are available");
    EXPECT_EQ(none, nullptr);

    // Enough for the beliefs, not for a lattice; the handle stays usable.
    const crf_ptr crf = make_crf(engine.get(), 500, 500, 4, 9 << 20);
    const atrous_crf_kernel kernel = potts();
    expect_error(atrous_crf_add_gaussian(crf.get(), 3.0f, 3.0f, &kernel), ATROUS_OUT_OF_MEMORY,
                 "are left of its memory limit");
    EXPECT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
    EXPECT_FLOAT_EQ(beliefs_of(crf, 500 * 500, 4)[17], 0.25f);
}

}  // namespace
}  // namespace atrous
