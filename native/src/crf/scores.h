// What a network says about a pixel, as energies.
#ifndef ATROUS_CRF_SCORES_H
#define ATROUS_CRF_SCORES_H

#include <cstdint>

#include "atrous.h"

namespace atrous {

// Throws ATROUS_INVALID_ARGUMENT for a form, scale, clip or stride that makes no sense.
void check_scores(const atrous_crf_scores& scores, int64_t pixels, int32_t labels);

// The same for the strides of a number for every label of every pixel.
void check_strides(int64_t label_stride, int32_t labels, int64_t pixel_stride, int64_t pixels, const char* name);

// Writes the pixel's labels energies. Throws ATROUS_INVALID_ARGUMENT when one is not finite.
void scores_to_energies(const atrous_crf_scores& scores, int64_t pixel, int32_t labels, float* energies);

}  // namespace atrous

#endif  // ATROUS_CRF_SCORES_H
