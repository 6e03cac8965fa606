// Winograd's transforms of a 3 x 3 filter on tiles of 3 or 4 outputs a side, in one dimension (Lavin & Gray 2015,
// arXiv:1509.09308, section 4; the two-dimensional ones nest). Only kernels include this; winograd_points.h has the
// points and the filter's transform.
#ifndef ATROUS_WINOGRAD_TRANSFORM_H
#define ATROUS_WINOGRAD_TRANSFORM_H

#include "conv2d/winograd_points.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// c * a + b with a constant c.
inline vec scaled_add(float c, vec a, vec b) {
    return multiply_add(all(c), a, b);
}

template <int TileSize>
struct transform;

// Points 0, p, -p, r and infinity.
template <>
struct transform<3> {
    static constexpr float p = winograd_points<3>::p, r = winograd_points<3>::r;

    // Row i of the input's matrix holds the coefficients of the product of (x - other points).
    static void input(const vec (&d)[5], vec (&out)[5]) {
        const vec low = scaled_add(-r, d[0], d[1]), middle = scaled_add(-r, d[1], d[2]);
        const vec high = scaled_add(-r, d[2], d[3]), top = scaled_add(-r, d[3], d[4]);
        out[0] = scaled_add(-p * p, low, high);
        out[1] = scaled_add(p, middle, high);
        out[2] = scaled_add(-p, middle, high);
        out[3] = scaled_add(-p * p, d[1], d[3]);
        out[4] = scaled_add(-p * p, middle, top);
    }

    // Row i of the output's matrix holds the i-th powers of the points.
    static void output(const vec (&m)[5], vec (&out)[3]) {
        const vec sum = m[1] + m[2], difference = m[1] - m[2];
        out[0] = m[0] + sum + m[3];
        out[1] = scaled_add(p, difference, all(r) * m[3]);
        out[2] = scaled_add(p * p, sum, scaled_add(r * r, m[3], m[4]));
    }
};

// Points 0, p, -p, q, -q and infinity.
template <>
struct transform<4> {
    static constexpr float p = winograd_points<4>::p, q = winograd_points<4>::q;

    static void input(const vec (&d)[6], vec (&out)[6]) {
        const vec even_p = scaled_add(-q * q, d[2], d[4]), odd_p = scaled_add(-q * q, d[1], d[3]);
        const vec even_q = scaled_add(-p * p, d[2], d[4]), odd_q = scaled_add(-p * p, d[1], d[3]);
        out[0] = scaled_add(p * p * q * q, d[0], scaled_add(-(p * p + q * q), d[2], d[4]));
        out[1] = scaled_add(p, odd_p, even_p);
        out[2] = scaled_add(-p, odd_p, even_p);
        out[3] = scaled_add(q, odd_q, even_q);
        out[4] = scaled_add(-q, odd_q, even_q);
        out[5] = scaled_add(p * p * q * q, d[1], scaled_add(-(p * p + q * q), d[3], d[5]));
    }

    static void output(const vec (&m)[6], vec (&out)[4]) {
        const vec sum_p = m[1] + m[2], difference_p = m[1] - m[2];
        const vec sum_q = m[3] + m[4], difference_q = m[3] - m[4];
        out[0] = m[0] + sum_p + sum_q;
        out[1] = scaled_add(p, difference_p, all(q) * difference_q);
        out[2] = scaled_add(p * p, sum_p, all(q * q) * sum_q);
        out[3] = scaled_add(p * p * p, difference_p, scaled_add(q * q * q, difference_q, m[5]));
    }
};

}  // namespace
}  // namespace atrous::ATROUS_ISA_NAMESPACE

#endif  // ATROUS_WINOGRAD_TRANSFORM_H
