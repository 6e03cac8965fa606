// Sums in double precision.
#include "product.h"

#include <algorithm>
#include <vector>

#include "../include/atrous_device.h"

using namespace device;

namespace blaslt {
namespace {

// Twice as many lanes where the processor has them; the same sums, since nothing is fused.
__attribute__((target_clones("avx2", "default"))) double dot(const double* a, const double* b, int64_t count) {
    double sums[8] = {};
    int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (int lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
    for (; i < count; ++i) sums[0] += a[i] * b[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// The sum of parts that are rounded, and added, in the type of the result.
double rounded_dot(const double* a, const double* b, int64_t count, Format type) {
    constexpr int64_t PART = 4;
    double sum = 0;
    for (int64_t i = 0; i < count; i += PART) {
        unsigned char stored[8] = {};
        store(stored, 0, dot(a + i, b + i, std::min(PART, count - i)), type);
        store(stored, 0, sum + load(stored, 0, type), type);
        sum = load(stored, 0, type);
    }
    return sum;
}

}  // namespace

bool run(void* state) {
    const Product& p = *static_cast<Product*>(state);
    if (!atrous_device_in_range(p.a, p.a_bytes, "A") || !atrous_device_in_range(p.b, p.b_bytes, "B") ||
        !atrous_device_in_range(p.d, p.d_bytes, "D") || (p.beta != 0 && !atrous_device_in_range(p.c, p.c_bytes, "C")) ||
        (p.bias != nullptr &&
         !atrous_device_in_range(p.bias, static_cast<size_t>(p.m) * bytes_of(p.format), "the bias")) ||
        (p.workspace_bytes > 0 && !atrous_device_in_range(p.workspace, p.workspace_bytes, "the workspace")))
        return false;
    Format result = p.format == Format::TF32 ? Format::FP32 : p.format;
    std::vector<double> a(static_cast<size_t>(p.m * p.k)), b(static_cast<size_t>(p.k));
    for (int64_t row = 0; row < p.m; ++row)
        for (int64_t i = 0; i < p.k; ++i)
            a[static_cast<size_t>(row * p.k + i)] = load(p.a, row * p.a_row + i * p.a_inner, p.format);
    for (int64_t column = 0; column < p.n; ++column) {
        for (int64_t i = 0; i < p.k; ++i)
            b[static_cast<size_t>(i)] = load(p.b, i * p.b_inner + column * p.b_column, p.format);
        for (int64_t row = 0; row < p.m; ++row) {
            const double* factors = &a[static_cast<size_t>(row * p.k)];
            double sum = p.rounds_parts ? rounded_dot(factors, b.data(), p.k, result) : dot(factors, b.data(), p.k);
            sum *= p.alpha;
            if (p.beta != 0) sum += p.beta * load(p.c, row + column * p.c_leading, result);
            if (p.bias != nullptr) sum += load(p.bias, row, result);
            if (p.relu) sum = std::max(sum, 0.0);
            store(p.d, row + column * p.d_leading, sum, result);
        }
    }
    return true;
}

}  // namespace blaslt
