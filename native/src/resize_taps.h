// Where a bilinear resize reads, for every sampling grid.
#ifndef ATROUS_RESIZE_TAPS_H
#define ATROUS_RESIZE_TAPS_H

#include "kernels.h"

namespace atrous {

void require_resize(const atrous_resize_desc* desc);

// The taps of every output coordinate along one axis, in PyTorch's float32 arithmetic (UpSample.h), and for ASYMMETRIC
// in TensorFlow's (image_resizer_state.h). scale: input pixels per output pixel, 0 for in / out.
void fill_resize_taps(int32_t sampling, float scale, int32_t in, int32_t out, resize_tap* taps);

}  // namespace atrous

#endif  // ATROUS_RESIZE_TAPS_H
