// The devices and their primary contexts, and which context each thread has made current.
#pragma once
#include "types.h"

namespace device {

struct Context;

// CUDA_SUCCESS when the driver is initialised, a context is current and nothing has failed for good.
CUresult ready();
CUresult initialized();
// Before a call that frees or waits. It does so in any case, in a context that has failed for good as well, which shows
// what nobody frees. And what it then returns; freed says too that the context has failed.
CUresult releasing();
CUresult released(CUresult result);
CUresult freed(CUresult result);
bool is_context(const Context* context);
// Of the context that is current, or of the stream whose work the thread runs; 0 where there is none.
int current_device();
// Whether a context is current, and something of this device is none of its own.
bool is_foreign(int device);
// The thread runs the work of a device's streams from now on.
void run_for(int device);

}  // namespace device

#define RELEASING() \
    if (CUresult state = device::releasing(); state != CUDA_SUCCESS) return state
#define READY() \
    if (CUresult state = device::ready(); state != CUDA_SUCCESS) return state
