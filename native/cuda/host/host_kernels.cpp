#include "host_kernels.h"

#include <vector>

#include "registration.h"

namespace atrous::cuda::host {
namespace {

// A function's static, because the registrations of other files run in any order.
std::vector<atrous_host_kernel>& kernels() {
    static std::vector<atrous_host_kernel> all;
    return all;
}

}  // namespace

registration::registration(const char* name, atrous_host_run run) {
    kernels().push_back({name, run});
}

}  // namespace atrous::cuda::host

const atrous_host_kernel* atrous_host_kernels(size_t* count) {
    *count = atrous::cuda::host::kernels().size();
    return atrous::cuda::host::kernels().data();
}
