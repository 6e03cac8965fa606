#include <cstring>
#include <mutex>
#include <vector>

#include "context.h"
#include "faults.h"
#include "memory.h"
#include "objects.h"
#include "stream.h"

using namespace device;

// A stream's handle: null is the default stream, anything else must be alive. Keeps it so for the call.
#define STREAM(handle)                                             \
    READY();                                                       \
    std::shared_ptr<Stream> alive = Objects<Stream>::find(handle); \
    if ((handle) != nullptr && (!alive || is_foreign(alive->device))) return CUDA_ERROR_INVALID_HANDLE

namespace {

uint64_t pool_threshold = 0;
int the_pool;

const void* at(CUdeviceptr address) {
    return reinterpret_cast<const void*>(address);
}
void* writable(CUdeviceptr address) {
    return reinterpret_cast<void*>(address);
}

CUresult allocate_device(CUdeviceptr* address, size_t bytes, bool pooled) {
    if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    void* memory = allocation_fails() ? nullptr : allocate(bytes, Memory::DEVICE, pooled);
    if (memory == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
    *address = reinterpret_cast<CUdeviceptr>(memory);
    return CUDA_SUCCESS;
}

bool refuse(const std::string& what, const void* start, size_t bytes) {
    report(what + " is out of bounds: " + describe(start, bytes));
    return false;
}

bool device_range(const char* what, CUdeviceptr address, size_t bytes) {
    return in_device_memory(at(address), bytes) || refuse(what, at(address), bytes);
}

bool host_range(const char* what, const void* start, size_t bytes) {
    return usable_on_host(start, bytes) || refuse(what, start, bytes);
}

enum class Side { HOST, DEVICE };

// Checked when it is put into the stream, as the driver does, and again when it runs: memory may be freed in between.
CUresult copy(const char* name, Stream* stream, void* to, Side to_side, const void* from, Side from_side,
              size_t bytes) {
    auto reachable = [=] {
        auto good = [&](Side side, const void* start) {
            return side == Side::DEVICE ? device_range(name, reinterpret_cast<CUdeviceptr>(start), bytes)
                                        : host_range(name, start, bytes);
        };
        return good(to_side, to) && good(from_side, from);
    };
    if (bytes == 0) return CUDA_SUCCESS;
    if (!reachable()) return CUDA_ERROR_INVALID_VALUE;
    return submit(stream, {NodeKind::COPY, name, [=] {
                               if (!reachable()) return CUDA_ERROR_ILLEGAL_ADDRESS;
                               std::memmove(to, from, bytes);
                               return CUDA_SUCCESS;
                           }});
}

CUresult fill(const char* name, Stream* stream, CUdeviceptr address, uint32_t value, size_t width, size_t count) {
    size_t bytes = width * count;
    if (address % width != 0 || !device_range(name, address, bytes)) return CUDA_ERROR_INVALID_VALUE;
    return submit(stream, {NodeKind::FILL, name, [=] {
                               if (!device_range(name, address, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
                               auto* to = static_cast<unsigned char*>(writable(address));
                               for (size_t i = 0; i < count; ++i) std::memcpy(to + i * width, &value, width);
                               return CUDA_SUCCESS;
                           }});
}

// Copies that have returned, but whose bytes are not there yet.
struct LateCopy {
    CUdeviceptr to;
    std::vector<char> bytes;
};
std::mutex late_mutex;
std::vector<LateCopy>& late_copies() {
    static auto& copies = *new std::vector<LateCopy>;
    return copies;
}

CUresult copy_late(CUdeviceptr to, const void* from, size_t bytes) {
    if (!device_range("cuMemcpyHtoD", to, bytes) || !host_range("cuMemcpyHtoD", from, bytes))
        return CUDA_ERROR_INVALID_VALUE;
    auto* first = static_cast<const char*>(from);
    std::lock_guard lock(late_mutex);
    late_copies().push_back({to, {first, first + bytes}});
    return CUDA_SUCCESS;
}

// A synchronous call is in the default stream's order and waits; strict captures forbid it.
CUresult finish(CUresult submitted) {
    return submitted == CUDA_SUCCESS ? sticky() : submitted;
}

}  // namespace

void device::arrive_late() {
    std::lock_guard lock(late_mutex);
    for (const LateCopy& copy : late_copies())
        if (in_device_memory(at(copy.to), copy.bytes.size()))
            std::memcpy(writable(copy.to), copy.bytes.data(), copy.bytes.size());
    late_copies().clear();
}

DRIVER_API cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    READY();
    if (CUresult refused = refuse_during_capture(); refused != CUDA_SUCCESS) return refused;
    return allocate_device(address, bytes, false);
}

DRIVER_API cuMemFree_v2(CUdeviceptr address) {
    RELEASING();
    if (CUresult refused = refuse_during_capture(); refused != CUDA_SUCCESS) return refused;
    arrive_late();
    return freed(address == 0 || release(at(address), Memory::DEVICE) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE);
}

DRIVER_API cuMemAllocAsync(CUdeviceptr* address, size_t bytes, Stream* stream) {
    STREAM(stream);
    // A real driver makes an allocation node; nobody here needs one.
    if (capture_status(stream) != NONE) return CUDA_ERROR_NOT_SUPPORTED;
    return allocate_device(address, bytes, true);
}

DRIVER_API cuMemFreeAsync(CUdeviceptr address, Stream* stream) {
    STREAM(stream);
    if (capture_status(stream) != NONE) return CUDA_ERROR_NOT_SUPPORTED;
    if (!exists(at(address), Memory::DEVICE)) return CUDA_ERROR_INVALID_VALUE;
    return submit(stream, {NodeKind::FILL, "cuMemFreeAsync", [=] {
                               return release(at(address), Memory::DEVICE) ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS;
                           }});
}

DRIVER_API cuMemGetInfo_v2(size_t* free, size_t* total) {
    READY();
    *total = TOTAL_MEMORY;
    *free = TOTAL_MEMORY - used_device_memory();
    return CUDA_SUCCESS;
}

DRIVER_API cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) {
    READY();
    if (CUresult refused = refuse_during_capture(); refused != CUDA_SUCCESS) return refused;
    if (bytes == 0 || flags > 7) return CUDA_ERROR_INVALID_VALUE;
    *memory = allocation_fails() ? nullptr : allocate(bytes, Memory::PINNED, false);
    return *memory == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

DRIVER_API cuMemFreeHost(void* memory) {
    RELEASING();
    if (CUresult refused = refuse_during_capture(); refused != CUDA_SUCCESS) return refused;
    return freed(release(memory, Memory::PINNED) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE);
}

DRIVER_API cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
    READY();
    if (CUresult refused = refuse_during_capture(); refused != CUDA_SUCCESS) return refused;
    if (atrous_device_is_strict(ATROUS_STRICT_LATE_COPIES)) return copy_late(to, from, bytes);
    return finish(copy("cuMemcpyHtoD", nullptr, writable(to), Side::DEVICE, from, Side::HOST, bytes));
}

DRIVER_API cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
    READY();
    if (CUresult refused = refuse_during_capture(); refused != CUDA_SUCCESS) return refused;
    return finish(copy("cuMemcpyDtoH", nullptr, to, Side::HOST, at(from), Side::DEVICE, bytes));
}

