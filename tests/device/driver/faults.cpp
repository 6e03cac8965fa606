#include "faults.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "context.h"
#include "memory.h"

namespace device {
namespace {

std::array<std::atomic<int64_t>, 10> live_counts{};
std::atomic<int64_t> executed_count{0};
std::array<std::atomic<int>, MOST_DEVICES> sticky_errors{};
std::atomic<int> allocations_until_failure{0}, version{0}, delay{0}, calls_until_failure{0}, capability_times_10{0},
    devices{0}, losing{-1};
std::atomic<int64_t> works_until_loss{0};
std::atomic<bool> failed{false};

int number_of_environment(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? 0 : std::atoi(text);
}

// "1:500" in ATROUS_DEVICE_LOSE: device 1 is lost after 500 pieces of work.
const bool loses_by_environment = [] {
    const char* text = std::getenv("ATROUS_DEVICE_LOSE");
    const char* colon = text == nullptr ? nullptr : std::strchr(text, ':');
    if (colon != nullptr) atrous_device_lose(std::atoi(text), std::atoi(colon + 1));
    return colon != nullptr;
}();

const std::array<const char*, 18> STRICT_NAMES = {
    "doubles", "order", "slices", "fp32",    "alignment", "heuristics", "slow",   "compiler", "late",
    "notes",   "json",  "runs",   "capture", "branches",  "nocompiler", "nopart", "one",      "handles"};

unsigned strictness_of_environment() {
    const char* text = std::getenv("ATROUS_DEVICE_STRICT");
    if (text == nullptr) return 0;
    if (std::strcmp(text, "all") == 0) return ATROUS_STRICT_WRONG_RUNS - 1;
    unsigned bits = 0;
    std::istringstream names(text);
    for (std::string name; std::getline(names, name, ',');)
        for (size_t i = 0; i < STRICT_NAMES.size(); ++i)
            if (name == STRICT_NAMES[i]) bits |= 1u << i;
    return bits;
}
std::atomic<unsigned>& strictness() {
    static auto& bits = *new std::atomic<unsigned>{strictness_of_environment()};
    return bits;
}
std::mutex text_mutex;

// Never destroyed: worker threads may still report while the process ends.
std::vector<std::string>& reports() {
    static auto& texts = *new std::vector<std::string>;
    return texts;
}
std::string& jit_log() {
    static auto& log = *new std::string;
    return log;
}

}  // namespace

void count(atrous_device_object kind, int64_t change) {
    live_counts[kind] += change;
}

void report(const std::string& text) {
    std::lock_guard lock(text_mutex);
    reports().push_back(text);
}

void set_sticky(CUresult error) {
    int none = CUDA_SUCCESS;
    sticky_errors[static_cast<size_t>(current_device())].compare_exchange_strong(none, error);
}

CUresult sticky() {
    return static_cast<CUresult>(sticky_errors[static_cast<size_t>(current_device())].load());
}

bool allocation_fails() {
    int left = allocations_until_failure.load();
    while (left > 0 && !allocations_until_failure.compare_exchange_weak(left, left - 1)) {
    }
    return left == 1;
}

std::string failing_jit() {
    std::lock_guard lock(text_mutex);
    return std::exchange(jit_log(), {});
}

int driver_version() {
    return version != 0 ? version.load() : DRIVER_VERSION;
}

int capability() {
    int own = COMPUTE_CAPABILITY_MAJOR * 10 + COMPUTE_CAPABILITY_MINOR, other = capability_times_10;
    return other != 0 ? other : own;
}

int device_count() {
    static const int given = number_of_environment("ATROUS_DEVICE_COUNT");
    return std::clamp(devices != 0 ? devices.load() : given, 1, MOST_DEVICES);
}

bool expects_failure() {
    return calls_until_failure > 0 || failed;
}

void delay_work() {
    if (int microseconds = delay; microseconds > 0)
        std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

bool idles() {
    static const bool idle = number_of_environment("ATROUS_DEVICE_IDLE") != 0;
    return idle;
}

void count_executed() {
    ++executed_count;
    if (losing == current_device() && --works_until_loss <= 0) set_sticky(CUDA_ERROR_LAUNCH_FAILED);
}

}  // namespace device

using namespace device;

void atrous_device_report_error(const char* text) {
    report(text);
}
void atrous_device_count_library_object(int change) {
    count(ATROUS_DEVICE_LIBRARY_OBJECTS, change);
}
int64_t atrous_device_live(int object) {
    return live_counts.at(static_cast<size_t>(object));
}
int64_t atrous_device_executed() {
    return executed_count;
}

int atrous_device_check() {
    verify_memory();
    std::lock_guard lock(text_mutex);
    return static_cast<int>(reports().size());
}

size_t atrous_device_reports(char* text, size_t capacity) {
    std::lock_guard lock(text_mutex);
    std::string all;
    for (const std::string& line : reports()) all += line + "\n";
    if (capacity > 0) {
        size_t length = std::min(all.size(), capacity - 1);
        std::memcpy(text, all.data(), length);
        text[length] = 0;
    }
    return all.size();
}

void atrous_device_reset() {
    std::lock_guard lock(text_mutex);
    reports().clear();
    jit_log().clear();
    for (auto& error : sticky_errors) error = CUDA_SUCCESS;
    allocations_until_failure = version = delay = calls_until_failure = capability_times_10 = devices = 0;
    losing = -1;
    failed = false;
    strictness() = strictness_of_environment();
}

void atrous_device_be_strict(unsigned bits) {
    strictness() = bits;
}
bool atrous_device_is_strict(unsigned bit) {
    return (strictness() & bit) != 0;
}
void atrous_device_fail_call(int nth) {
    failed = false;
    calls_until_failure = nth;
}
bool atrous_device_call_fails() {
    int left = calls_until_failure.load();
    while (left > 0 && !calls_until_failure.compare_exchange_weak(left, left - 1)) {
    }
    if (left == 1) failed = true;
    return left == 1;
}
bool atrous_device_has_failed() {
    return failed;
}
void atrous_device_set_capability(int number) {
    capability_times_10 = number;
}
void atrous_device_set_count(int number) {
    devices = number;
}
void atrous_device_lose(int number, int after) {
    works_until_loss = after;
    losing = number;
}

void atrous_device_fail_allocation(int nth) {
    allocations_until_failure = nth;
}
void atrous_device_fail_jit(const char* log) {
    std::lock_guard lock(text_mutex);
    jit_log() = log == nullptr ? "" : log;
}
void atrous_device_set_driver_version(int number) {
    version = number;
}
void atrous_device_set_delay(int microseconds) {
    delay = microseconds;
}
