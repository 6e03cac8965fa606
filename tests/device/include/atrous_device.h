// Entry points of the software device that no real driver has: for its own cuDNN and cuBLASLt, and for the tests.
#pragma once
#include <cstddef>
#include <cstdint>

#define ATROUS_DEVICE_EXPORT extern "C" __attribute__((visibility("default")))

// What a live object is counted as.
enum atrous_device_object : int {
    ATROUS_DEVICE_MEMORY_BYTES = 0,
    ATROUS_DEVICE_ALLOCATIONS = 1,
    ATROUS_DEVICE_HOST_ALLOCATIONS = 2,
    ATROUS_DEVICE_STREAMS = 3,
    ATROUS_DEVICE_EVENTS = 4,
    ATROUS_DEVICE_MODULES = 5,
    ATROUS_DEVICE_GRAPHS = 6,
    ATROUS_DEVICE_GRAPH_EXECS = 7,
    ATROUS_DEVICE_CONTEXTS = 8,
    ATROUS_DEVICE_LIBRARY_OBJECTS = 9,
};

// Work for a stream: run once it is its turn (again at every launch if it was captured), drop when nothing refers to
// it. run returns false after it has told what was wrong through atrous_device_report_error.
struct atrous_device_work {
    bool (*run)(void* state);
    void (*drop)(void* state);
    void* state;
};

// 0, or the CUresult that the driver would give.
ATROUS_DEVICE_EXPORT int atrous_device_submit(void* stream, const char* label, const atrous_device_work* work);

// Whether all of [start, start + bytes) is live device memory; if not, a report says so.
ATROUS_DEVICE_EXPORT bool atrous_device_in_range(const void* start, size_t bytes, const char* what);
ATROUS_DEVICE_EXPORT void atrous_device_report_error(const char* text);
// A descriptor or handle of cuDNN's or cuBLASLt's came or went.
ATROUS_DEVICE_EXPORT void atrous_device_count_library_object(int change);

ATROUS_DEVICE_EXPORT int64_t atrous_device_live(int object);
// Work items run so far.
ATROUS_DEVICE_EXPORT int64_t atrous_device_executed(void);
// Verifies every guard zone and everything freed; returns how many reports there are since the last reset.
ATROUS_DEVICE_EXPORT int atrous_device_check(void);
// The reports as text, a line each; returns its length.
ATROUS_DEVICE_EXPORT size_t atrous_device_reports(char* text, size_t capacity);
// Forgets reports, the sticky error and every injected fault.
ATROUS_DEVICE_EXPORT void atrous_device_reset(void);

// Adds the kernels of a library (native/cuda's host library) to those that modules can name. Returns how many, -1 when
// it has none.
ATROUS_DEVICE_EXPORT int atrous_device_load_kernels(const char* path);

// The n-th allocation from now fails with "out of memory"; 0 for none.
ATROUS_DEVICE_EXPORT void atrous_device_fail_allocation(int nth);
// The next module fails to compile with this log; null for none.
ATROUS_DEVICE_EXPORT void atrous_device_fail_jit(const char* log);
// What cuDriverGetVersion says; 0 for its own.
ATROUS_DEVICE_EXPORT void atrous_device_set_driver_version(int version);
// Every work item first waits so long: makes a missing wait visible.
ATROUS_DEVICE_EXPORT void atrous_device_set_delay(int microseconds);
