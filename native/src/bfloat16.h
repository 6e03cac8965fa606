// bfloat16: the upper half of a float32, 8 bits of exponent and 7 of mantissa. A format of storage: all sums are
// float32.
#ifndef ATROUS_BFLOAT16_H
#define ATROUS_BFLOAT16_H

#include <stdint.h>
#include <string.h>

namespace atrous {

struct bf16 {
    uint16_t bits;
};

// To the nearest, ties to even; a NaN stays one.
inline bf16 round_to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if (value != value) return {static_cast<uint16_t>(bits >> 16 | 0x40)};
    return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

inline float to_float(bf16 value) {
    const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
    float made;
    memcpy(&made, &bits, sizeof(made));
    return made;
}

}  // namespace atrous

#endif  // ATROUS_BFLOAT16_H
