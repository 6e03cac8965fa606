// All that a kernel may use beside plain C++: no header of the CUDA toolkit is included, so that plain clang compiles
// the kernels to PTX. For tests the same source compiles for the host, where a thread of a block is a turn of a loop.
//
// A kernel computes the same bits on both: products and sums are fused only where fused() says so (the compilers are
// told not to do it by themselves), division and conversion round to nearest even, and there is no approximate
// instruction. Only the payload of a NaN may differ.
#ifndef ATROUS_CUDA_DEVICE_H
#define ATROUS_CUDA_DEVICE_H

#if defined(__CUDA__) || defined(__CUDACC__)
#define ATROUS_ON_DEVICE 1
#else
#define ATROUS_ON_DEVICE 0
#include "host/registration.h"
#endif

#if ATROUS_ON_DEVICE && defined(__clang__)
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(threads) __attribute__((launch_bounds(threads)))
#endif

#if ATROUS_ON_DEVICE
#define ATROUS_FUNCTION __device__ inline __attribute__((always_inline))
#define ATROUS_SHARED __shared__
#define ATROUS_UNROLL _Pragma("unroll")
#define ATROUS_NO_UNROLL _Pragma("unroll 1")
#else
#define ATROUS_FUNCTION inline
#define ATROUS_SHARED static thread_local
#define ATROUS_UNROLL
#define ATROUS_NO_UNROLL
#endif

// One entry: extern "C" void name parameters { body }. block: threads of a block, all along x.
#if ATROUS_ON_DEVICE
#define ATROUS_ENTRY(name, block, parameters, body)                       \
    extern "C" __global__ void __launch_bounds__(block) name parameters { \
        body;                                                             \
    }
#else
#define ATROUS_ENTRY(name, block, parameters, body) \
    static void name parameters {                   \
        body;                                       \
    }                                               \
    static const ::atrous::cuda::host::registration name##_registration(#name, &::atrous::cuda::host::run<&name>);
#endif

// Entries that belong to a storage: on the device a module holds those of one, ATROUS_STORAGE_F32, _F16 or _BF16, so
// that a run translates no code of a precision that it doesn't use.
#if !ATROUS_ON_DEVICE || defined(ATROUS_STORAGE_F32)
#define ATROUS_ENTRY_F32 ATROUS_ENTRY
#else
#define ATROUS_ENTRY_F32(name, block, parameters, body)
#endif
#if !ATROUS_ON_DEVICE || defined(ATROUS_STORAGE_F16)
#define ATROUS_ENTRY_F16 ATROUS_ENTRY
#else
#define ATROUS_ENTRY_F16(name, block, parameters, body)
#endif
#if !ATROUS_ON_DEVICE || defined(ATROUS_STORAGE_BF16)
#define ATROUS_ENTRY_BF16 ATROUS_ENTRY
#else
#define ATROUS_ENTRY_BF16(name, block, parameters, body)
#endif

