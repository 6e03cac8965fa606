// The device and its primary context, and which context each thread has made current.
#pragma once
#include "types.h"

namespace device {

struct Context;

// CUDA_SUCCESS when the driver is initialised, a context is current and nothing has failed for good.
CUresult ready();
CUresult initialized();
// The same before a call that frees or waits, which does so in any case; and what it then returns.
CUresult releasing();
CUresult released(CUresult result);
bool is_context(const Context* context);

}  // namespace device

#define RELEASING() \
    if (CUresult state = device::releasing(); state != CUDA_SUCCESS) return state
#define READY() \
    if (CUresult state = device::ready(); state != CUDA_SUCCESS) return state
