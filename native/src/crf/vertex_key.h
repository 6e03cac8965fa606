// Lattice coordinates packed into as few 64-bit words as they need: comparing, hashing and stepping to a neighbour
// are then one operation a word, and no coordinate can wrap around unseen.
#ifndef ATROUS_CRF_VERTEX_KEY_H
#define ATROUS_CRF_VERTEX_KEY_H

#include <cstdint>
#include <vector>

#include "crf/embedding.h"

namespace atrous {

class key_layout {
 public:
    // lowest, highest: the range of each of the dims elevated coordinates that name a vertex (the last follows from
    // them).
    key_layout(int dims, const std::vector<float>& lowest, const std::vector<float>& highest);

    int words() const { return words_; }
    int corners() const { return dims_ + 1; }

    // The keys of a simplex's vertices of remainder 0, 1, ... dims: corners() * words().
    void pack(const simplex& s, uint64_t* keys) const;

    // What to add to a vertex's key for the key of its next neighbour along an axis in [0, dims]; subtract for the
    // other.
    const uint64_t* step(int axis) const { return steps_.data() + axis * words_; }

 private:
    struct field {
        int word, shift;
        int64_t lowest;
    };

    int dims_;
    int words_ = 1;
    std::vector<field> fields_;
    std::vector<uint64_t> steps_;
};

}  // namespace atrous

#endif  // ATROUS_CRF_VERTEX_KEY_H
