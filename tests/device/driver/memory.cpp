#include "memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <sstream>

#include "context.h"
#include "faults.h"

namespace device {
namespace {

constexpr size_t GUARD = 512, ALIGNMENT = 512, QUARANTINE = size_t{16} << 20;
constexpr unsigned char GUARD_BYTE = 0xA5, FRESH_BYTE = 0xFF, FREED_BYTE = 0xDD;

struct Allocation {
    unsigned char* start;
    size_t bytes;
    Memory kind;
    bool pooled;
    int device;

    size_t padded() const { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }
    bool holds(uintptr_t address) const {
        auto first = reinterpret_cast<uintptr_t>(start);
        return address >= first && address < first + bytes;
    }
};

struct Registry {
    std::mutex mutex;
    std::map<uintptr_t, Allocation> live;
    std::deque<Allocation> freed;
    size_t freed_bytes = 0, used = 0;
    uint64_t pool_used = 0, pool_peak = 0;
};

// Never destroyed: worker threads may outlive it.
Registry& registry() {
    static auto& instance = *new Registry;
    return instance;
}

const Allocation* find(const Registry& all, uintptr_t address) {
    auto next = all.live.upper_bound(address);
    if (next == all.live.begin()) return nullptr;
    const Allocation& candidate = std::prev(next)->second;
    return candidate.holds(address) ? &candidate : nullptr;
}

bool all_bytes(const unsigned char* start, size_t bytes, unsigned char value) {
    return bytes == 0 || (start[0] == value && std::memcmp(start, start + 1, bytes - 1) == 0);
}

std::string range(const void* start, size_t bytes) {
    std::ostringstream text;
    text << "[" << start << ", +" << bytes << ")";
    return text.str();
}

// Repairs what it reports, so that one mistake is one report.
bool verify_guards(const Allocation& block) {
    size_t tail = GUARD + block.padded() - block.bytes;
    bool before = all_bytes(block.start - GUARD, GUARD, GUARD_BYTE);
    bool after = all_bytes(block.start + block.bytes, tail, GUARD_BYTE);
    if (!before) report("something wrote before the start of " + range(block.start, block.bytes));
    if (!after) report("something wrote past the end of " + range(block.start, block.bytes));
    std::memset(block.start - GUARD, GUARD_BYTE, GUARD);
    std::memset(block.start + block.bytes, GUARD_BYTE, tail);
    return before && after;
}

bool verify_freed(const Allocation& block) {
    bool good = all_bytes(block.start, block.bytes, FREED_BYTE);
    if (!good) report("something wrote to freed memory " + range(block.start, block.bytes));
    std::memset(block.start, FREED_BYTE, block.bytes);
    return good;
}

}  // namespace

void* allocate(size_t bytes, Memory kind, bool pooled) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    if (kind == Memory::DEVICE && (bytes > TOTAL_MEMORY || all.used + bytes > TOTAL_MEMORY)) return nullptr;
    Allocation block{nullptr, bytes, kind, pooled, current_device()};
    auto* base = static_cast<unsigned char*>(std::aligned_alloc(ALIGNMENT, block.padded() + 2 * GUARD));
    if (base == nullptr) return nullptr;
    block.start = base + GUARD;
    std::memset(base, GUARD_BYTE, GUARD);
    std::memset(block.start, FRESH_BYTE, bytes);
    std::memset(block.start + bytes, GUARD_BYTE, GUARD + block.padded() - bytes);
    all.live.emplace(reinterpret_cast<uintptr_t>(block.start), block);
    if (kind == Memory::DEVICE) {
        all.used += bytes;
        count(ATROUS_DEVICE_MEMORY_BYTES, static_cast<int64_t>(bytes));
    }
    count(kind == Memory::DEVICE ? ATROUS_DEVICE_ALLOCATIONS : ATROUS_DEVICE_HOST_ALLOCATIONS, 1);
    if (pooled) all.pool_peak = std::max(all.pool_peak, all.pool_used += bytes);
    return block.start;
}

