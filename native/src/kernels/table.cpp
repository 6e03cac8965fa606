// The kernels of one instruction set as a table.
#include "conv2d/byte_products.h"
#include "kernels.h"

namespace atrous::ATROUS_ISA_NAMESPACE {

#define ATROUS_TEXT(name) #name
#define ATROUS_NAME_OF(name) ATROUS_TEXT(name)

#define ATROUS_KERNEL(name, arguments) void name(const arguments&, int64_t, int64_t, float*);
#include "kernels.inc"
#undef ATROUS_KERNEL

#define ATROUS_KERNEL(name, arguments) .name = name,
extern const kernel_table table;
constexpr kernel_table table = {
    .isa = ATROUS_NAME_OF(ATROUS_ISA_NAMESPACE),
    .lanes = width,
    .conv2d_vectors = most_vectors,
#if defined(ATROUS_BF16_PRODUCTS)
    .bf16_products = true,
#else
    .bf16_products = false,
#endif
    .bytes = {.bytes = sizeof(byte_weight), .side = byte_side, .step = byte_depth_step},
#if defined(__AVX512VNNI__)
    .byte_filters = true,
#else
    .byte_filters = false,
#endif
#include "kernels.inc"
};
#undef ATROUS_KERNEL

}  // namespace atrous::ATROUS_ISA_NAMESPACE
