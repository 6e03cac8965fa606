// Which instruction set an engine runs on.
#ifndef ATROUS_DISPATCH_H
#define ATROUS_DISPATCH_H

#include <vector>

#include "kernels.h"

namespace atrous {

// Every instruction set that this processor and its operating system support, slowest first.
const std::vector<const kernel_table*>& available_kernels();

// The best one, or the one that ATROUS_ISA names. Throws UNSUPPORTED or INVALID_ARGUMENT as atrous_engine_create says.
const kernel_table& pick_kernels();

// Throws UNSUPPORTED where the instruction set does not multiply bfloat16.
void require_bf16_products(const kernel_table& kernels);

}  // namespace atrous

#endif  // ATROUS_DISPATCH_H
