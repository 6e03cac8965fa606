#include "resize_taps.h"

#include <algorithm>
#include <cmath>

#include "checks.h"

namespace atrous {

void require_resize(const atrous_resize_desc* desc) {
    require_not_null(desc, "desc");
    require_range(desc->sampling, ATROUS_SAMPLING_HALF_PIXEL, ATROUS_SAMPLING_ASYMMETRIC, "sampling");
    for (float scale : {desc->scale_height, desc->scale_width}) {
        if (!std::isfinite(scale) || scale < 0.0f) {
            throw fail(ATROUS_INVALID_ARGUMENT, "a resize scale is %g; use a positive number, or 0 for in / out",
                       static_cast<double>(scale));
        }
    }
}

void fill_resize_taps(int32_t sampling, float scale, int32_t in, int32_t out, resize_tap* taps) {
    if (sampling == ATROUS_SAMPLING_ALIGN_CORNERS) {
        scale = out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0f;
    } else if (scale == 0.0f) {
        scale = static_cast<float>(in) / static_cast<float>(out);
    }
    const float last = static_cast<float>(in - 1);
    for (int32_t i = 0; i < out; ++i) {
        float source = static_cast<float>(i) * scale;
        if (sampling == ATROUS_SAMPLING_HALF_PIXEL) {
            source = std::max(scale * (static_cast<float>(i) + 0.5f) - 0.5f, 0.0f);
        }
        const int32_t low = static_cast<int32_t>(std::min(source, last));
        const float high_weight = std::clamp(source - static_cast<float>(low), 0.0f, 1.0f);
        taps[i] = {.low = low,
                   .high = std::min(low + 1, in - 1),
                   .low_weight = 1.0f - high_weight,
                   .high_weight = high_weight};
    }
}

}  // namespace atrous
