// Where a bilinear resize reads, for every sampling grid.
#ifndef ATROUS_RESIZE_TAPS_H
#define ATROUS_RESIZE_TAPS_H

#include "kernels.h"

namespace atrous {

void require_resize(const atrous_resize_desc* desc);

// The taps of every output coordinate along one axis. scale: input pixels per output pixel, 0 for in / out.
// The scale is a float32 as in every framework; the coordinate is not rounded to float32 before its integral part is
// taken off, as in PyTorch 1.13's UpSampleKernel.cpp (later versions differ in the last bit of the weight). ASYMMETRIC
// rounds it, as TensorFlow's image_resizer_state.h does. Equal sizes read every pixel as it is, whatever the grid.
void fill_resize_taps(int32_t sampling, float scale, int32_t in, int32_t out, resize_tap* taps);

}  // namespace atrous

#endif  // ATROUS_RESIZE_TAPS_H
