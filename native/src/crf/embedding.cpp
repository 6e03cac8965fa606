#include "crf/embedding.h"

#include <algorithm>
#include <cmath>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace atrous {

namespace {

float round_to_nearest_even(float value) {
#if defined(__SSE2__)
    // Not nearbyint, which is a call where SSE4.1 is not taken for granted.
    return static_cast<float>(_mm_cvtss_si32(_mm_set_ss(value)));
#else
    return std::nearbyint(value);
#endif
}

}  // namespace

embedding::embedding(int dims) : dims_(dims), scale_(dims) {
    // Makes the standard deviation of the blur 1 in feature space (p. 6), and the columns of E orthonormal (p. 5).
    const float deviation = static_cast<float>(std::sqrt(2.0 / 3.0) * (dims + 1));
    for (int i = 0; i < dims; ++i) {
        scale_[i] = static_cast<float>(1.0 / std::sqrt((i + 2.0) * (i + 1.0)) * deviation);
    }
}

void embedding::elevate(const float* feature, simplex& s) const {
    float sum = 0.0f;
    for (int j = dims_; j > 0; --j) {
        const float scaled = feature[j - 1] * scale_[j - 1];
        s.elevated[j] = sum - static_cast<float>(j) * scaled;
        sum += scaled;
    }
    s.elevated[0] = sum;
}

void embedding::enclose(simplex& s) const {
    switch (dims_) {
        case 2:
            return enclose_fixed<2>(s);
        case 5:
            return enclose_fixed<5>(s);
        default:
            return enclose_fixed<0>(s);
    }
}

// fixed_dims lets the compiler unroll for the two usual kernels; 0 is any number.
template <int fixed_dims>
void embedding::enclose_fixed(simplex& s) const {
    const int d = fixed_dims == 0 ? dims_ : fixed_dims;
    const float down = 1.0f / static_cast<float>(d + 1), up = static_cast<float>(d + 1);
    const float* elevated = s.elevated.data();
    float* origin = s.origin.data();
    float* offset = s.offset.data();
    int32_t* rank = s.rank.data();

    int sum = 0;
    for (int i = 0; i <= d; ++i) {
        const float multiple = round_to_nearest_even(down * elevated[i]);
        origin[i] = multiple * up;
        offset[i] = elevated[i] - origin[i];
        sum += static_cast<int>(multiple);
    }

    for (int i = 0; i <= d; ++i) rank[i] = sum;
    for (int i = 0; i < d; ++i) {
        for (int j = i + 1; j <= d; ++j) {
            const int below = offset[i] < offset[j];
            rank[i] += below;
            rank[j] += 1 - below;
        }
    }

    // The nearest multiples need not sum to 0; the coordinates that were rounded most unwillingly give way.
    float* weight = s.weight.data();
    std::fill_n(weight, d + 2, 0.0f);
    for (int i = 0; i <= d; ++i) {
        while (rank[i] < 0) {
            rank[i] += d + 1;
            origin[i] += up;
        }
        while (rank[i] > d) {
            rank[i] -= d + 1;
            origin[i] -= up;
        }
        const float v = (elevated[i] - origin[i]) * down;
        s.at_rank[rank[i]] = i;
        weight[d - rank[i]] += v;
        weight[d - rank[i] + 1] -= v;
    }
    weight[0] += 1.0f + weight[d + 1];
}

}  // namespace atrous
