// Runs kernels on the host: what device.h is built on there.
#ifndef ATROUS_CUDA_HOST_REGISTRATION_H
#define ATROUS_CUDA_HOST_REGISTRATION_H

#include <utility>

#include "host_kernels.h"

namespace atrous::cuda::host {

// The thread of the grid that runs now.
struct place {
    atrous_host_dim3 grid, block;
    uint32_t column, row, thread;
    int phase;     // only the code after this many barriers runs
    int barriers;  // that the thread has met
};
inline thread_local place here;

template <class... Parameters, size_t... I>
void call(void (*kernel)(Parameters...), void** params, std::index_sequence<I...>) {
    kernel(*static_cast<Parameters*>(params[I])...);
}

template <class... Parameters>
void call(void (*kernel)(Parameters...), void** params) {
    call(kernel, params, std::index_sequence_for<Parameters...>());
}

// Every block: its threads through the first phase, then through the next, until they meet no further barrier.
template <auto Kernel>
void run(atrous_host_dim3 grid, atrous_host_dim3 block, uint32_t, void** params) {
    here.grid = grid;
    here.block = block;
    for (here.row = 0; here.row < grid.y; ++here.row) {
        for (here.column = 0; here.column < grid.x; ++here.column) {
            here.phase = 0;
            do {
                for (here.thread = 0; here.thread < block.x; ++here.thread) {
                    here.barriers = 0;
                    call(Kernel, params);
                }
            } while (++here.phase <= here.barriers);
        }
    }
}

// Puts a kernel into the table of atrous_host_kernels.
struct registration {
    registration(const char* name, atrous_host_run run);
};

}  // namespace atrous::cuda::host

#endif  // ATROUS_CUDA_HOST_REGISTRATION_H
