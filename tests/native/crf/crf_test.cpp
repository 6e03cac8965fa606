#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "crf/crf_fixture.h"
#include "crf/crf_reference.h"
#include "dispatch.h"

namespace atrous {
namespace {

using testing::beliefs_of;
using testing::crf_ptr;
using testing::engine_ptr;
using testing::make_crf;
using testing::make_engine;
using testing::noise;
using testing::planar;
using testing::potts;
using testing::potts_weight;
using testing::reference_lattice;
using testing::rows;

std::vector<uint8_t> picture(int width, int height, int channels) {
    std::mt19937 random(7);
    std::vector<uint8_t> pixels;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width * channels; ++x) {
            pixels.push_back(static_cast<uint8_t>(60 + 80 * (x > y * channels) + random() % 16));
        }
    }
    return pixels;
}

struct crf_case {
    int width, height, labels, normalization;
};

class MeanField : public ::testing::TestWithParam<crf_case> {};

TEST_P(MeanField, AgreesWithTheEquations) {
    // Not a structured binding, which clang before 16 lets no lambda see.
    const crf_case& c = GetParam();
    const int width = c.width, height = c.height, labels = c.labels, normalization = c.normalization;
    const int pixels = width * height;
    const std::vector<uint8_t> pixels8 = picture(width, height, 3);
    const std::vector<float> unary = noise(static_cast<int64_t>(pixels) * labels, 0.0f, 3.0f);
    const engine_ptr engine = make_engine();
    const crf_ptr crf = make_crf(engine.get(), width, height, labels);
    const atrous_crf_scores scores = planar(unary, pixels);
    ASSERT_EQ(atrous_crf_set_unary(crf.get(), &scores), ATROUS_OK) << atrous_last_error();
    const atrous_image image{.pixels = const_cast<uint8_t*>(pixels8.data()),
                             .height = height,
                             .width = width,
                             .channels = 3,
                             .row_stride = 0};
    const float sigmas[3] = {20.0f, 25.0f, 30.0f};
    const atrous_crf_kernel kernel = potts(normalization);
    ASSERT_EQ(atrous_crf_add_bilateral(crf.get(), 8.0f, 9.0f, sigmas, &image, &kernel), ATROUS_OK);
    ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
    ASSERT_EQ(atrous_crf_step(crf.get(), 2), ATROUS_OK);

    std::vector<std::vector<float>> features;
    for (int p = 0; p < pixels; ++p) {
        features.push_back({static_cast<float>(p % width) / 8.0f, static_cast<float>(p / width) / 9.0f});
        for (int c = 0; c < 3; ++c) features.back().push_back(static_cast<float>(pixels8[p * 3 + c]) / sigmas[c]);
    }
    const reference_lattice filter(features);
    const rows norm = filter.filter(rows(pixels, {1.0}));
    const auto scale = [&](rows& q, bool apply) {
        if (!apply) return;
        for (int p = 0; p < pixels; ++p) {
            for (double& v : q[p]) {
                v /= normalization == ATROUS_CRF_NORMALIZE_SYMMETRIC ? std::sqrt(norm[p][0]) : norm[p][0];
            }
        }
    };
    rows energies(pixels, std::vector<double>(labels));
    const auto reset = [&] {
        for (int p = 0; p < pixels; ++p) {
            for (int l = 0; l < labels; ++l) energies[p][l] = -unary[l * pixels + p];
        }
    };
    reset();
    rows q = testing::reference_softmax(energies);
    for (int i = 0; i < 2; ++i) {
        scale(q, normalization == ATROUS_CRF_NORMALIZE_BEFORE || normalization == ATROUS_CRF_NORMALIZE_SYMMETRIC);
        rows message = filter.filter(q);
        scale(message, normalization == ATROUS_CRF_NORMALIZE_AFTER || normalization == ATROUS_CRF_NORMALIZE_SYMMETRIC);
        reset();
        for (int p = 0; p < pixels; ++p) {
            for (int l = 0; l < labels; ++l) energies[p][l] += potts_weight * message[p][l];
        }
        q = testing::reference_softmax(energies);
    }
    const std::vector<float> got = beliefs_of(crf, pixels, labels);
    const double tolerance = normalization == ATROUS_CRF_NORMALIZE_NONE ? 1e-3 : 1e-5;
    for (int p = 0; p < pixels; ++p) {
        for (int l = 0; l < labels; ++l) ASSERT_NEAR(got[l * pixels + p], q[p][l], tolerance) << p << ", label " << l;
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, MeanField,
                         ::testing::Values(crf_case{24, 20, 1, 3}, crf_case{24, 20, 2, 3}, crf_case{47, 13, 4, 0},
                                           crf_case{13, 47, 5, 1}, crf_case{37, 1, 8, 2}, crf_case{1, 37, 21, 3},
                                           crf_case{1, 1, 3, 3}, crf_case{20, 20, 45, 3}, crf_case{9, 9, 70, 2}));

TEST(Crf, IsTheSameForAnyThreadCountAndInstructionSet) {
    constexpr int width = 63, height = 47, labels = 21, pixels = width * height;
    const std::vector<uint8_t> pixels8 = picture(width, height, 3);
    const std::vector<float> unary = noise(pixels * labels, 0.0f, 3.0f);
    std::vector<float> first;
    double first_divergence = 0.0;
    for (const kernel_table* table : available_kernels()) {
        for (const int threads : {1, 2, 7}) {
            const engine_ptr engine = make_engine(threads, table->isa);
            const crf_ptr crf = make_crf(engine.get(), width, height, labels);
            const atrous_crf_scores scores = planar(unary, pixels);
            ASSERT_EQ(atrous_crf_set_unary(crf.get(), &scores), ATROUS_OK);
            const atrous_image image{.pixels = const_cast<uint8_t*>(pixels8.data()),
                                     .height = height,
                                     .width = width,
                                     .channels = 3,
                                     .row_stride = 0};
            const float sigmas[3] = {3.0f, 3.0f, 3.0f};
            const atrous_crf_kernel kernel = potts();
            ASSERT_EQ(atrous_crf_add_gaussian(crf.get(), 1.0f, 1.0f, &kernel), ATROUS_OK);
            ASSERT_EQ(atrous_crf_add_bilateral(crf.get(), 67.0f, 67.0f, sigmas, &image, &kernel), ATROUS_OK);
            ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
            ASSERT_EQ(atrous_crf_step(crf.get(), 10), ATROUS_OK);
            const std::vector<float> q = beliefs_of(crf, pixels, labels);
            double divergence = 0.0;
            ASSERT_EQ(atrous_crf_kl_divergence(crf.get(), &divergence), ATROUS_OK);
            if (first.empty()) {
                first = q;
                first_divergence = divergence;
            }
            EXPECT_EQ(std::memcmp(q.data(), first.data(), q.size() * sizeof(float)), 0)
                << table->isa << ", " << threads << " threads";
            EXPECT_EQ(divergence, first_divergence) << table->isa << ", " << threads << " threads";
        }
    }
}

TEST(Crf, AMatrixOfOneDiagonalIsThatDiagonalAndItsNegativeIsPotts) {
    constexpr int width = 17, height = 11, labels = 6, pixels = width * height;
    const std::vector<float> unary = noise(pixels * labels, 0.0f, 2.0f);
    const std::vector<float> diagonal(labels, -potts_weight);
    std::vector<float> matrix(labels * labels, 0.0f);
    for (int l = 0; l < labels; ++l) matrix[l * (labels + 1)] = -potts_weight;
    const engine_ptr engine = make_engine();
    std::vector<std::vector<float>> results;
    for (const auto& [kind, values] :
         {std::pair<atrous_crf_compatibility, const float*>{ATROUS_CRF_POTTS, &potts_weight},
          {ATROUS_CRF_DIAGONAL, diagonal.data()},
          {ATROUS_CRF_MATRIX, matrix.data()}}) {
        const crf_ptr crf = make_crf(engine.get(), width, height, labels);
        const atrous_crf_scores scores = planar(unary, pixels);
        ASSERT_EQ(atrous_crf_set_unary(crf.get(), &scores), ATROUS_OK);
        const atrous_crf_kernel kernel{
            .normalization = ATROUS_CRF_NORMALIZE_SYMMETRIC, .compatibility = kind, .compatibility_values = values};
        ASSERT_EQ(atrous_crf_add_gaussian(crf.get(), 2.0f, 2.0f, &kernel), ATROUS_OK);
        ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
        ASSERT_EQ(atrous_crf_step(crf.get(), 3), ATROUS_OK);
        results.push_back(beliefs_of(crf, pixels, labels));
    }
    EXPECT_EQ(results[0], results[1]);
    for (size_t i = 0; i < results[0].size(); ++i) ASSERT_NEAR(results[0][i], results[2][i], 1e-6);
}

TEST(Crf, TakesEnergiesProbabilitiesAndLogitsAlike) {
    constexpr int pixels = 33, labels = 3;
    const std::vector<float> logits = noise(pixels * labels, -2.0f, 2.0f);  // [pixel][label]
    std::vector<float> probabilities(logits), energies(logits);
    for (int p = 0; p < pixels; ++p) {
        double sum = 0.0;
        for (int l = 0; l < labels; ++l) sum += std::exp(static_cast<double>(logits[p * labels + l]));
        for (int l = 0; l < labels; ++l) {
            const double probability = std::exp(static_cast<double>(logits[p * labels + l])) / sum;
            probabilities[p * labels + l] = static_cast<float>(probability);
            energies[p * labels + l] = static_cast<float>(-std::log(probability));
        }
    }
    const engine_ptr engine = make_engine();
    const crf_ptr crf = make_crf(engine.get(), pixels, 1, labels);
    for (const auto& [form, data] :
         {std::pair<atrous_crf_form, const std::vector<float>*>{ATROUS_CRF_ENERGY, &energies},
          {ATROUS_CRF_PROBABILITY, &probabilities},
          {ATROUS_CRF_LOGIT, &logits}}) {
        const atrous_crf_scores scores{.data = data->data(),
                                       .label_stride = 1,
                                       .pixel_stride = labels,
                                       .form = form,
                                       .scale = 1.0f,
                                       .clip = 1e-5f};
        ASSERT_EQ(atrous_crf_set_unary(crf.get(), &scores), ATROUS_OK) << atrous_last_error();
        ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
        std::vector<float> q(pixels * labels);
        ASSERT_EQ(atrous_crf_beliefs(crf.get(), q.data(), 1, labels), ATROUS_OK);
        for (int i = 0; i < pixels * labels; ++i) ASSERT_NEAR(q[i], probabilities[i], 1e-6) << form;
    }
}

TEST(Crf, SurvivesHugeSigmas) {
    constexpr int width = 20, height = 9, labels = 3, pixels = width * height;
    const std::vector<float> unary = noise(pixels * labels, 0.0f, 2.0f);
    const engine_ptr engine = make_engine();
    const crf_ptr crf = make_crf(engine.get(), width, height, labels);
    const atrous_crf_scores scores = planar(unary, pixels);
    ASSERT_EQ(atrous_crf_set_unary(crf.get(), &scores), ATROUS_OK);
    const atrous_crf_kernel kernel = potts();
    ASSERT_EQ(atrous_crf_add_gaussian(crf.get(), 1e30f, 1e30f, &kernel), ATROUS_OK) << atrous_last_error();
    ASSERT_EQ(atrous_crf_start(crf.get()), ATROUS_OK);
    ASSERT_EQ(atrous_crf_step(crf.get(), 3), ATROUS_OK);
    const std::vector<float> q = beliefs_of(crf, pixels, labels);
    for (int p = 0; p < pixels; ++p) ASSERT_NEAR(q[p] + q[pixels + p] + q[2 * pixels + p], 1.0f, 1e-5f);
}

}  // namespace
}  // namespace atrous
