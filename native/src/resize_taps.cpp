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
    if (in == out) {
        scale = 1.0f;
    } else if (sampling == ATROUS_SAMPLING_ALIGN_CORNERS) {
        scale = out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0f;
    } else if (scale == 0.0f) {
        scale = static_cast<float>(in) / static_cast<float>(out);
    }
    for (int32_t i = 0; i < out; ++i) {
        double source = static_cast<double>(scale) * i;
        if (sampling == ATROUS_SAMPLING_HALF_PIXEL) source = std::max(scale * (i + 0.5) - 0.5, 0.0);
        if (sampling == ATROUS_SAMPLING_ASYMMETRIC) source = static_cast<float>(source);
        const int32_t low = static_cast<int32_t>(std::min<double>(source, in - 1));
        const float high_weight = std::clamp(static_cast<float>(source - low), 0.0f, 1.0f);
        taps[i] = {.low = low,
                   .high = std::min(low + 1, in - 1),
                   .low_weight = 1.0f - high_weight,
                   .high_weight = high_weight};
    }
}

}  // namespace atrous
