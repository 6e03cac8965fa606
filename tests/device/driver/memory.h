// Device and pinned memory: host memory between guard zones, in one registry that knows every address.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace device {

enum class Memory { DEVICE, PINNED };

// 512-byte aligned, filled with a pattern that reads as NaN in every float format; null when there is no more.
void* allocate(size_t bytes, Memory kind, bool pooled);
// False when it is no live start of this kind. Freed memory is filled and kept for a while, to see who still uses it.
bool release(const void* start, Memory kind);
bool exists(const void* start, Memory kind);

// Whether [start, start + bytes) lies in one live allocation of the current device's memory.
bool in_device_memory(const void* start, size_t bytes);
// The allocation of device memory that an address lies in; false where there is none.
bool device_allocation(const void* address, int* device, uint64_t* start, uint64_t* bytes);
// Whether it may be read and written on the host: pinned memory that is live, or memory this registry never saw.
bool usable_on_host(const void* start, size_t bytes);
// Whether an address lies in memory that was freed.
bool was_freed(const void* address);
// "[0x..., +bytes)" and what is known about it.
std::string describe(const void* start, size_t bytes);

size_t used_device_memory();
uint64_t used_pool_memory();
uint64_t peak_pool_memory();

// Reports every write past an end, before a start, or after a free. True when there was none.
bool verify_memory();
// The same of what is alive: what was freed is many times as much, and is verified before it goes back.
bool verify_live_memory();

}  // namespace device
