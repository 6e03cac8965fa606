#include "imaging/resample.h"

#include <algorithm>
#include <cmath>

namespace atrous::imaging {
namespace {

double triangle(double x) {
    x = std::abs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

double cubic(double x) {
    constexpr double a = -0.5;
    x = std::abs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

// Pillow's precompute_coeffs and normalize_coeffs_8bpc, operation for operation, so that every weight has its bits.
template <class Filter>
taps antialiased_taps(int32_t in_size, int32_t out_size, double support, Filter filter) {
    const double scale = static_cast<double>(in_size) / out_size;
    const double widening = std::max(scale, 1.0);
    support *= widening;
    const double shrink = 1.0 / widening;

    taps result;
    // No cell has more weights than there are pixels, whose number fits.
    result.stride = static_cast<int32_t>(std::min(std::ceil(support) * 2 + 1, static_cast<double>(in_size)));
    result.spans.resize(static_cast<size_t>(out_size));
    result.weights.resize(static_cast<size_t>(out_size) * static_cast<size_t>(result.stride));
    std::vector<double> exact(static_cast<size_t>(result.stride));
    for (int32_t cell = 0; cell < out_size; ++cell) {
        const double center = (cell + 0.5) * scale;
        const int32_t first = std::max(static_cast<int32_t>(center - support + 0.5), 0);
        const int32_t count =
            static_cast<int32_t>(std::min(center + support + 0.5, static_cast<double>(in_size))) - first;
        double sum = 0.0;
        for (int32_t i = 0; i < count; ++i) {
            exact[i] = filter((i + first - center + 0.5) * shrink);
            sum += exact[i];
        }
        int32_t* weights = result.weights.data() + static_cast<int64_t>(cell) * result.stride;
        for (int32_t i = 0; i < count; ++i) {
            const double weight = (sum != 0.0 ? exact[i] / sum : exact[i]) * (1 << weight_bits);
            weights[i] = static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
        }
        result.spans[cell] = {first, count};
    }
    return result;
}

}  // namespace

taps bilinear_taps(int32_t in_size, int32_t out_size) {
    return antialiased_taps(in_size, out_size, 1.0, triangle);
}

taps bicubic_taps(int32_t in_size, int32_t out_size) {
    return antialiased_taps(in_size, out_size, 2.0, cubic);
}

taps plain_bilinear_taps(int32_t in_size, int32_t out_size) {
    const double scale = static_cast<double>(in_size) / out_size;
    taps result;
    result.stride = 2;
    result.spans.resize(static_cast<size_t>(out_size));
    result.weights.resize(static_cast<size_t>(out_size) * 2);
    for (int32_t cell = 0; cell < out_size; ++cell) {
        const double at = std::clamp((cell + 0.5) * scale - 0.5, 0.0, in_size - 1.0);
        const int32_t first = std::min(static_cast<int32_t>(at), std::max(in_size - 2, 0));
        const int32_t second_weight = static_cast<int32_t>(std::lround((at - first) * (1 << plain_weight_bits)));
        result.spans[cell] = {first, std::min(in_size, 2)};
        result.weights[2 * static_cast<size_t>(cell)] = (1 << plain_weight_bits) - second_weight;
        result.weights[2 * static_cast<size_t>(cell) + 1] = second_weight;
    }
    return result;
}

}  // namespace atrous::imaging
