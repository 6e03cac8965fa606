// What the tests of the CRF share.
#ifndef ATROUS_TESTS_CRF_FIXTURE_H
#define ATROUS_TESTS_CRF_FIXTURE_H

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "atrous.h"
#include "environment.h"

namespace atrous::testing {

struct engine_deleter {
    void operator()(atrous_engine* e) const { atrous_engine_destroy(e); }
};
using engine_ptr = std::unique_ptr<atrous_engine, engine_deleter>;

inline engine_ptr make_engine(int threads = 2, const char* isa = nullptr) {
    const tests::scoped_variable wanted("ATROUS_ISA", isa);
    atrous_engine* engine = nullptr;
    EXPECT_EQ(atrous_engine_create(threads, &engine), ATROUS_OK) << atrous_last_error();
    return engine_ptr(engine);
}

inline std::vector<float> noise(int64_t count, float low, float high, uint32_t seed = 1) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> in_range(low, high);
    std::vector<float> values(count);
    for (float& v : values) v = in_range(random);
    return values;
}

struct crf_deleter {
    void operator()(atrous_crf* c) const { atrous_crf_destroy(c); }
};
using crf_ptr = std::unique_ptr<atrous_crf, crf_deleter>;

inline crf_ptr make_crf(atrous_engine* engine, int width, int height, int labels, int64_t memory_limit = 0) {
    const atrous_crf_desc desc{.height = height, .width = width, .labels = labels, .memory_limit = memory_limit};
    atrous_crf* crf = nullptr;
    EXPECT_EQ(atrous_crf_create(engine, &desc, &crf), ATROUS_OK) << atrous_last_error();
    return crf_ptr(crf);
}

inline const float potts_weight = 3.0f;
inline atrous_crf_kernel potts(int normalization = ATROUS_CRF_NORMALIZE_SYMMETRIC) {
    return {.normalization = normalization, .compatibility = ATROUS_CRF_POTTS, .compatibility_values = &potts_weight};
}

inline atrous_crf_scores planar(const std::vector<float>& data, int64_t pixels, int form = ATROUS_CRF_ENERGY) {
    return {.data = data.data(), .label_stride = pixels, .pixel_stride = 1, .form = form, .scale = 1.0f, .clip = 0.0f};
}

inline std::vector<float> beliefs_of(const crf_ptr& crf, int64_t pixels, int labels) {
    std::vector<float> q(pixels * labels);
    EXPECT_EQ(atrous_crf_beliefs(crf.get(), q.data(), pixels, 1), ATROUS_OK) << atrous_last_error();
    return q;
}

}  // namespace atrous::testing

#endif  // ATROUS_TESTS_CRF_FIXTURE_H
