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

}  // namespace atrous::testing

#endif  // ATROUS_TESTS_CRF_FIXTURE_H
