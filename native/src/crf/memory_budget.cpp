#include "crf/memory_budget.h"

#include <algorithm>
#include <fstream>
#include <limits>

#include "status.h"

namespace atrous {

namespace {

constexpr int64_t unknown = std::numeric_limits<int64_t>::max();

// The number after key in a file of "key number" lines, or the file's first number for an empty key; unknown when the
// file, the key or the number is missing ("max" in a control group without a limit).
int64_t number_in(const char* path, const std::string& key) {
    std::ifstream file(path);
    int64_t number = 0;
    if (key.empty()) return file >> number ? number : unknown;
    for (std::string word; file >> word;) {
        if (word == key) return file >> number ? number : unknown;
    }
    return unknown;
}

int64_t left_in_control_group() {
    const int64_t limit = number_in("/sys/fs/cgroup/memory.max", "");
    const int64_t used = number_in("/sys/fs/cgroup/memory.current", "");
    if (limit == unknown || used == unknown) return unknown;
    const int64_t cache = number_in("/sys/fs/cgroup/memory.stat", "inactive_file");
    return std::max<int64_t>(limit - used + (cache == unknown ? 0 : cache), 0);
}

}  // namespace

int64_t available_memory() {
    const int64_t kibibytes = number_in("/proc/meminfo", "MemAvailable:");
    return std::min(kibibytes == unknown ? unknown : kibibytes * 1024, left_in_control_group());
}

void memory_budget::require(double bytes, const char* purpose) const {
    constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;
    const double available = static_cast<double>(limit_ > 0 ? limit_ - used_ : available_memory());
    if (bytes <= available) return;
    throw fail(ATROUS_OUT_OF_MEMORY, "%s needs %.3g GiB%s for %s, and %.3g GiB %s", subject_.c_str(), bytes / gibibyte,
               used_ > 0 ? " more" : "", purpose, std::max(available, 0.0) / gibibyte,
               limit_ > 0 ? "are left of its memory limit" : "are available");
}

}  // namespace atrous
