// What a fuzzer's bytes stand for: numbers within limits, taken one after the other; 0 once they are used up.
#ifndef ATROUS_FUZZ_INPUT_H
#define ATROUS_FUZZ_INPUT_H

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "atrous.h"

namespace atrous::fuzz {

class input {
 public:
    input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

    uint8_t byte() {
        if (size_ == 0) return 0;
        --size_;
        return *data_++;
    }
    int32_t any_int() {
        uint32_t bits = 0;
        for (int i = 0; i < 4; ++i) bits = bits << 8 | byte();
        return static_cast<int32_t>(bits);
    }
    // least to most, of which there are at most 256.
    int32_t in(int32_t least, int32_t most) { return least + byte() % (most - least + 1); }
    // What breaks arithmetic, more often than chance would have it.
    int32_t wild() {
        constexpr int32_t edges[] = {0,         1,         2,       3,       -1,         -2,    7,       255,
                                     INT32_MAX, INT32_MIN, 1 << 24, 1 << 30, -(1 << 24), 65535, 1 << 16, INT32_MAX - 1};
        const uint8_t kind = byte();
        return kind < 128 ? edges[kind % 16] : kind < 192 ? in(-8, 64) : any_int();
    }
    // The same for what is counted in 64 bits, where a product with a size is what overflows.
    int64_t wide() {
        constexpr int64_t edges[] = {INT64_MAX, INT64_MAX / 2, INT64_MAX / 3, INT64_MAX / 4, INT64_MIN, -1, 0,
                                     1,         INT64_MAX / 9, 1LL << 62,     1LL << 61,     1LL << 60};
        const uint8_t kind = byte();
        if (kind < 192) return edges[kind % 12];
        return static_cast<int64_t>(static_cast<uint64_t>(any_int()) << 32 | static_cast<uint32_t>(any_int()));
    }
    float any_float() {
        const int32_t bits = any_int();
        float value = 0;
        std::memcpy(&value, &bits, sizeof(value));
        return value;
    }
    float value() { return static_cast<float>(in(-16, 16)) / 8; }
    std::vector<float> values(size_t count) {
        std::vector<float> all(count);
        for (float& one : all) one = value();
        return all;
    }

 private:
    const uint8_t* data_;
    size_t size_;
};

// A tensor with memory of its own, of just the size that it says: a gap between two pixels, and none after the last.
class sheet {
 public:
    sheet(int32_t batch, int32_t height, int32_t width, int32_t channels, input* from = nullptr, int32_t gap = 0)
        : values_(static_cast<size_t>(batch) * height * width * (channels + gap) - gap),
          view_{nullptr, channels + gap, batch, height, width, channels, ATROUS_FLOAT32, 0, 0} {
        if (from != nullptr) values_ = from->values(values_.size());
        view_.data = values_.data();
    }
    // Of bytes that stand for numbers.
    static sheet of_bytes(int32_t batch, int32_t height, int32_t width, int32_t channels, input& from) {
        sheet made(batch, height, width, channels, nullptr, from.in(0, 3));
        made.become_bytes(from);
        made.view_.step = static_cast<float>(from.in(1, 200)) / 64;
        made.view_.zero = from.in(0, 255);
        return made;
    }
    // Bytes instead of floats, as many of them.
    void become_bytes(input& from) {
        bytes_.resize(values_.size());
        for (uint8_t& one : bytes_) one = static_cast<uint8_t>(from.in(0, 255));
        view_.data = bytes_.data();
        view_.type = ATROUS_UINT8;
        view_.step = from.any_float();
        view_.zero = from.in(-1, 256);
    }
    // What is not true of the memory of more than one pixel.
    void set_stride(int64_t stride) { view_.pixel_stride = stride; }
    // Bytes that stand for the numbers that another's stand for.
    void become_bytes_like(const atrous_tensor& other) {
        bytes_.resize(values_.size());
        view_.data = bytes_.data();
        view_.type = ATROUS_UINT8;
        view_.step = other.step;
        view_.zero = other.zero;
    }
    const atrous_tensor* view() const { return &view_; }
    float at(int32_t n, int32_t y, int32_t x, int32_t c) const { return inside(y, x) ? values_[index(n, y, x, c)] : 0; }
    int32_t byte_at(int32_t n, int32_t y, int32_t x, int32_t c) const {
        return inside(y, x) ? bytes_[index(n, y, x, c)] : view_.zero;
    }
    // What an element stands for, whatever its type.
    float number_at(int32_t n, int32_t y, int32_t x, int32_t c) const {
        if (view_.type == ATROUS_FLOAT32) return at(n, y, x, c);
        return (static_cast<float>(byte_at(n, y, x, c)) - static_cast<float>(view_.zero)) * view_.step;
    }
    template <class Body>
    void for_each(Body body) const {
        for (int32_t n = 0; n < view_.batch; ++n)
            for (int32_t y = 0; y < view_.height; ++y)
                for (int32_t x = 0; x < view_.width; ++x)
                    for (int32_t c = 0; c < view_.channels; ++c) body(n, y, x, c);
    }

 private:
    bool inside(int32_t y, int32_t x) const { return y >= 0 && x >= 0 && y < view_.height && x < view_.width; }
    size_t index(int32_t n, int32_t y, int32_t x, int32_t c) const {
        return ((static_cast<size_t>(n) * view_.height + y) * view_.width + x) *
                   static_cast<size_t>(view_.pixel_stride) +
               c;
    }

    std::vector<float> values_;
    std::vector<uint8_t> bytes_;
    atrous_tensor view_;
};

inline atrous_engine* engine() {
    static atrous_engine* one = [] {
        atrous_engine* made = nullptr;
        if (atrous_engine_create(2, &made) != ATROUS_OK) std::abort();
        return made;
    }();
    return one;
}

// A finding: the fuzzer keeps the input that leads here.
[[noreturn]] inline void found(const char* what, double got, double expected) {
    std::fprintf(stderr, "%s: %g instead of %g (%s)\n", what, got, expected, atrous_last_error());
    std::abort();
}

inline void expect_near(const char* what, double got, double expected, double tolerance) {
    if (!(std::fabs(got - expected) <= tolerance)) found(what, got, expected);
}

// Arguments are taken or refused; nothing that an argument says is a fault of libatrous.
inline bool taken(atrous_status status) {
    if (status == ATROUS_INTERNAL) found("internal error", status, ATROUS_OK);
    if (status != ATROUS_OK && atrous_last_error()[0] == 0) found("a refusal without a reason", status, ATROUS_OK);
    return status == ATROUS_OK;
}

}  // namespace atrous::fuzz

#endif  // ATROUS_FUZZ_INPUT_H