DRIVER_API cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, Stream* stream) {
    STREAM(stream);
    return copy("cuMemcpyHtoDAsync", stream, writable(to), Side::DEVICE, from, Side::HOST, bytes);
}

DRIVER_API cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, Stream* stream) {
    STREAM(stream);
    return copy("cuMemcpyDtoHAsync", stream, to, Side::HOST, at(from), Side::DEVICE, bytes);
}

DRIVER_API cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, Stream* stream) {
    STREAM(stream);
    return copy("cuMemcpyDtoDAsync", stream, writable(to), Side::DEVICE, at(from), Side::DEVICE, bytes);
}

// CUDA_MEMCPY2D, of which only device memory is taken here.
struct Copy2D {
    struct Side {
        size_t x, y;
        int type;
        void* host;
        CUdeviceptr device;
        void* array;
        size_t pitch;
    };
    Side from, to;
    size_t width, height;
};

DRIVER_API cuMemcpy2DAsync_v2(const Copy2D* given, Stream* stream) {
    STREAM(stream);
    constexpr int DEVICE = 2;
    Copy2D c = *given;
    if (c.from.type != DEVICE || c.to.type != DEVICE || c.width > c.from.pitch || c.width > c.to.pitch ||
        c.from.x != 0 || c.from.y != 0 || c.to.x != 0 || c.to.y != 0)
        return CUDA_ERROR_INVALID_VALUE;
    if (c.width == 0 || c.height == 0) return CUDA_SUCCESS;
    auto reachable = [c] {
        return device_range("cuMemcpy2DAsync", c.from.device, c.from.pitch * (c.height - 1) + c.width) &&
               device_range("cuMemcpy2DAsync", c.to.device, c.to.pitch * (c.height - 1) + c.width);
    };
    if (!reachable()) return CUDA_ERROR_INVALID_VALUE;
    return submit(stream, {NodeKind::COPY, "cuMemcpy2DAsync", [c, reachable] {
                               if (!reachable()) return CUDA_ERROR_ILLEGAL_ADDRESS;
                               auto* to = static_cast<unsigned char*>(writable(c.to.device));
                               auto* from = static_cast<const unsigned char*>(at(c.from.device));
                               for (size_t y = 0; y < c.height; ++y)
                                   std::memcpy(to + y * c.to.pitch, from + y * c.from.pitch, c.width);
                               return CUDA_SUCCESS;
                           }});
}

