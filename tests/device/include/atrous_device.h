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

// What a real device may refuse or do late, and this one does only when it is told to: bits of atrous_device_be_strict,
// names in the environment variable ATROUS_DEVICE_STRICT ("doubles,order", or "all" for those before WRONG_RUNS).
enum atrous_device_strictness : unsigned {
    // cuDNN takes the numbers of pointwise operations as doubles only.
    ATROUS_STRICT_DOUBLES = 1 << 0,
    // Engines that are not compiled take a residual before a bias only.
    ATROUS_STRICT_ORDER = 1 << 1,
    // Engine 1 takes packed tensors only.
    ATROUS_STRICT_SLICES = 1 << 2,
    // Nothing is fused without tensor cores.
    ATROUS_STRICT_FP32 = 1 << 3,
    // cuBLASLt wants addresses and leading dimensions as aligned as it was promised, and a bias when it is asked.
    ATROUS_STRICT_ALIGNMENT = 1 << 4,
    // Heuristics of mode A fail for fused graphs.
    ATROUS_STRICT_HEURISTICS = 1 << 5,
    // Plans that are compiled take a while.
    ATROUS_STRICT_SLOW_PLANS = 1 << 6,
    // Plans that are compiled fail to be.
    ATROUS_STRICT_COMPILER = 1 << 7,
    // Copies from pageable memory arrive when the default stream is waited for.
    ATROUS_STRICT_LATE_COPIES = 1 << 8,
    // Heuristics begin with an engine that computes something else, and says so in its notes.
    ATROUS_STRICT_NOTES = 1 << 9,
    // Plans as JSON hold bytes that are no text, and end with a zero.
    ATROUS_STRICT_JSON = 1 << 10,
    // Engine 2 and the first algorithm of cuBLASLt are planned, but fail when they are run.
    ATROUS_STRICT_WRONG_RUNS = 1 << 11,
    // Engine 1 cannot be captured.
    ATROUS_STRICT_CAPTURE = 1 << 12,
    // What a graph may run in any order, it runs in the one that was not recorded: of all nodes that wait for nothing
    // more, the last.
    ATROUS_STRICT_BRANCHES = 1 << 13,
    // There is no compiler: plans that are compiled are refused as what lacks a library is, which is not as what fails.
    ATROUS_STRICT_NO_COMPILER = 1 << 14,
    // A part of cuDNN is not there: heuristics of mode B, and plans that are compiled, are refused for it.
    ATROUS_STRICT_NO_PART = 1 << 15,
    // A capture has one stream: none joins it.
    ATROUS_STRICT_ONE_STREAM = 1 << 16,
    // A handle of cuDNN's is not captured before it has run, nor in two streams of a capture.
    ATROUS_STRICT_HANDLES = 1 << 17,
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

ATROUS_DEVICE_EXPORT void atrous_device_be_strict(unsigned bits);
ATROUS_DEVICE_EXPORT bool atrous_device_is_strict(unsigned bit);
// The number of the capture that work put into a stream becomes a part of; 0 where it is run.
ATROUS_DEVICE_EXPORT uint64_t atrous_device_capture_of(void* stream);
// The n-th call from now of an entry point that can fail, of all three libraries together, fails; 0 for none. A call
// that waits or frees does so first.
ATROUS_DEVICE_EXPORT void atrous_device_fail_call(int nth);
// Counts a call; whether it is the one that fails.
ATROUS_DEVICE_EXPORT bool atrous_device_call_fails(void);
// Whether that call was reached, or none is to fail.
ATROUS_DEVICE_EXPORT bool atrous_device_has_failed(void);
// What the device says its compute capability is, times 10; 0 for its own.
ATROUS_DEVICE_EXPORT void atrous_device_set_capability(int capability);
// How many devices there are; 0 for what the environment variable ATROUS_DEVICE_COUNT says, or one.
ATROUS_DEVICE_EXPORT void atrous_device_set_count(int count);
// A device is lost after so many pieces of its work; -1 for none. In the environment: ATROUS_DEVICE_LOSE=1:500.
ATROUS_DEVICE_EXPORT void atrous_device_lose(int device, int after);

// The n-th allocation from now fails with "out of memory"; 0 for none.
ATROUS_DEVICE_EXPORT void atrous_device_fail_allocation(int nth);
// The next module fails to compile with this log; null for none.
ATROUS_DEVICE_EXPORT void atrous_device_fail_jit(const char* log);
// What cuDriverGetVersion says; 0 for its own.
ATROUS_DEVICE_EXPORT void atrous_device_set_driver_version(int version);
// Every work item first waits so long: makes a missing wait visible.
ATROUS_DEVICE_EXPORT void atrous_device_set_delay(int microseconds);
