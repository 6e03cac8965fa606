// Mean field on the permutohedral lattice as the papers write it, with a std::map for the lattice and double for the
// sums: slow, and different enough from libatrous to disagree where that is wrong.
#ifndef ATROUS_TESTS_CRF_REFERENCE_H
#define ATROUS_TESTS_CRF_REFERENCE_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

namespace atrous::testing {

using rows = std::vector<std::vector<double>>;  // [pixel][label]

class reference_lattice {
 public:
    // features: [pixel][dims]
    explicit reference_lattice(const std::vector<std::vector<float>>& features)
        : dims_(static_cast<int>(features[0].size())) {
        for (const auto& feature : features) add(feature);
    }

    rows filter(const rows& in) const {
        const size_t labels = in[0].size();
        rows values(vertices_.size(), std::vector<double>(labels, 0.0));
        for_corners([&](size_t pixel, int vertex, double weight) {
            for (size_t l = 0; l < labels; ++l) values[vertex][l] += weight * in[pixel][l];
        });
        for (int axis = 0; axis <= dims_; ++axis) values = blur(values, axis);
        rows out(in.size(), std::vector<double>(labels, 0.0));
        const double alpha = 1.0 / (1.0 + std::pow(2.0, -dims_));
        for_corners([&](size_t pixel, int vertex, double weight) {
            for (size_t l = 0; l < labels; ++l) out[pixel][l] += alpha * weight * values[vertex][l];
        });
        return out;
    }

    size_t vertices() const { return vertices_.size(); }

 private:
    using coordinates = std::vector<long>;  // all dims + 1
    struct corner {
        int vertex;
        double weight;
    };

    void add(const std::vector<float>& feature) {
        // In float, like libatrous: which simplex a point on a border belongs to is a matter of the last bit.
        std::vector<float> elevated(dims_ + 1);
        const auto deviation = static_cast<float>(std::sqrt(2.0 / 3.0) * (dims_ + 1));
        float sum = 0.0f;
        for (int j = dims_; j > 0; --j) {
            const float scaled = feature[j - 1] * static_cast<float>(1.0 / std::sqrt((j + 1.0) * j) * deviation);
            elevated[j] = sum - static_cast<float>(j) * scaled;
            sum += scaled;
        }
        elevated[0] = sum;

        const float down = 1.0f / static_cast<float>(dims_ + 1);
        coordinates origin(dims_ + 1);
        std::vector<float> offset(dims_ + 1);
        long excess = 0;
        for (int i = 0; i <= dims_; ++i) {
            const auto multiple = static_cast<long>(std::nearbyint(down * elevated[i]));
            origin[i] = multiple * (dims_ + 1);
            offset[i] = elevated[i] - static_cast<float>(origin[i]);
            excess += multiple;
        }
        std::vector<int> by_offset(dims_ + 1);  // largest first
        std::iota(by_offset.begin(), by_offset.end(), 0);
        std::sort(by_offset.begin(), by_offset.end(),
                  [&](int a, int b) { return offset[a] != offset[b] ? offset[a] > offset[b] : a < b; });
        // Too large a sum: the coordinates with the least offset step down. Too small: those with the most step up.
        if (excess > 0) {
            for (long k = 0; k < excess; ++k) origin[by_offset[dims_ - k]] -= dims_ + 1;
        } else {
            for (long k = 0; k < -excess; ++k) origin[by_offset[k]] += dims_ + 1;
        }
        std::vector<double> residual(dims_ + 1);
        for (int i = 0; i <= dims_; ++i) residual[i] = elevated[i] - static_cast<float>(origin[i]);
        std::rotate(by_offset.begin(), by_offset.begin() + (((-excess) % (dims_ + 1)) + dims_ + 1) % (dims_ + 1),
                    by_offset.end());

        coordinates vertex = origin;
        for (int remainder = 0; remainder <= dims_; ++remainder) {
            // Barycentric coordinates are differences of consecutive sorted residuals.
            double weight;
            if (remainder == 0) {
                weight = 1.0 - (residual[by_offset[0]] - residual[by_offset[dims_]]) * down;
            } else {
                const int r = dims_ - remainder;
                weight = (residual[by_offset[r]] - residual[by_offset[r + 1]]) * down;
                for (long& c : vertex) ++c;
                vertex[by_offset[r + 1]] -= dims_ + 1;
            }
            const int found = vertices_.try_emplace(vertex, static_cast<int>(vertices_.size())).first->second;
            corners_.push_back({found, weight});
        }
    }

    template <class Visit>
    void for_corners(Visit&& visit) const {
        for (size_t i = 0; i < corners_.size(); ++i) visit(i / (dims_ + 1), corners_[i].vertex, corners_[i].weight);
    }

    rows blur(const rows& values, int axis) const {
        rows out = values;
        for (const auto& [position, vertex] : vertices_) {
            for (const int sign : {-1, 1}) {
                coordinates neighbour = position;
                for (long& c : neighbour) c += sign;
                neighbour[axis] -= sign * (dims_ + 1);
                const auto found = vertices_.find(neighbour);
                if (found == vertices_.end()) continue;
                for (size_t l = 0; l < out[vertex].size(); ++l) out[vertex][l] += 0.5 * values[found->second][l];
            }
        }
        return out;
    }

    int dims_;
    std::map<coordinates, int> vertices_;
    std::vector<corner> corners_;
};

inline rows reference_softmax(rows energies) {
    for (auto& row : energies) {
        const double most = *std::max_element(row.begin(), row.end());
        double sum = 0.0;
        for (double& v : row) sum += v = std::exp(v - most);
        for (double& v : row) v /= sum;
    }
    return energies;
}

}  // namespace atrous::testing

#endif  // ATROUS_TESTS_CRF_REFERENCE_H