bool release(const void* start, Memory kind) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    auto entry = all.live.find(reinterpret_cast<uintptr_t>(start));
    if (entry == all.live.end() || entry->second.kind != kind) return false;
    Allocation block = entry->second;
    verify_guards(block);
    all.live.erase(entry);
    if (kind == Memory::DEVICE) {
        all.used -= block.bytes;
        count(ATROUS_DEVICE_MEMORY_BYTES, -static_cast<int64_t>(block.bytes));
    }
    count(kind == Memory::DEVICE ? ATROUS_DEVICE_ALLOCATIONS : ATROUS_DEVICE_HOST_ALLOCATIONS, -1);
    if (block.pooled) all.pool_used -= block.bytes;
    std::memset(block.start, FREED_BYTE, block.bytes);
    all.freed.push_back(block);
    all.freed_bytes += block.bytes;
    while (all.freed_bytes > QUARANTINE) {
        Allocation oldest = all.freed.front();
        all.freed.pop_front();
        all.freed_bytes -= oldest.bytes;
        verify_freed(oldest);
        std::free(oldest.start - GUARD);
    }
    return true;
}

bool exists(const void* start, Memory kind) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    auto entry = all.live.find(reinterpret_cast<uintptr_t>(start));
    return entry != all.live.end() && entry->second.kind == kind;
}

bool in_device_memory(const void* start, size_t bytes) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    auto first = reinterpret_cast<uintptr_t>(start);
    const Allocation* block = find(all, first);
    return block != nullptr && block->kind == Memory::DEVICE && block->device == current_device() &&
           bytes <= block->bytes - (first - reinterpret_cast<uintptr_t>(block->start));
}

bool device_allocation(const void* address, int* device, uint64_t* start, uint64_t* bytes) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const Allocation* block = find(all, reinterpret_cast<uintptr_t>(address));
    if (block == nullptr || block->kind != Memory::DEVICE) return false;
    *device = block->device;
    *start = reinterpret_cast<uint64_t>(block->start);
    *bytes = block->bytes;
    return true;
}

bool usable_on_host(const void* start, size_t bytes) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    auto first = reinterpret_cast<uintptr_t>(start);
    for (const Allocation& block : all.freed)
        if (block.holds(first)) return false;
    const Allocation* block = find(all, first);
    return block == nullptr || (block->kind == Memory::PINNED &&
                                bytes <= block->bytes - (first - reinterpret_cast<uintptr_t>(block->start)));
}

bool was_freed(const void* address) {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    return std::any_of(all.freed.begin(), all.freed.end(),
                       [&](const Allocation& block) { return block.holds(reinterpret_cast<uintptr_t>(address)); });
}

std::string describe(const void* start, size_t bytes) {
    std::string text = range(start, bytes);
    if (was_freed(start)) return text + ", which was freed";
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const Allocation* block = find(all, reinterpret_cast<uintptr_t>(start));
    return text + (block == nullptr ? ", which was never allocated"
                                    : ", of the allocation " + range(block->start, block->bytes));
}

size_t used_device_memory() {
    std::lock_guard lock(registry().mutex);
    return registry().used;
}

uint64_t used_pool_memory() {
    std::lock_guard lock(registry().mutex);
    return registry().pool_used;
}

uint64_t peak_pool_memory() {
    std::lock_guard lock(registry().mutex);
    return registry().pool_peak;
}

bool verify_live_memory() {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    bool good = true;
    for (const auto& [address, block] : all.live) good &= verify_guards(block);
    return good;
}

bool verify_memory() {
    bool good = verify_live_memory();
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    for (const Allocation& block : all.freed) good &= verify_freed(block);
    return good;
}

}  // namespace device

bool atrous_device_in_range(const void* start, size_t bytes, const char* what) {
    if (device::in_device_memory(start, bytes)) return true;
    device::report(std::string(what) + " is outside device memory: " + device::describe(start, bytes));
    return false;
}
