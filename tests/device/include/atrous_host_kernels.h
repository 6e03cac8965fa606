// A kernel compiled for the host: what native/cuda's host library hands to the software device, by the names of its PTX entries.
#pragma once
#include <cstddef>
#include <cstdint>

struct atrous_dim3 {
    uint32_t x, y, z;
};

struct atrous_host_kernel {
    const char* name;
    // Runs the whole grid. params[i] points at the i-th argument, as cuLaunchKernel takes them.
    void (*run)(atrous_dim3 grid, atrous_dim3 block, unsigned shared_bytes, void** params);
};

// Exported by libatrous_kernels_host.so.
extern "C" const atrous_host_kernel* atrous_host_kernels(size_t* count);
