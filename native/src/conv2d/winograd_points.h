// Where Winograd's polynomials are evaluated, and the filter's transform that follows from it.
#ifndef ATROUS_WINOGRAD_POINTS_H
#define ATROUS_WINOGRAD_POINTS_H

#include <array>
#include <cstddef>

namespace atrous {

// With +-3/4 and +-3/2 the rounding error is half of that with the usual +-1 and +-2, and the worst case a quarter;
// their powers are exact.
template <int TileSize>
struct winograd_points;

template <>
struct winograd_points<3> {
    static constexpr float p = 0.75f, r = 1.5f;
    static constexpr std::array<double, 4> finite = {0, p, -p, r};
};

template <>
struct winograd_points<4> {
    static constexpr float p = 0.75f, q = 1.5f;
    static constexpr std::array<double, 5> finite = {0, p, -p, q, -q};
};

// Row i of the filter's matrix: (1, point, point^2) over the product of the distances to the other points; (0, 0, 1)
// for infinity.
template <int TileSize>
constexpr std::array<std::array<double, 3>, TileSize + 2> winograd_filter_matrix() {
    constexpr auto points = winograd_points<TileSize>::finite;
    std::array<std::array<double, 3>, TileSize + 2> made{};
    for (size_t i = 0; i < points.size(); ++i) {
        double distances = 1;
        for (size_t j = 0; j < points.size(); ++j) distances *= i == j ? 1.0 : points[i] - points[j];
        made[i] = {1 / distances, points[i] / distances, points[i] * points[i] / distances};
    }
    made[points.size()] = {0, 0, 1};
    return made;
}

// A left inverse of that: the points 0, p and -p come first and infinity last.
template <int TileSize>
constexpr std::array<std::array<double, TileSize + 2>, 3> winograd_filter_inverse() {
    constexpr auto matrix = winograd_filter_matrix<TileSize>();
    constexpr double p = winograd_points<TileSize>::p;
    std::array<std::array<double, TileSize + 2>, 3> made{};
    made[0][0] = 1 / matrix[0][0];
    made[1][1] = 1 / (2 * p * matrix[1][0]);
    made[1][2] = -1 / (2 * p * matrix[2][0]);
    made[2][TileSize + 1] = 1;
    return made;
}

}  // namespace atrous

#endif  // ATROUS_WINOGRAD_POINTS_H
