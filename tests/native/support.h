// What the tests of the kernels share: engines of every instruction set, tensors with room between their pixels, and a
// comparison that knows how much rounding a sum may cost.
#ifndef ATROUS_TESTS_SUPPORT_H
#define ATROUS_TESTS_SUPPORT_H

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "bfloat16.h"
#include "dispatch.h"
#include "parallel.h"

namespace atrous {

// Google Test finds it by this name.
inline void PrintTo(const kernel_table* table, std::ostream* out) {
    *out << table->isa;
}

}  // namespace atrous

namespace atrous::tests {

// A tensor that owns its memory. The floats between the channels and the pixel stride hold a mark that nobody may
// touch.
class sheet {
 public:
    sheet(int batch, int height, int width, int channels, int gap = 0)
        : channels_(channels),
          stride_(channels + gap),
          storage_(static_cast<size_t>(batch) * height * width * stride_, mark),
          view_{storage_.data(), stride_, batch, height, width, channels, ATROUS_FLOAT32, 0, 0} {}
    sheet(sheet&&) = default;

    static sheet random(int batch, int height, int width, int channels, int gap, uint32_t seed, float low = -1,
                        float high = 1) {
        sheet made(batch, height, width, channels, gap);
        std::mt19937 bits(seed);
        std::uniform_real_distribution<float> values(low, high);
        made.for_each([&](int n, int y, int x, int c) { made.at(n, y, x, c) = values(bits); });
        return made;
    }

    float& at(int n, int y, int x, int c) { return storage_[index(n, y, x, c)]; }
    float at(int n, int y, int x, int c) const { return storage_[index(n, y, x, c)]; }
    // 0 outside.
    double padded(int n, int y, int x, int c) const {
        return y < 0 || y >= view_.height || x < 0 || x >= view_.width ? 0.0 : at(n, y, x, c);
    }

    template <class Body>
    void for_each(Body body) const {
        for (int n = 0; n < view_.batch; ++n)
            for (int y = 0; y < view_.height; ++y)
                for (int x = 0; x < view_.width; ++x)
                    for (int c = 0; c < view_.channels; ++c) body(n, y, x, c);
    }

    template <class Body>
    void for_each_float(Body body) {
        for (size_t i = 0; i < storage_.size(); ++i) body(i, storage_[i]);
    }

    void expect_gaps_untouched() const {
        for (size_t i = 0; i < storage_.size(); ++i) {
            if (static_cast<int64_t>(i) % stride_ >= channels_) {
                ASSERT_EQ(storage_[i], mark) << "a float between two pixels was written";
            }
        }
    }

    const atrous_tensor* view() const { return &view_; }
    const std::vector<float>& storage() const { return storage_; }

 private:
    static constexpr float mark = -776.0f;  // bfloat16 holds it
    size_t index(int n, int y, int x, int c) const {
        return ((static_cast<size_t>(n) * view_.height + y) * view_.width + x) * stride_ + c;
    }

    int64_t channels_, stride_;
    std::vector<float> storage_;
    atrous_tensor view_;
};

// A sheet's values as bfloat16, gaps and all.
class half_sheet {
 public:
    explicit half_sheet(const sheet& from) : view_(*from.view()), storage_(from.storage().size()) {
        for (size_t i = 0; i < storage_.size(); ++i) storage_[i] = round_to_bf16(from.storage()[i]);
        view_.data = storage_.data();
        view_.type = ATROUS_BFLOAT16;
    }
    const atrous_tensor* view() const { return &view_; }
    const std::vector<bf16>& storage() const { return storage_; }

    void widen_into(sheet& to) const {
        to.for_each_float([&](size_t i, float& value) { value = to_float(storage_[i]); });
    }

 private:
    atrous_tensor view_;
    std::vector<bf16> storage_;
};

// Rounds every value to what bfloat16 holds.
inline void round_values(std::vector<float>& values) {
    for (float& value : values) value = to_float(round_to_bf16(value));
}
inline void round_values(sheet& values) {
    half_sheet(values).widen_into(values);
}
// How far a value may move when it is stored as bfloat16: half a unit of 8 bits of mantissa.
inline double bf16_rounding(double value) {
    return std::abs(value) / 256;
}

inline std::vector<float> random_floats(size_t count, uint32_t seed, float low = -1, float high = 1) {
    std::mt19937 bits(seed);
    std::uniform_real_distribution<float> values(low, high);
    std::vector<float> made(count);
    for (float& value : made) value = values(bits);
    return made;
}

inline double reference_activation(double x, int32_t activation, double slope) {
    const double clipped = std::min(std::max(x + 3, 0.0), 6.0);
    switch (activation) {
        case ATROUS_ACTIVATION_RELU:
            return std::max(x, 0.0);
        case ATROUS_ACTIVATION_RELU6:
            return std::min(std::max(x, 0.0), 6.0);
        case ATROUS_ACTIVATION_LEAKY_RELU:
            return x < 0 ? slope * x : x;
        case ATROUS_ACTIVATION_HARD_SWISH:
            return x * clipped / 6;
        case ATROUS_ACTIVATION_HARD_SIGMOID:
            return clipped / 6;
        case ATROUS_ACTIVATION_SIGMOID:
            return 1 / (1 + std::exp(-x));
        case ATROUS_ACTIVATION_SILU:
            return x / (1 + std::exp(-x));
        case ATROUS_ACTIVATION_GELU:
            return x * std::erfc(-x / std::sqrt(2.0)) / 2;
        default:
            return x;
    }
}

// A test that runs once for every instruction set of this processor.
class EveryIsa : public testing::TestWithParam<const kernel_table*> {
 protected:
    std::unique_ptr<atrous_engine> make_engine(int threads) const {
        return std::make_unique<atrous_engine>(threads, *GetParam());
    }
};

#define ATROUS_EVERY_ISA(suite)                                                                      \
    INSTANTIATE_TEST_SUITE_P(Isa, suite, testing::ValuesIn(::atrous::available_kernels()),           \
                             [](const testing::TestParamInfo<const ::atrous::kernel_table*>& info) { \
                                 return std::string(info.param->isa);                                \
                             })

#define ATROUS_EXPECT_OK(call) EXPECT_EQ(call, ATROUS_OK) << atrous_last_error()

}  // namespace atrous::tests

#endif  // ATROUS_TESTS_SUPPORT_H
