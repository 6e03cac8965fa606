// From a point of feature space to the simplex of the permutohedral lattice that holds it (Adams et al. 2010, section
// 3). Float32, operation by operation as in the implementation that Kraehenbuhl and Koltun published: a point on the
// border of two simplices must fall on the same side, because the vertices that exist decide how the blur spreads.
#ifndef ATROUS_CRF_EMBEDDING_H
#define ATROUS_CRF_EMBEDDING_H

#include <cstdint>
#include <vector>

namespace atrous {

// Beyond this, float32 rounds away too much of a coordinate's fraction for weights to mean anything.
constexpr float largest_lattice_coordinate = 1 << 18;

// Of one point. Work space that is used again for the next.
struct simplex {
    explicit simplex(int dims)
        : elevated(dims + 1), origin(dims + 1), offset(dims + 1), at_rank(dims + 1), rank(dims + 1), weight(dims + 2) {}

    std::vector<float> elevated;   // the point in the lattice's hyperplane, dims + 1 coordinates that sum to 0
    std::vector<float> origin;     // the vertex of remainder 0
    std::vector<float> offset;     // elevated - origin
    std::vector<int32_t> at_rank;  // which coordinate has the largest offset, the second largest, ...
    std::vector<int32_t> rank;     // and the inverse of that
    std::vector<float> weight;     // barycentric: of the vertex of remainder 0, 1, ... dims
};

class embedding {
 public:
    explicit embedding(int dims);

    int dims() const { return dims_; }
    void elevate(const float* feature, simplex& s) const;
    // Fills the rest from s.elevated.
    void enclose(simplex& s) const;

 private:
    template <int fixed_dims>
    void enclose_fixed(simplex& s) const;

    int dims_;
    std::vector<float> scale_;
};

}  // namespace atrous

#endif  // ATROUS_CRF_EMBEDDING_H
