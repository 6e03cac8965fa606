// Contracts of the kernels: plain structs and one function each, compiled once per instruction set (kernels/<op>.cpp).
// A kernel does the work items [begin, end) of its operation on the calling thread; what an item is, is said here.
#ifndef ATROUS_KERNELS_H
#define ATROUS_KERNELS_H

#include <stdint.h>

#include "crf/crf_kernels.h"

namespace atrous {

struct kernel_table {
    const char* isa;
#define ATROUS_KERNEL(name, arguments) void (*name)(const arguments& a, int64_t begin, int64_t end);
#include "kernels.inc"
#undef ATROUS_KERNEL
};

}  // namespace atrous

#endif  // ATROUS_KERNELS_H
