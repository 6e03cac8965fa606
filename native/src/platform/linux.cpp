#if defined(__linux__)

#include <dlfcn.h>
#include <link.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>

#include "platform/platform.h"

namespace atrous::platform {

namespace {

// The number after key in a file of "key number" lines, or the file's first number for an empty key; unknown when the
// file, the key or the number is missing ("max" in a control group without a limit).
int64_t number_in(const char* path, const char* key) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "re"), std::fclose);
    if (file == nullptr) return unknown_memory;
    char word[64];
    bool found = *key == '\0';
    while (!found && std::fscanf(file.get(), "%63s", word) == 1) found = std::strcmp(word, key) == 0;
    int64_t number = 0;
    return found && std::fscanf(file.get(), "%" SCNd64, &number) == 1 ? number : unknown_memory;
}

int64_t left_in_control_group() {
    const int64_t limit = number_in("/sys/fs/cgroup/memory.max", "");
    const int64_t used = number_in("/sys/fs/cgroup/memory.current", "");
    if (limit == unknown_memory || used == unknown_memory) return unknown_memory;
    const int64_t cache = number_in("/sys/fs/cgroup/memory.stat", "inactive_file");
    return std::max<int64_t>(limit - used + (cache == unknown_memory ? 0 : cache), 0);
}

}  // namespace

int usable_cores() {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 0;
}

void prefer_huge_pages(void* data, size_t bytes) {
    ::madvise(data, bytes, MADV_HUGEPAGE);
}

int64_t available_memory() {
    const int64_t kibibytes = number_in("/proc/meminfo", "MemAvailable:");
    return std::min(kibibytes == unknown_memory ? unknown_memory : kibibytes * 1024, left_in_control_group());
}

bool has_arm_bf16_and_i8mm() {
#if defined(__aarch64__)
    constexpr unsigned long both = 1ul << 13 | 1ul << 14;  // HWCAP2_I8MM and _BF16, which older headers lack
    return (getauxval(AT_HWCAP2) & both) == both;
#else
    return false;
#endif
}

}  // namespace atrous::platform

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)

// The compiler's library, which is linked in, asks glibc 2.35 where the unwind table for an address is. An older glibc
// can be asked as well, by another name: this stands in for the newer one, in libatrous alone.
extern "C" [[gnu::visibility("hidden")]] int _dl_find_object(void* address, dl_find_object* result) noexcept {
    struct search {
        ElfW(Addr) address;
        dl_find_object* result;
    } wanted{reinterpret_cast<ElfW(Addr)>(address), result};
    const auto look = [](dl_phdr_info* object, size_t, void* opaque) {
        const auto& [address, result] = *static_cast<search*>(opaque);
        const ElfW(Phdr)* code = nullptr, *table = nullptr;
        for (int i = 0; i < object->dlpi_phnum; ++i) {
            const ElfW(Phdr)& part = object->dlpi_phdr[i];
            if (part.p_type == PT_GNU_EH_FRAME) table = &part;
            if (part.p_type == PT_LOAD && address - object->dlpi_addr - part.p_vaddr < part.p_memsz) code = &part;
        }
        if (code == nullptr || table == nullptr) return 0;
        result->dlfo_eh_frame = reinterpret_cast<void*>(object->dlpi_addr + table->p_vaddr);
        return 1;
    };
    return dl_iterate_phdr(look, &wanted) == 1 ? 0 : -1;
}

#endif

#endif
