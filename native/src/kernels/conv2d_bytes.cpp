// Convolution as an implicit matrix product, of uint8 with int8 weights.
#include "conv2d/walker.h"

namespace atrous::ATROUS_ISA_NAMESPACE {

void conv2d_bytes(const conv2d_args& a, int64_t begin, int64_t end, float* memory) {
    if (a.output.type == ATROUS_UINT8) return multiply<uint8_t, uint8_t>(a, begin, end, memory);
    multiply<uint8_t, float>(a, begin, end, memory);
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
