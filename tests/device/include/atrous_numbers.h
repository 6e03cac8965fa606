// Storage formats of tensors, read and written one element at a time in double precision: slow, and easy to believe.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace device {

enum class Format { FP32, TF32, FP16, BF16 };

inline size_t bytes_of(Format format) {
    return format == Format::FP32 || format == Format::TF32 ? 4 : 2;
}

// 10 bits of fraction, to the nearest, ties to even: what tensor cores do to 32-bit inputs.
inline float round_to_tf32(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if ((bits & 0x7F800000u) != 0x7F800000u) bits += 0x0FFFu + ((bits >> 13) & 1u);
    bits &= ~0x1FFFu;
    std::memcpy(&value, &bits, 4);
    return value;
}

inline double load(const void* start, int64_t index, Format format) {
    switch (format) {
        case Format::FP32:
            return static_cast<const float*>(start)[index];
        case Format::TF32:
            return round_to_tf32(static_cast<const float*>(start)[index]);
        case Format::FP16:
            return static_cast<double>(static_cast<const _Float16*>(start)[index]);
        case Format::BF16:
            break;
    }
    uint32_t bits = static_cast<uint32_t>(static_cast<const uint16_t*>(start)[index]) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

inline uint16_t to_bf16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if (std::isnan(value)) return 0x7FFF;
    return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

// Rounds to the format; 32-bit results keep all their bits in TF32 as well.
inline void store(void* start, int64_t index, double value, Format format) {
    switch (format) {
        case Format::FP32:
        case Format::TF32:
            static_cast<float*>(start)[index] = static_cast<float>(value);
            break;
        case Format::FP16:
            static_cast<_Float16*>(start)[index] = static_cast<_Float16>(value);
            break;
        case Format::BF16:
            static_cast<uint16_t*>(start)[index] = to_bf16(static_cast<float>(value));
            break;
    }
}

}  // namespace device