DRIVER_API cuPointerGetAttribute(void* value, int attribute, CUdeviceptr address) {
    READY();
    enum Attribute : int { DEVICE_ORDINAL = 9, RANGE_START = 11, RANGE_SIZE = 12 };
    int device;
    uint64_t start, bytes;
    if (!device_allocation(at(address), &device, &start, &bytes)) return CUDA_ERROR_INVALID_VALUE;
    switch (attribute) {
        case DEVICE_ORDINAL:
            std::memcpy(value, &device, sizeof device);
            return CUDA_SUCCESS;
        case RANGE_START:
            std::memcpy(value, &start, sizeof start);
            return CUDA_SUCCESS;
        case RANGE_SIZE:
            std::memcpy(value, &bytes, sizeof bytes);
            return CUDA_SUCCESS;
        default:
            return CUDA_ERROR_INVALID_VALUE;
    }
}

DRIVER_API cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, Stream* stream) {
    STREAM(stream);
    return fill("cuMemsetD8Async", stream, to, value, 1, count);
}

DRIVER_API cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, Stream* stream) {
    STREAM(stream);
    return fill("cuMemsetD32Async", stream, to, value, 4, count);
}

DRIVER_API cuDeviceGetDefaultMemPool(int** pool, CUdevice number) {
    if (number < 0 || number >= device_count()) return CUDA_ERROR_INVALID_DEVICE;
    *pool = &the_pool;
    return initialized();
}

DRIVER_API cuMemPoolSetAttribute(int* pool, int attribute, void* value) {
    if (pool != &the_pool || attribute != 4) return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(&pool_threshold, value, 8);
    return CUDA_SUCCESS;
}

DRIVER_API cuMemPoolGetAttribute(int* pool, int attribute, void* value) {
    if (pool != &the_pool) return CUDA_ERROR_INVALID_VALUE;
    uint64_t number;
    switch (attribute) {
        case 4:
            number = pool_threshold;
            break;
        case 5:
        case 7:
            number = used_pool_memory();
            break;
        case 8:
            number = peak_pool_memory();
            break;
        default:
            return CUDA_ERROR_INVALID_VALUE;
    }
    std::memcpy(value, &number, 8);
    return CUDA_SUCCESS;
}

DRIVER_API cuMemPoolTrimTo(int* pool, size_t) {
    // Nothing is kept, so there is nothing to give back.
    return pool == &the_pool ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
