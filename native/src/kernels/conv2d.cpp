// Convolution as an implicit matrix product, of float32 and bfloat16.
#include "conv2d/walker.h"

namespace atrous::ATROUS_ISA_NAMESPACE {

void conv2d(const conv2d_args& a, int64_t begin, int64_t end, float* memory) {
    if (a.input.type == ATROUS_FLOAT32) {
        if (a.output.type == ATROUS_FLOAT32) return multiply<float, float>(a, begin, end, memory);
        if (a.output.type == ATROUS_UINT8) return multiply<float, uint8_t>(a, begin, end, memory);
        return multiply<float, bf16>(a, begin, end, memory);
    }
#if defined(ATROUS_BF16_PRODUCTS)
    if (a.output.type == ATROUS_FLOAT32) return multiply<bf16, float>(a, begin, end, memory);
    multiply<bf16, bf16>(a, begin, end, memory);
#endif
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
