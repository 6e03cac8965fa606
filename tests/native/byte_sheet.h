// Quantised tensors for the tests, and the formulas of atrous.h that write one.
#ifndef ATROUS_TESTS_BYTE_SHEET_H
#define ATROUS_TESTS_BYTE_SHEET_H

#include "support.h"

namespace atrous::tests {

// A uint8 tensor that owns its memory. The bytes between the channels and the pixel stride hold a mark that nobody may
// touch, and the last pixel has none after it: reads beyond it are for the sanitizer to find.
class byte_sheet {
 public:
    byte_sheet(int batch, int height, int width, int channels, int gap, float step, int zero)
        : channels_(channels),
          stride_(channels + gap),
          storage_(static_cast<size_t>(batch) * height * width * stride_ - gap, mark),
          view_{storage_.data(), stride_, batch, height, width, channels, ATROUS_UINT8, step, zero} {}
    byte_sheet(byte_sheet&&) = default;

    static byte_sheet random(int batch, int height, int width, int channels, int gap, float step, int zero,
                             uint32_t seed) {
        byte_sheet made(batch, height, width, channels, gap, step, zero);
        std::mt19937 bits(seed);
        made.for_each([&](int n, int y, int x, int c) { made.at(n, y, x, c) = static_cast<uint8_t>(bits()); });
        return made;
    }

    uint8_t& at(int n, int y, int x, int c) { return storage_[index(n, y, x, c)]; }
    uint8_t at(int n, int y, int x, int c) const { return storage_[index(n, y, x, c)]; }
    // The zero outside.
    int padded(int n, int y, int x, int c) const {
        return y < 0 || y >= view_.height || x < 0 || x >= view_.width ? view_.zero : at(n, y, x, c);
    }
    // What an element stands for.
    float value(int n, int y, int x, int c) const {
        return (static_cast<float>(at(n, y, x, c)) - static_cast<float>(view_.zero)) * view_.step;
    }
    // quantise() of atrous.h.
    uint8_t quantised(float y) const {
        return rounded(std::min(255.0f, std::max(0.0f, y * (1 / view_.step) + static_cast<float>(view_.zero))));
    }
    static uint8_t rounded(float y) { return static_cast<uint8_t>(std::nearbyint(y)); }

    template <class Body>
    void for_each(Body body) const {
        for (int n = 0; n < view_.batch; ++n)
            for (int y = 0; y < view_.height; ++y)
                for (int x = 0; x < view_.width; ++x)
                    for (int c = 0; c < view_.channels; ++c) body(n, y, x, c);
    }

    void expect_gaps_untouched() const {
        for (size_t i = 0; i < storage_.size(); ++i) {
            if (static_cast<int64_t>(i) % stride_ >= channels_) {
                ASSERT_EQ(storage_[i], mark) << "a byte between two pixels was written";
            }
        }
    }

    const atrous_tensor* view() const { return &view_; }

 private:
    static constexpr uint8_t mark = 0xa5;
    size_t index(int n, int y, int x, int c) const {
        return ((static_cast<size_t>(n) * view_.height + y) * view_.width + x) * stride_ + c;
    }

    int64_t channels_, stride_;
    std::vector<uint8_t> storage_;
    atrous_tensor view_;
};

}  // namespace atrous::tests

#endif  // ATROUS_TESTS_BYTE_SHEET_H
