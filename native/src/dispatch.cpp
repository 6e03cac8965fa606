#include "dispatch.h"

#include <cstdlib>
#include <cstring>

#include "status.h"

namespace atrous {

#define ATROUS_KERNEL(name, arguments) void name(const arguments&, int64_t, int64_t, float*);
namespace baseline {
#include "kernels.inc"
}
namespace avx2 {
#include "kernels.inc"
}
namespace avx512 {
#include "kernels.inc"
}
namespace avx512bf16 {
#include "kernels.inc"
}
#undef ATROUS_KERNEL

namespace {

#define ATROUS_KERNEL(name, arguments) .name = baseline::name,
constexpr kernel_table baseline_kernels = {
    .isa = "baseline",
    .lanes = 4,
    .conv2d_vectors = 2,
    .bf16_products = false,
#include "kernels.inc"
};
#undef ATROUS_KERNEL

#define ATROUS_KERNEL(name, arguments) .name = avx2::name,
constexpr kernel_table avx2_kernels = {
    .isa = "avx2",
    .lanes = 8,
    .conv2d_vectors = 2,
    .bf16_products = false,
#include "kernels.inc"
};
#undef ATROUS_KERNEL

#define ATROUS_KERNEL(name, arguments) .name = avx512::name,
constexpr kernel_table avx512_kernels = {
    .isa = "avx512",
    .lanes = 16,
    .conv2d_vectors = 4,
    .bf16_products = false,
#include "kernels.inc"
};
#undef ATROUS_KERNEL

#define ATROUS_KERNEL(name, arguments) .name = avx512bf16::name,
constexpr kernel_table avx512bf16_kernels = {
    .isa = "avx512bf16",
    .lanes = 16,
    .conv2d_vectors = 4,
    .bf16_products = true,
#include "kernels.inc"
};
#undef ATROUS_KERNEL

constexpr const kernel_table* every_table[] = {&baseline_kernels, &avx2_kernels, &avx512_kernels, &avx512bf16_kernels};

// __builtin_cpu_supports also asks whether the operating system saves the wide registers.
bool has_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

bool has_avx512() {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

bool has_avx512bf16() {
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

}  // namespace

const std::vector<const kernel_table*>& available_kernels() {
    // Never destroyed: a thread may still start an engine while the process ends.
    static const auto& found = *new std::vector<const kernel_table*>([] {
        __builtin_cpu_init();
        std::vector<const kernel_table*> tables{&baseline_kernels};
        if (has_avx2()) tables.push_back(&avx2_kernels);
        if (has_avx512()) tables.push_back(&avx512_kernels);
        if (has_avx512bf16()) tables.push_back(&avx512bf16_kernels);
        return tables;
    }());
    return found;
}

const kernel_table& pick_kernels() {
    const auto& available = available_kernels();
    const char* wanted = std::getenv("ATROUS_ISA");
    if (wanted == nullptr || *wanted == '\0') return *available.back();
    for (const kernel_table* table : available) {
        if (std::strcmp(table->isa, wanted) == 0) return *table;
    }
    for (const kernel_table* table : every_table) {
        if (std::strcmp(table->isa, wanted) == 0) {
            throw fail(ATROUS_UNSUPPORTED, "ATROUS_ISA=%s: this processor stops at %s; unset it or name that", wanted,
                       available.back()->isa);
        }
    }
    throw fail(ATROUS_UNSUPPORTED, "ATROUS_ISA=%s is not known; use baseline, avx2, avx512 or avx512bf16", wanted);
}

void require_bf16_products(const kernel_table& kernels) {
    if (kernels.bf16_products) return;
    throw fail(ATROUS_UNSUPPORTED, "bf16 takes the instruction VDPBF16PS (AVX512_BF16), which %s; use fp32",
               available_kernels().back()->bf16_products ? "ATROUS_ISA rules out" : "this processor lacks");
}

}  // namespace atrous
