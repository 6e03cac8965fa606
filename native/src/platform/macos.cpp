#if defined(__APPLE__)

#include <mach/mach.h>
#include <sys/sysctl.h>

#include "platform/platform.h"

namespace atrous::platform {

// Threads are not bound to cores there.
int usable_cores() {
    return 0;
}

// Of 16 KiB at least as they are; there is no advice to give.
void prefer_huge_pages(void*, size_t) {}

int64_t available_memory() {
    vm_statistics64_data_t pages{};
    mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
    if (host_statistics64(mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages), &count) !=
        KERN_SUCCESS)
        return unknown_memory;
    const int64_t free = int64_t{pages.free_count} + pages.inactive_count + pages.purgeable_count;
    return free * static_cast<int64_t>(vm_kernel_page_size);
}

bool has_arm_bf16_and_i8mm() {
    for (const char* feature : {"hw.optional.arm.FEAT_BF16", "hw.optional.arm.FEAT_I8MM"}) {
        int has = 0;
        size_t size = sizeof(has);
        if (sysctlbyname(feature, &has, &size, nullptr, 0) != 0 || has == 0) return false;
    }
    return true;
}

}  // namespace atrous::platform

#endif
