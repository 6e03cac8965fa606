#include "crf/scores.h"

#include <algorithm>
#include <cmath>

#include "checks.h"

namespace atrous {

namespace {

void softmax_in_place(float* row, int32_t labels) {
    const float most = *std::max_element(row, row + labels);
    double sum = 0.0;
    for (int32_t l = 0; l < labels; ++l) sum += row[l] = std::exp(row[l] - most);
    for (int32_t l = 0; l < labels; ++l) row[l] = static_cast<float>(row[l] / sum);
}

// -log(clamp(softmax(row), clip, 1)) with one logarithm a pixel instead of one a label.
void clipped_log_softmax_in_place(float* row, int32_t labels, float clip) {
    const float most = *std::max_element(row, row + labels);
    double sum = 0.0;
    for (int32_t l = 0; l < labels; ++l) sum += std::exp(row[l] - most);
    const auto log_sum = static_cast<float>(std::log(sum));
    const float highest = -std::log(clip);
    for (int32_t l = 0; l < labels; ++l) row[l] = std::clamp(log_sum - (row[l] - most), 0.0f, highest);
}

}  // namespace

void check_strides(int64_t label_stride, int32_t labels, int64_t pixel_stride, int64_t pixels, const char* name) {
    if (label_stride < 1 || pixel_stride < 1) {
        throw fail(ATROUS_INVALID_ARGUMENT, "strides are %lld and %lld; both must be at least 1",
                   static_cast<long long>(label_stride), static_cast<long long>(pixel_stride));
    }
    require_extent({{labels, label_stride}, {pixels, pixel_stride}}, sizeof(float), name);
}

void check_scores(const atrous_crf_scores& scores, int64_t pixels, int32_t labels) {
    require_not_null(scores.data, "scores.data");
    if (scores.form < ATROUS_CRF_ENERGY || scores.form > ATROUS_CRF_LOGIT) {
        throw fail(ATROUS_INVALID_ARGUMENT, "form %d is not an atrous_crf_form", scores.form);
    }
    check_strides(scores.label_stride, labels, scores.pixel_stride, pixels, "scores");
    if (scores.form == ATROUS_CRF_ENERGY) return;
    if (!(scores.scale > 0.0f && scores.scale <= 1.0f)) {
        throw fail(ATROUS_INVALID_ARGUMENT, "scale is %g; it must be above 0 and at most 1",
                   static_cast<double>(scores.scale));
    }
    if (!(scores.clip >= 0.0f && scores.clip < 1.0f)) {
        throw fail(ATROUS_INVALID_ARGUMENT, "clip is %g; it must be at least 0 and below 1",
                   static_cast<double>(scores.clip));
    }
}

void scores_to_energies(const atrous_crf_scores& scores, int64_t pixel, int32_t labels, float* energies) {
    const float* from = scores.data + pixel * scores.pixel_stride;
    for (int32_t l = 0; l < labels; ++l) energies[l] = from[l * scores.label_stride];
    const auto check = [&] {
        for (int32_t l = 0; l < labels; ++l) {
            if (std::isfinite(energies[l])) continue;
            throw fail(ATROUS_INVALID_ARGUMENT, "the score of label %d at pixel %lld is not finite%s", l,
                       static_cast<long long>(pixel),
                       scores.form == ATROUS_CRF_ENERGY ? "" : "; raise clip above 0 if it is the logarithm of 0");
        }
    };
    check();
    if (scores.form == ATROUS_CRF_ENERGY) return;
    if (scores.form == ATROUS_CRF_LOGIT && scores.scale == 1.0f && scores.clip > 0.0f) {
        clipped_log_softmax_in_place(energies, labels, scores.clip);
        return;
    }
    if (scores.form == ATROUS_CRF_LOGIT) softmax_in_place(energies, labels);
    for (int32_t l = 0; l < labels; ++l) {
        float p = energies[l];
        if (scores.scale < 1.0f) p = scores.scale * p + (1.0f - scores.scale) / static_cast<float>(labels);
        if (scores.clip > 0.0f) p = std::clamp(p, scores.clip, 1.0f);
        energies[l] = -std::log(p);
    }
    check();
}

}  // namespace atrous
