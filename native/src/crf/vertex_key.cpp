#include "crf/vertex_key.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace atrous {

key_layout::key_layout(int dims, const std::vector<float>& lowest, const std::vector<float>& highest) : dims_(dims) {
    // A vertex lies within 2.5 (dims + 1) of its point in each coordinate, and a neighbour one step of dims further.
    const int64_t margin = 4 * (static_cast<int64_t>(dims) + 1);
    int shift = 0;
    for (int i = 0; i < dims; ++i) {
        const int64_t low = static_cast<int64_t>(std::floor(lowest[i])) - margin;
        const int64_t high = static_cast<int64_t>(std::ceil(highest[i])) + margin;
        const int bits = std::bit_width(static_cast<uint64_t>(high - low));
        if (shift + bits > 64) {
            ++words_;
            shift = 0;
        }
        fields_.push_back({words_ - 1, shift, low});
        shift += bits;
    }

    // One step along an axis adds 1 to every coordinate and takes dims + 1 from that axis's own. What wraps around in
    // the word of a sum of such terms wraps back, since every field of the result is in its range.
    steps_.assign(static_cast<size_t>(dims + 1) * words_, 0);
    for (int axis = 0; axis <= dims; ++axis) {
        uint64_t* step = steps_.data() + axis * words_;
        for (int i = 0; i < dims; ++i) {
            const int64_t change = i == axis ? -dims : 1;
            step[fields_[i].word] += static_cast<uint64_t>(change) << fields_[i].shift;
        }
    }
}

void key_layout::pack(const simplex& s, uint64_t* keys) const {
    std::fill_n(keys, words_, 0);
    for (int i = 0; i < dims_; ++i) {
        const auto value = static_cast<uint64_t>(static_cast<int64_t>(s.origin[i]) - fields_[i].lowest);
        keys[fields_[i].word] += value << fields_[i].shift;
    }
    // From remainder r - 1 to r: a step along the axis whose offset is the r-th smallest (the canonical simplex).
    for (int remainder = 1; remainder <= dims_; ++remainder) {
        const uint64_t* along = step(s.at_rank[dims_ + 1 - remainder]);
        for (int w = 0; w < words_; ++w) keys[remainder * words_ + w] = keys[(remainder - 1) * words_ + w] + along[w];
    }
}

}  // namespace atrous
