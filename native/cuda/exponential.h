// e^x by the same arithmetic on the device and on the host, so that a test of the one speaks for the other.
#ifndef ATROUS_CUDA_EXPONENTIAL_H
#define ATROUS_CUDA_EXPONENTIAL_H

#include "device.h"

namespace atrous::cuda {

// Within 2 units in the last place; infinity and zero beyond float32's range. Cody and Waite's reduction to
// [-ln 2 / 2, ln 2 / 2], there the polynomial of Cephes' expf (Moshier).
ATROUS_FUNCTION float exponential(float x) {
    x = x < -104.0f ? -104.0f : x > 89.0f ? 89.0f : x;
    // Adding 1.5 * 2^23 leaves a whole number in the low bits.
    const float shifted = fused(x, 1.44269504f, 12582912.0f);
    const int32_t power = bits_of<int32_t>(shifted) - bits_of<int32_t>(12582912.0f);
    const float whole = shifted - 12582912.0f;
    float r = fused(whole, -0.693359375f, x);
    r = fused(whole, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = fused(p, r, 1.3981999507e-3f);
    p = fused(p, r, 8.3334519073e-3f);
    p = fused(p, r, 4.1665795894e-2f);
    p = fused(p, r, 1.6666665459e-1f);
    p = fused(p, r, 5.0000001201e-1f);
    const float result = fused(p * r, r, r) + 1.0f;
    // In two steps, because 2^power alone may be beyond the range where the product is not.
    const int32_t half = power >> 1;
    return result * bits_of<float>((half + 127) << 23) * bits_of<float>((power - half + 127) << 23);
}

}  // namespace atrous::cuda

#endif  // ATROUS_CUDA_EXPONENTIAL_H
