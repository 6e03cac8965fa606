#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "context.h"
#include "faults.h"
#include "memory.h"
#include "stream.h"

namespace device {

struct Context {
    int device;
    std::mutex mutex;
    int retained = 0;
};

namespace {

std::atomic<bool> is_initialized{false};
thread_local std::vector<Context*> current;
thread_local int running_for = 0;

Context& primary(int device) {
    static auto* contexts = [] {
        auto* made = new std::array<Context, MOST_DEVICES>;
        for (int i = 0; i < MOST_DEVICES; ++i) (*made)[static_cast<size_t>(i)].device = i;
        return made;
    }();
    return (*contexts)[static_cast<size_t>(device)];
}

bool alive(const Context* context) {
    for (int i = 0; i < MOST_DEVICES; ++i)
        if (context == &primary(i)) return context->retained > 0;
    return false;
}

struct ErrorText {
    CUresult error;
    const char *name, *text;
};

const ErrorText ERRORS[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CUDA_ERROR_NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU",
     "no kernel image is available for execution on the device"},
    {CUDA_ERROR_OPERATING_SYSTEM, "CUDA_ERROR_OPERATING_SYSTEM",
     "OS call failed or operation not supported on this OS"},
    {CUDA_ERROR_INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
     "the provided PTX was compiled with an unsupported toolchain."},
    {CUDA_ERROR_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CUDA_ERROR_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {CUDA_ERROR_NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
     "system has unsupported display driver / cuda driver combination"},
    {CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
     "operation not permitted when stream is capturing"},
    {CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "operation failed due to a previous error during capture"},
    {CUDA_ERROR_STREAM_CAPTURE_MERGE, "CUDA_ERROR_STREAM_CAPTURE_MERGE",
     "operation would result in a merge of separate capture sequences"},
    {CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED",
     "capture was not ended in the same stream as it began"},
    {CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
    {CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION",
     "dependency created on uncaptured work in another stream"},
    {CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {CUDA_ERROR_CAPTURED_EVENT, "CUDA_ERROR_CAPTURED_EVENT",
     "operation not permitted on an event last recorded in a capturing stream"},
    {CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD",
     "attempt to terminate a thread-local capture sequence from another thread"},
    {CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, "CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE",
     "the graph update was not performed because it included changes which violated constraints specific to "
     "instantiated graph update"},
};

const ErrorText* find_error(CUresult error) {
    for (const ErrorText& entry : ERRORS)
        if (entry.error == error) return &entry;
    return nullptr;
}

}  // namespace

CUresult initialized() {
    if (!is_initialized) return CUDA_ERROR_NOT_INITIALIZED;
    return atrous_device_call_fails() ? CUDA_ERROR_OPERATING_SYSTEM : CUDA_SUCCESS;
}

CUresult ready() {
    CUresult state = releasing();
    if (state == CUDA_SUCCESS) state = sticky();
    return state == CUDA_SUCCESS && atrous_device_call_fails() ? CUDA_ERROR_OPERATING_SYSTEM : state;
}

CUresult releasing() {
    if (!is_initialized) return CUDA_ERROR_NOT_INITIALIZED;
    bool usable = !current.empty() && alive(current.back());
    return usable || expects_failure() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult released(CUresult result) {
    return atrous_device_call_fails() && result == CUDA_SUCCESS ? CUDA_ERROR_OPERATING_SYSTEM : result;
}

CUresult freed(CUresult result) {
    return released(result == CUDA_SUCCESS ? sticky() : result);
}

bool is_context(const Context* context) {
    return alive(context);
}

int current_device() {
    return current.empty() ? running_for : current.back()->device;
}

bool is_foreign(int device) {
    return !current.empty() && current.back()->device != device;
}

void run_for(int device) {
    running_for = device;
}

}  // namespace device

using namespace device;

#define INITIALIZED() \
    if (CUresult state = initialized(); state != CUDA_SUCCESS) return state
#define DEVICE(number) \
    INITIALIZED();     \
    if ((number) < 0 || (number) >= device_count()) return CUDA_ERROR_INVALID_DEVICE

DRIVER_API cuInit(unsigned flags) {
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    is_initialized = true;
    return CUDA_SUCCESS;
}

DRIVER_API cuDriverGetVersion(int* version) {
    *version = driver_version();
    return CUDA_SUCCESS;
}

DRIVER_API cuGetErrorName(CUresult error, const char** name) {
    const ErrorText* entry = find_error(error);
    *name = entry == nullptr ? nullptr : entry->name;
    return entry == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

DRIVER_API cuGetErrorString(CUresult error, const char** text) {
    const ErrorText* entry = find_error(error);
    *text = entry == nullptr ? nullptr : entry->text;
    return entry == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

DRIVER_API cuDeviceGetCount(int* number) {
    INITIALIZED();
    *number = device_count();
    return CUDA_SUCCESS;
}

DRIVER_API cuDeviceGet(CUdevice* device, int ordinal) {
    DEVICE(ordinal);
    *device = ordinal;
    return CUDA_SUCCESS;
}

DRIVER_API cuDeviceGetName(char* name, int length, CUdevice device) {
    DEVICE(device);
    std::strncpy(name, "Atrous software device", static_cast<size_t>(length));
    name[length - 1] = 0;
    return CUDA_SUCCESS;
}

DRIVER_API cuDeviceGetUuid_v2(unsigned char* uuid, CUdevice device) {
    DEVICE(device);
    std::memcpy(uuid, "atrous-software0", 16);
    uuid[15] = static_cast<unsigned char>(uuid[15] + device);
    return CUDA_SUCCESS;
}

DRIVER_API cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    DEVICE(device);
    *bytes = TOTAL_MEMORY;
    return CUDA_SUCCESS;
}

DRIVER_API cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
    DEVICE(device);
    switch (attribute) {
        case 1:
            *value = MAX_THREADS_PER_BLOCK;
            break;
        case 5:
            *value = 0x7FFFFFFF;
            break;  // grid x, then y and z
        case 6:
        case 7:
            *value = 65535;
            break;
        case 8:
            *value = SHARED_PER_BLOCK;
            break;
        case 10:
            *value = 32;
            break;
        case 13:
            *value = 1000000;
            break;  // kHz, of a device that has no clock
        case 16:
            *value = 1;
            break;
        case 36:
            *value = 1000000;
            break;
        case 37:
            *value = 64;
            break;
        case 38:
            *value = 1 << 20;
            break;
        case 39:
            *value = 2048;
            break;
        case 75:
            *value = capability() / 10;
            break;
        case 76:
            *value = capability() % 10;
            break;
        case 97:
            *value = SHARED_PER_BLOCK_OPTIN;
            break;
        case 115:
            *value = 1;
            break;
        default:
            return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

DRIVER_API cuDevicePrimaryCtxRetain(Context** context, CUdevice device) {
    DEVICE(device);
    Context& own = primary(device);
    std::lock_guard lock(own.mutex);
    if (own.retained++ == 0) count(ATROUS_DEVICE_CONTEXTS, 1);
    *context = &own;
    return CUDA_SUCCESS;
}

DRIVER_API cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    if (device < 0 || device >= MOST_DEVICES) return CUDA_ERROR_INVALID_DEVICE;
    Context& own = primary(device);
    std::lock_guard lock(own.mutex);
    if (own.retained == 0) return CUDA_ERROR_INVALID_CONTEXT;
    if (--own.retained == 0) {
        drain_all(device);
        count(ATROUS_DEVICE_CONTEXTS, -1);
    }
    return released(CUDA_SUCCESS);
}

DRIVER_API cuCtxSetCurrent(Context* context) {
    INITIALIZED();
    if (context != nullptr && !alive(context)) return CUDA_ERROR_INVALID_CONTEXT;
    if (!current.empty()) current.pop_back();
    if (context != nullptr) current.push_back(context);
    return CUDA_SUCCESS;
}

DRIVER_API cuCtxGetCurrent(Context** context) {
    INITIALIZED();
    *context = current.empty() ? nullptr : current.back();
    return CUDA_SUCCESS;
}

DRIVER_API cuCtxGetDevice(CUdevice* device) {
    INITIALIZED();
    if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    *device = current_device();
    return CUDA_SUCCESS;
}

DRIVER_API cuCtxPushCurrent_v2(Context* context) {
    INITIALIZED();
    if (!alive(context)) return CUDA_ERROR_INVALID_CONTEXT;
    current.push_back(context);
    return CUDA_SUCCESS;
}

DRIVER_API cuCtxPopCurrent_v2(Context** context) {
    if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    *context = current.back();
    current.pop_back();
    return released(CUDA_SUCCESS);
}

DRIVER_API cuCtxSynchronize() {
    RELEASING();
    if (CUresult refused = refuse_during_capture(); refused != CUDA_SUCCESS) return refused;
    arrive_late();
    drain_all(current_device());
    return released(sticky());
}