// One entry for each storage: name_f32, name_f16 and name_bf16 call the template name<storage> with the arguments.
#define ATROUS_ENTRIES(name, block, parameters, arguments)                                 \
    ATROUS_ENTRY_F32(name##_f32, block, parameters, name<float> arguments)                 \
    ATROUS_ENTRY_F16(name##_f16, block, parameters, name<atrous::cuda::float16> arguments) \
    ATROUS_ENTRY_BF16(name##_bf16, block, parameters, name<atrous::cuda::bfloat16> arguments)

namespace atrous::cuda {

using int32_t = __INT32_TYPE__;
using int64_t = __INT64_TYPE__;
using uint8_t = __UINT8_TYPE__;
using uint16_t = __UINT16_TYPE__;
using uint32_t = __UINT32_TYPE__;
using uint64_t = __UINT64_TYPE__;

// Threads of a block where a kernel does not say otherwise.
constexpr int block_size = 256;

// ---- Where a thread is

#if ATROUS_ON_DEVICE && defined(__clang__)
ATROUS_FUNCTION uint32_t thread_index() {
    return __nvvm_read_ptx_sreg_tid_x();
}
ATROUS_FUNCTION uint32_t block_threads() {
    return __nvvm_read_ptx_sreg_ntid_x();
}
ATROUS_FUNCTION uint32_t block_column() {
    return __nvvm_read_ptx_sreg_ctaid_x();
}
ATROUS_FUNCTION uint32_t block_row() {
    return __nvvm_read_ptx_sreg_ctaid_y();
}
ATROUS_FUNCTION uint32_t grid_columns() {
    return __nvvm_read_ptx_sreg_nctaid_x();
}
ATROUS_FUNCTION uint32_t grid_rows() {
    return __nvvm_read_ptx_sreg_nctaid_y();
}
ATROUS_FUNCTION void barrier() {
    __syncthreads();
}
#elif ATROUS_ON_DEVICE
ATROUS_FUNCTION uint32_t thread_index() {
    return threadIdx.x;
}
ATROUS_FUNCTION uint32_t block_threads() {
    return blockDim.x;
}
ATROUS_FUNCTION uint32_t block_column() {
    return blockIdx.x;
}
ATROUS_FUNCTION uint32_t block_row() {
    return blockIdx.y;
}
ATROUS_FUNCTION uint32_t grid_columns() {
    return gridDim.x;
}
ATROUS_FUNCTION uint32_t grid_rows() {
    return gridDim.y;
}
ATROUS_FUNCTION void barrier() {
    __syncthreads();
}
#else
inline uint32_t thread_index() {
    return host::here.thread;
}
inline uint32_t block_threads() {
    return host::here.block.x;
}
inline uint32_t block_column() {
    return host::here.column;
}
inline uint32_t block_row() {
    return host::here.row;
}
inline uint32_t grid_columns() {
    return host::here.grid.x;
}
inline uint32_t grid_rows() {
    return host::here.grid.y;
}
inline void barrier() {
    ++host::here.barriers;
}
#endif

// True while the code between barrier number `number` and the next one runs. A kernel with barriers keeps nothing but
// shared memory from one phase to the next: the host runs a phase of all threads before the next phase of any.
ATROUS_FUNCTION bool in_phase([[maybe_unused]] int number) {
#if ATROUS_ON_DEVICE
    return true;
#else
    return host::here.phase == number;
#endif
}

// ---- Numbers

template <class To, class From>
ATROUS_FUNCTION To bits_of(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &from, sizeof(to));
    return to;
}

// a * b + c, rounded once.
ATROUS_FUNCTION float fused(float a, float b, float c) {
#if ATROUS_ON_DEVICE && !defined(__clang__)
    return __fmaf_rn(a, b, c);
#else
    return __builtin_fmaf(a, b, c);
#endif
}

struct float16 {
    uint16_t bits;
};
struct bfloat16 {
    uint16_t bits;
};

ATROUS_FUNCTION float to_float(float x) {
    return x;
}

ATROUS_FUNCTION float to_float(bfloat16 x) {
    return bits_of<float>(static_cast<uint32_t>(x.bits) << 16);
}

ATROUS_FUNCTION float to_float(float16 x) {
#if ATROUS_ON_DEVICE
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
    return result;
#else
    const uint32_t sign = (x.bits & 0x8000u) << 16, magnitude = x.bits & 0x7fffu;
    if (magnitude >= 0x7c00u) return bits_of<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    // As a float with the exponent too small by 112, which the product puts right, subnormal numbers included.
    return bits_of<float>(sign | bits_of<uint32_t>(bits_of<float>(magnitude << 13) * 0x1p112f));
#endif
}

template <class T>
ATROUS_FUNCTION T from_float(float x);

template <>
ATROUS_FUNCTION float from_float<float>(float x) {
    return x;
}

template <>
ATROUS_FUNCTION float16 from_float<float16>(float x) {
#if ATROUS_ON_DEVICE
    float16 result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
    return result;
#else
    const uint32_t bits = bits_of<uint32_t>(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return {0x7fff};
    if (magnitude >= 0x47800000u) return {static_cast<uint16_t>(sign | 0x7c00u)};  // 65536 and above
    if (magnitude < 0x38800000u) {
        // Below the smallest normal number: the sum's last bit is worth 2^-24, and the addition rounds.
        const uint32_t rounded = bits_of<uint32_t>(bits_of<float>(magnitude) + 0.5f) - 0x3f000000u;
        return {static_cast<uint16_t>(sign | rounded)};
    }
    const uint32_t rounded = magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u);
    return {static_cast<uint16_t>(sign | rounded >> 13)};
#endif
}

template <>
ATROUS_FUNCTION bfloat16 from_float<bfloat16>(float x) {
#if ATROUS_ON_DEVICE
    bfloat16 result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
    return result;
#else
    const uint32_t bits = bits_of<uint32_t>(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return {0x7fff};
    return {static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
#endif
}

// Rounded to nearest.
ATROUS_FUNCTION float square_root(float x) {
#if ATROUS_ON_DEVICE
    float result;
    asm("sqrt.rn.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
#else
    return __builtin_sqrtf(x);
#endif
}

}  // namespace atrous::cuda

#endif  // ATROUS_CUDA_DEVICE_H
