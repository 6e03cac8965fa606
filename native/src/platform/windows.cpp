#if defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#define _WIN32_WINNT 0x0A00
#define PSAPI_VERSION 2
#include <windows.h>

// After windows.h, which it needs.
#include <psapi.h>

#include <algorithm>
#include <bit>

#include "platform/platform.h"

namespace atrous::platform {

namespace {

int64_t left_in_job() {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION job{};
    PROCESS_MEMORY_COUNTERS_EX own{};
    own.cb = sizeof(own);
    if (!QueryInformationJobObject(nullptr, JobObjectExtendedLimitInformation, &job, sizeof(job), nullptr) ||
        !GetProcessMemoryInfo(GetCurrentProcess(), reinterpret_cast<PROCESS_MEMORY_COUNTERS*>(&own), sizeof(own)))
        return unknown_memory;
    int64_t limit = unknown_memory;
    const DWORD flags = job.BasicLimitInformation.LimitFlags;
    if (flags & JOB_OBJECT_LIMIT_PROCESS_MEMORY) limit = static_cast<int64_t>(job.ProcessMemoryLimit);
    // The job's other processes count too, but the system does not tell how much they have.
    if (flags & JOB_OBJECT_LIMIT_JOB_MEMORY) limit = std::min(limit, static_cast<int64_t>(job.JobMemoryLimit));
    return limit == unknown_memory ? limit : std::max<int64_t>(limit - static_cast<int64_t>(own.PrivateUsage), 0);
}

}  // namespace

int usable_cores() {
    DWORD_PTR own = 0, all = 0;
    // Of a process in several groups of 64 cores, which may run on any, the masks are 0.
    if (!GetProcessAffinityMask(GetCurrentProcess(), &own, &all)) return 0;
    return own != 0 ? std::popcount(static_cast<uint64_t>(own))
                    : static_cast<int>(GetActiveProcessorCount(ALL_PROCESSOR_GROUPS));
}

// Large pages need a privilege that hardly a user has.
void prefer_huge_pages(void*, size_t) {}

int64_t available_memory() {
    MEMORYSTATUSEX status{};
    status.dwLength = sizeof(status);
    if (!GlobalMemoryStatusEx(&status)) return left_in_job();
    // Windows promises no memory that it does not have: what is left to promise counts as well.
    const auto left = static_cast<int64_t>(std::min(status.ullAvailPhys, status.ullAvailPageFile));
    return std::min(left, left_in_job());
}

bool has_arm_bf16_and_i8mm() {
#if defined(__aarch64__)
    // PF_ARM_V82_I8MM_INSTRUCTIONS_AVAILABLE and PF_ARM_V86_BF16_INSTRUCTIONS_AVAILABLE, which older headers lack.
    constexpr DWORD arm_v82_i8mm = 66, arm_v86_bf16 = 68;
    return IsProcessorFeaturePresent(arm_v82_i8mm) != 0 && IsProcessorFeaturePresent(arm_v86_bf16) != 0;
#else
    return false;
#endif
}

}  // namespace atrous::platform

#endif
