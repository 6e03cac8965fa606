// The kernels of native/cuda compiled for the host: libatrous_kernels_host.so, for tests alone. A test runs a kernel as
// the driver would, and the software device of tests/device does so behind cuLaunchKernel.
#ifndef ATROUS_CUDA_HOST_KERNELS_H
#define ATROUS_CUDA_HOST_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct atrous_host_dim3 {
    uint32_t x, y, z;
} atrous_host_dim3;

// Runs every thread of every block, one after the other, on the calling thread; several callers may run at once.
// params: as for cuLaunchKernel, one pointer to each of the kernel's parameters. The kernels declare the shared memory
// that they use, so shared_bytes changes nothing.
typedef void (*atrous_host_run)(atrous_host_dim3 grid, atrous_host_dim3 block, uint32_t shared_bytes, void** params);

typedef struct atrous_host_kernel {
    const char* name;  // the entry's name in the PTX
    atrous_host_run run;
} atrous_host_kernel;

// Every kernel; valid as long as the library is loaded.
__attribute__((visibility("default"))) const atrous_host_kernel* atrous_host_kernels(size_t* count);

#ifdef __cplusplus
}
#endif
#endif  // ATROUS_CUDA_HOST_KERNELS_H
