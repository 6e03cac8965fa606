// The kernels that the device can run: those of libatrous_kernels_host.so beside this library, and two of the tests' own.
#include <dlfcn.h>

#include <unordered_map>

#include "module.h"

namespace device {
namespace {

template <class T>
T argument(void** params, int index) {
    return *static_cast<T*>(params[index]);
}

// out[i] = in[i] * scale + shift for i < count: (u64 in, u64 out, u32 count, f32 scale, f32 shift).
void run_scale(atrous_dim3 grid, atrous_dim3 block, unsigned, void** params) {
    const auto* in = argument<const float*>(params, 0);
    auto* out = argument<float*>(params, 1);
    uint32_t count = argument<uint32_t>(params, 2), threads = grid.x * block.x;
    for (uint32_t i = 0; i < threads && i < count; ++i)
        out[i] = in[i] * argument<float>(params, 3) + argument<float>(params, 4);
}

// Writes one value more than it was given room for: (u64 out, u32 count).
void run_overrun(atrous_dim3, atrous_dim3, unsigned, void** params) {
    auto* out = argument<float*>(params, 0);
    for (uint32_t i = 0; i <= argument<uint32_t>(params, 1); ++i) out[i] = 1.0f;
}

const atrous_host_kernel OWN[] = {{"atrous_test_scale", run_scale}, {"atrous_test_overrun", run_overrun}};

std::string folder_of_this_library() {
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(&find_host_kernel), &info);
    std::string path = info.dli_fname;
    return path.substr(0, path.rfind('/') + 1);
}

std::unordered_map<std::string, const atrous_host_kernel*> load_kernels() {
    std::unordered_map<std::string, const atrous_host_kernel*> kernels;
    for (const atrous_host_kernel& kernel : OWN) kernels[kernel.name] = &kernel;
    const std::string path = folder_of_this_library() + "libatrous_kernels_host.so";
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return kernels;  // a launch says which kernel is missing
    auto table = reinterpret_cast<decltype(&atrous_host_kernels)>(dlsym(library, "atrous_host_kernels"));
    if (table == nullptr) {
        report(path + " has no atrous_host_kernels");
        return kernels;
    }
    size_t count = 0;
    const atrous_host_kernel* first = table(&count);
    for (size_t i = 0; i < count; ++i) kernels[first[i].name] = &first[i];
    return kernels;
}

}  // namespace

const atrous_host_kernel* find_host_kernel(const std::string& name) {
    static const auto& kernels = *new auto(load_kernels());
    auto entry = kernels.find(name);
    return entry == kernels.end() ? nullptr : entry->second;
}

}  // namespace device
