#include <gtest/gtest.h>

#include <cmath>

#include "crf/crf_fixture.h"
#include "crf/crf_reference.h"
#include "crf/lattice.h"

namespace atrous {
namespace {

using testing::engine_ptr;
using testing::make_engine;
using testing::noise;
using testing::reference_lattice;
using testing::rows;

struct lattice_case {
    int dims;
    float spread;  // of the features, in standard deviations
    int pixels;
};

class Lattice : public ::testing::TestWithParam<lattice_case> {};

TEST_P(Lattice, FiltersLikeOneOfMaps) {
    const auto [dims, spread, pixels] = GetParam();
    const std::vector<float> features = noise(static_cast<int64_t>(pixels) * dims, -spread, spread);
    const engine_ptr engine = make_engine();
    const lattice fast(
        *engine, dims, pixels,
        [&, dims = dims](int64_t begin, int64_t end, float* out) {
            std::copy(features.begin() + begin * dims, features.begin() + end * dims, out);
        },
        crf_normalization::none, memory_budget(0, "the test"));
    std::vector<std::vector<float>> points;
    for (int p = 0; p < pixels; ++p) {
        points.emplace_back(features.begin() + p * dims, features.begin() + (p + 1) * dims);
    }
    const reference_lattice slow(points);
    ASSERT_EQ(static_cast<size_t>(fast.vertices()), slow.vertices());

    constexpr int64_t stride = 8;
    big_array<float> in(pixels * stride), values(fast.vertices() * stride);
    rows expected(pixels, std::vector<double>(stride));
    const std::vector<float> given = noise(pixels * stride, 0.0f, 1.0f, 2);
    for (int64_t i = 0; i < pixels * stride; ++i) expected[i / stride][i % stride] = in[i] = given[i];
    expected = slow.filter(expected);
    fast.filter(*engine, in.data(), values.data(), stride);
    const crf_message slice = fast.slice_of(values.data());
    for (int64_t p = 0; p < pixels; ++p) {
        for (int64_t k = 0; k < stride; ++k) {
            double got = 0.0;
            for (int c = 0; c <= dims; ++c) {
                got += slice.weight[p * (dims + 1) + c] * values[slice.vertex[p * (dims + 1) + c] * stride + k];
            }
            ASSERT_NEAR(got, expected[p][k], 2e-5 * std::max(1.0, expected[p][k]) * std::max(1.0f, spread / 10))
                << "pixel " << p;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Lattice,
                         ::testing::Values(lattice_case{1, 5.0f, 300}, lattice_case{2, 3.0f, 700},
                                           lattice_case{3, 2.0f, 700}, lattice_case{5, 1.5f, 1000},
                                           lattice_case{8, 1.0f, 300}, lattice_case{20, 0.5f, 60},
                                           lattice_case{1, 1e-3f, 40},
                                           // Coordinates beyond 16 bits, and keys of several words.
                                           lattice_case{2, 30000.0f, 200}, lattice_case{6, 20000.0f, 200}));

TEST(LatticeFilter, ApproachesTheGaussian) {
    // Dense samples of a smooth signal: here the lattice is at its best (a few per cent, Adams et al. figure 5).
    constexpr int width = 60, height = 60;
    const engine_ptr engine = make_engine();
    const lattice fast(
        *engine, 2, width * height,
        [](int64_t begin, int64_t end, float* out) {
            for (int64_t p = begin; p < end; ++p) {
                *out++ = static_cast<float>(p % width) / 6.0f;
                *out++ = static_cast<float>(p / width) / 6.0f;
            }
        },
        crf_normalization::after, memory_budget(0, "the test"));
    big_array<float> in(width * height * 4, 0.0f), values(fast.vertices() * int64_t{4});
    for (int p = 0; p < width * height; ++p) in[p * 4] = p % width < width / 2 ? 1.0f : 0.0f;
    fast.filter(*engine, in.data(), values.data(), 4);
    const crf_message slice = fast.slice_of(values.data());
    for (int x = 0; x < width; ++x) {
        const int p = height / 2 * width + x;
        double got = 0.0, sum = 0.0, norm = 0.0;
        for (int c = 0; c < 3; ++c) got += slice.weight[p * 3 + c] * values[slice.vertex[p * 3 + c] * 4];
        for (int other = 0; other < width; ++other) {
            const double k = std::exp(-0.5 * (x - other) * (x - other) / 36.0);
            norm += k;
            sum += other < width / 2 ? k : 0.0;
        }
        EXPECT_NEAR(got, sum / norm, 0.05) << "x " << x;
    }
}

TEST(LatticeErrors, MoreEntriesThanAnIndexCounts) {
    const engine_ptr engine = make_engine();
    const feature_source features = [](int64_t, int64_t, float*) { FAIL() << "nothing may be read"; };
    try {
        const lattice never(*engine, 5, int64_t{30000} * 30000, features, crf_normalization::none,
                            memory_budget(0, "the test"));
        FAIL();
    } catch (const error& e) {
        EXPECT_EQ(e.status(), ATROUS_TOO_LARGE);
        EXPECT_STREQ(e.what(),
                     "900000000 pixels with 5 features have 5400000000 lattice entries; at most 2^31 fit, so use fewer "
                     "pixels");
    }
}

}  // namespace
}  // namespace atrous
