// The kernels that the device can run: two of the tests' own, and those of libraries that are loaded.
#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>

#include "../include/atrous_device.h"
#include "faults.h"
#include "module.h"

namespace device {
namespace {

template <class T>
T argument(void** params, int index) {
    return *static_cast<T*>(params[index]);
}

// out[i] = in[i] * scale + shift for i < count: (u64 in, u64 out, u32 count, f32 scale, f32 shift).
void run_scale(atrous_host_dim3 grid, atrous_host_dim3 block, unsigned, void** params) {
    const auto* in = argument<const float*>(params, 0);
    auto* out = argument<float*>(params, 1);
    uint32_t count = argument<uint32_t>(params, 2), threads = grid.x * block.x;
    for (uint32_t i = 0; i < threads && i < count; ++i)
        out[i] = in[i] * argument<float>(params, 3) + argument<float>(params, 4);
}

// Writes one value more than it was given room for: (u64 out, u32 count).
void run_overrun(atrous_host_dim3, atrous_host_dim3, unsigned, void** params) {
    auto* out = argument<float*>(params, 0);
    for (uint32_t i = 0; i <= argument<uint32_t>(params, 1); ++i) out[i] = 1.0f;
}

const atrous_host_kernel OWN[] = {{"atrous_test_scale", run_scale}, {"atrous_test_overrun", run_overrun}};

struct Registry {
    std::mutex mutex;
    std::unordered_map<std::string, const atrous_host_kernel*> kernels;
};

Registry& registry() {
    static auto& instance = *new Registry;
    return instance;
}

// For programs that know nothing of the device, the tool among them: the library that ATROUS_DEVICE_KERNELS names.
void load_named_kernels() {
    static const bool once = [] {
        const char* path = std::getenv("ATROUS_DEVICE_KERNELS");
        if (path != nullptr && atrous_device_load_kernels(path) < 0) report(std::string(path) + " has no kernels");
        return true;
    }();
    static_cast<void>(once);
}

}  // namespace

const atrous_host_kernel* find_host_kernel(const std::string& name) {
    load_named_kernels();
    for (const atrous_host_kernel& kernel : OWN)
        if (name == kernel.name) return &kernel;
    std::lock_guard lock(registry().mutex);
    auto entry = registry().kernels.find(name);
    return entry == registry().kernels.end() ? nullptr : entry->second;
}

}  // namespace device

int atrous_device_load_kernels(const char* path) {
    // Never closed: modules point at its kernels.
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return -1;
    auto table = reinterpret_cast<decltype(&atrous_host_kernels)>(dlsym(library, "atrous_host_kernels"));
    if (table == nullptr) return -1;
    size_t count = 0;
    const atrous_host_kernel* first = table(&count);
    std::lock_guard lock(device::registry().mutex);
    for (size_t i = 0; i < count; ++i) device::registry().kernels[first[i].name] = &first[i];
    return static_cast<int>(count);
}
