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

// A tensor with memory of its own, of just the size that it says.
class sheet {
 public:
    sheet(int32_t batch, int32_t height, int32_t width, int32_t channels, input* from = nullptr)
        : values_(static_cast<size_t>(batch) * height * width * channels), view_{values_.data(), channels, batch,
                                                                                 height,         width,    channels,
                                                                                 ATROUS_FLOAT32, 0,        0} {
        if (from != nullptr) values_ = from->values(values_.size());
        view_.data = values_.data();
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
    const atrous_tensor* view() const { return &view_; }
    float at(int32_t n, int32_t y, int32_t x, int32_t c) const {
        if (y < 0 || x < 0 || y >= view_.height || x >= view_.width) return 0;
        return values_[((static_cast<size_t>(n) * view_.height + y) * view_.width + x) * view_.channels + c];
    }

 private:
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
