// What libatrous asks of the operating system beyond the C++ library: a file per system answers.
#ifndef ATROUS_PLATFORM_H
#define ATROUS_PLATFORM_H

#include <cstddef>
#include <cstdint>
#include <limits>

namespace atrous::platform {

// Cores that this process may run on; 0 where the system does not say.
int usable_cores();

// Asks that the memory be laid on huge pages. The system may not listen.
void prefer_huge_pages(void* data, size_t bytes);

// Bytes that this process may still take without being stopped or swapped out, a container's limit included.
int64_t available_memory();
constexpr int64_t unknown_memory = std::numeric_limits<int64_t>::max();

// Whether an ARM64 processor has BFDOT and BFCVT (FEAT_BF16), and USDOT (FEAT_I8MM), which comes with them.
bool has_arm_bf16_and_i8mm();

}  // namespace atrous::platform

#endif  // ATROUS_PLATFORM_H
