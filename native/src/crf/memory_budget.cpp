#include "crf/memory_budget.h"

#include <algorithm>

#include "block_cache.h"
#include "platform/platform.h"
#include "status.h"

namespace atrous {

void memory_budget::require(double bytes, const char* purpose) const {
    constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;
    const auto left = [&] { return static_cast<double>(limit_ > 0 ? limit_ - used_ : platform::available_memory()); };
    double available = left();
    if (bytes > available && limit_ == 0) {
        free_idle_blocks();
        available = left();
    }
    if (bytes <= available) return;
    throw fail(ATROUS_OUT_OF_MEMORY, "%s needs %.3g GiB%s for %s, and %.3g GiB %s", subject_.c_str(), bytes / gibibyte,
               used_ > 0 ? " more" : "", purpose, std::max(available, 0.0) / gibibyte,
               limit_ > 0 ? "are left of its memory limit" : "are available");
}

}  // namespace atrous
