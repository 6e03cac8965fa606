// Lattice coordinates packed into as few 64-bit words as they need: comparing, sorting and stepping to a neighbour are
// then one operation a word, and no coordinate can wrap around unseen.
#ifndef ATROUS_CRF_VERTEX_KEY_H
#define ATROUS_CRF_VERTEX_KEY_H

#include <cstdint>
#include <vector>

#include "crf/embedding.h"

namespace atrous {

// A vertex is named by dims fields: coordinate 0, and the differences of coordinates k and k + 1 for k in [1, dims).
// A step along axis 0 changes only the first, so that keys in order hold axis 0's neighbours side by side. A
// difference is a multiple of dims + 1, and kept as that multiple.
class key_layout {
 public:
    // lowest, highest: the range that field() has over all points, field by field.
    key_layout(int dims, const std::vector<float>& lowest, const std::vector<float>& highest);

    // Of a point, not of a vertex.
    static float field(const float* elevated, int dims, int index) {
        return index == 0 ? elevated[0] : (elevated[index] - elevated[index + 1]) / static_cast<float>(dims + 1);
    }

    int words() const { return static_cast<int>(bits_.size()); }
    int corners() const { return dims_ + 1; }
    // How many of a word's low bits are used. A later word outranks an earlier one.
    int bits(int word) const { return bits_[word]; }

    // The keys of a simplex's vertices of remainder 0, 1, ... dims: corners() * words().
    void pack(const simplex& s, uint64_t* keys) const;

    // What to add to a vertex's key for the key of its next neighbour along an axis in [0, dims]; subtract for the
    // other. The order of keys is the order of their neighbours.
    const uint64_t* step(int axis) const { return steps_.data() + axis * words(); }

 private:
    struct place {
        int word, shift;
        int64_t lowest;
    };

    int dims_;
    std::vector<int> bits_;
    std::vector<place> fields_;
    std::vector<uint64_t> steps_;
};

}  // namespace atrous

#endif  // ATROUS_CRF_VERTEX_KEY_H
