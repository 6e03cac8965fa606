#include <cstring>
#include <memory>

#include "context.h"
#include "faults.h"
#include "memory.h"
#include "module.h"
#include "objects.h"
#include "stream.h"

using namespace device;

namespace {

enum JitOption : int { ERROR_LOG_BUFFER = 5, ERROR_LOG_BUFFER_SIZE_BYTES = 6 };

void write_log(const std::string& log, unsigned count, const int* options, void** values) {
    char* buffer = nullptr;
    size_t capacity = 0;
    for (unsigned i = 0; i < count; ++i) {
        if (options[i] == ERROR_LOG_BUFFER) buffer = static_cast<char*>(values[i]);
        if (options[i] == ERROR_LOG_BUFFER_SIZE_BYTES) capacity = reinterpret_cast<size_t>(values[i]);
    }
    if (buffer != nullptr && capacity > 0) std::strncpy(buffer, log.c_str(), capacity - 1);
}

// The arguments of one launch, in the kernel's own layout, and the module that must not go meanwhile.
struct Launch {
    const Function* function;
    std::shared_ptr<Module> module;
    atrous_host_dim3 grid, block;
    unsigned shared_bytes;
    std::vector<std::vector<uint64_t>> arguments;

    CUresult run() {
        std::vector<void*> pointers;
        for (size_t i = 0; i < arguments.size(); ++i) {
            pointers.push_back(arguments[i].data());
            // Addresses may lie in structs; other numbers do not look like one.
            for (uint64_t word : arguments[i]) {
                if (!was_freed(reinterpret_cast<void*>(word))) continue;
                report(function->name + ": argument " + std::to_string(i) + " points into freed memory");
                return CUDA_ERROR_ILLEGAL_ADDRESS;
            }
        }
        function->host->run(grid, block, shared_bytes, pointers.data());
        if (verify_live_memory()) return CUDA_SUCCESS;
        report(function->name + " wrote outside its memory");
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
};

std::shared_ptr<Module> module_of(const Function* function) {
    for (const auto& module : Objects<Module>::all())
        for (const auto& [name, candidate] : module->functions)
            if (candidate.get() == function) return module;
    return nullptr;
}

}  // namespace

DRIVER_API cuModuleLoadDataEx(Module** module, const void* image, unsigned count, int* options, void** values) {
    READY();
    if (CUresult refused = refuse_during_capture(); refused != CUDA_SUCCESS) return refused;
    std::string log;
    CUresult error = CUDA_SUCCESS;
    std::shared_ptr<Module> loaded = parse_ptx(static_cast<const char*>(image), log, error);
    if (!loaded) {
        write_log(log, count, options, values);
        return error;
    }
    *module = Objects<Module>::add(loaded);
    return CUDA_SUCCESS;
}

DRIVER_API cuModuleUnload(Module* module) {
    RELEASING();
    return freed(Objects<Module>::remove(module) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE);
}

DRIVER_API cuModuleGetFunction(Function** function, Module* module, const char* name) {
    READY();
    std::shared_ptr<Module> alive = Objects<Module>::find(module);
    if (!alive) return CUDA_ERROR_INVALID_HANDLE;
    auto entry = alive->functions.find(name);
    if (entry == alive->functions.end()) return CUDA_ERROR_NOT_FOUND;
    *function = entry->second.get();
    return CUDA_SUCCESS;
}

DRIVER_API cuFuncGetAttribute(int* value, int attribute, Function* function) {
    READY();
    if (!module_of(function)) return CUDA_ERROR_INVALID_HANDLE;
    switch (attribute) {
        case 0:
            *value = MAX_THREADS_PER_BLOCK;
            break;
        case 1:
        case 2:
        case 3:
            *value = 0;
            break;
        case 4:
            *value = 32;
            break;
        case 5:
        case 6:
            *value = 90;
            break;
        case 8:
            *value = static_cast<int>(function->dynamic_shared_limit);
            break;
        default:
            return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

DRIVER_API cuFuncSetAttribute(Function* function, int attribute, int value) {
    READY();
    if (!module_of(function)) return CUDA_ERROR_INVALID_HANDLE;
    if (attribute != 8 || value < 0 || static_cast<unsigned>(value) > SHARED_PER_BLOCK_OPTIN)
        return CUDA_ERROR_INVALID_VALUE;
    function->dynamic_shared_limit = static_cast<unsigned>(value);
    return CUDA_SUCCESS;
}

DRIVER_API cuFuncGetParamInfo(Function* function, size_t index, size_t* offset, size_t* bytes) {
    READY();
    if (!module_of(function)) return CUDA_ERROR_INVALID_HANDLE;
    if (index >= function->parameters.size()) return CUDA_ERROR_INVALID_VALUE;
    *offset = function->parameters[index].offset;
    if (bytes != nullptr) *bytes = function->parameters[index].bytes;
    return CUDA_SUCCESS;
}

DRIVER_API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function* function, int block_size,
                                                       size_t shared_bytes) {
    READY();
    if (!module_of(function)) return CUDA_ERROR_INVALID_HANDLE;
    if (block_size <= 0) return CUDA_ERROR_INVALID_VALUE;
    *blocks = shared_bytes > SHARED_PER_BLOCK_OPTIN ? 0 : 2048 / block_size;
    return CUDA_SUCCESS;
}

DRIVER_API cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                          unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream* stream, void** params,
                          void** extra) {
    READY();
    std::shared_ptr<Stream> kept = Objects<Stream>::find(stream);
    std::shared_ptr<Module> module = module_of(function);
    if (!module || is_foreign(module->device) || (stream != nullptr && (!kept || is_foreign(kept->device))))
        return CUDA_ERROR_INVALID_HANDLE;
    uint64_t threads = uint64_t{block_x} * block_y * block_z;
    bool grid_fits =
        grid_x > 0 && grid_y > 0 && grid_z > 0 && grid_x <= 0x7FFFFFFFu && grid_y <= 65535 && grid_z <= 65535;
    if (!grid_fits || threads == 0 || threads > MAX_THREADS_PER_BLOCK || block_z > 64 || extra != nullptr ||
        shared_bytes > function->dynamic_shared_limit || (params == nullptr && !function->parameters.empty()))
        return CUDA_ERROR_INVALID_VALUE;
    if (function->host == nullptr) {
        report("the kernel " + function->name + " is not among those compiled for the host");
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    auto launch = std::make_shared<Launch>(
        Launch{function, module, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, {}});
    for (size_t i = 0; i < function->parameters.size(); ++i) {
        size_t bytes = function->parameters[i].bytes;
        std::vector<uint64_t> value((bytes + 7) / 8);
        std::memcpy(value.data(), params[i], bytes);
        launch->arguments.push_back(std::move(value));
    }
    return submit(stream, {NodeKind::KERNEL, function->name, [launch] { return launch->run(); }});
}
