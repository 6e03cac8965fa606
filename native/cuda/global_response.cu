// Each channel's factor of global response normalisation, from the channels' norms: y[c] = 1 + scale[c] * x[c] / (the
// mean of x + epsilon), for a batch of single pixels in float32.
#include "tensor.h"

namespace atrous::cuda {
namespace {

ATROUS_FUNCTION void respond(const tensor& x, const float* scale, float epsilon, const tensor& y, float* sums) {
    const int32_t thread = static_cast<int32_t>(thread_index()), n = static_cast<int32_t>(block_row());
    const float* in = pixel<float>(x, n, 0, 0);
    if (in_phase(0)) {
        float sum = 0.0f;
        ATROUS_NO_UNROLL
        for (int32_t c = thread; c < x.channels; c += block_size) sum += in[c];
        sums[thread] = sum;
    }
    barrier();
    if (in_phase(1)) {
        float total = 0.0f;
        ATROUS_NO_UNROLL
        for (int i = 0; i < block_size; ++i) total += sums[i];
        const float divisor = total / static_cast<float>(x.channels) + epsilon;
        float* out = pixel<float>(y, n, 0, 0);
        ATROUS_NO_UNROLL
        for (int32_t c = thread; c < x.channels; c += block_size) out[c] = fused(scale[c], in[c] / divisor, 1.0f);
    }
}

ATROUS_FUNCTION void walk_picture(const tensor& x, const float* scale, float epsilon, const tensor& y) {
    ATROUS_SHARED float sums[block_size];
    respond(x, scale, epsilon, y, sums);
}

}  // namespace

// scale: [channel] of x; y may be x. Grid: x = 1, y = batch.
ATROUS_ENTRY(global_response, block_size, (tensor x, const float* scale, float epsilon, tensor y),
             walk_picture(x, scale, epsilon, y))

}  // namespace atrous::cuda
