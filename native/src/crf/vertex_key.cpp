#include "crf/vertex_key.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace atrous {

key_layout::key_layout(int dims, const std::vector<float>& lowest, const std::vector<float>& highest)
    : dims_(dims), bits_(1, 0), fields_(dims) {
    // A vertex lies within 2.5 (dims + 1) of its point in each coordinate, and a neighbour one step of dims further.
    for (int n = 0; n < dims; ++n) {
        const int index = n == 0 ? 0 : dims - n;  // differences of positions count most: rows of pixels stay close
        const int64_t margin = index == 0 ? 4 * (static_cast<int64_t>(dims) + 1) : 8;
        const int64_t low = static_cast<int64_t>(std::floor(lowest[index])) - margin;
        const int64_t high = static_cast<int64_t>(std::ceil(highest[index])) + margin;
        const int bits = std::bit_width(static_cast<uint64_t>(high - low));
        if (bits_.back() + bits > 64) bits_.push_back(0);
        fields_[index] = {words() - 1, bits_.back(), low};
        bits_.back() += bits;
    }

    // One step along an axis adds 1 to every coordinate and takes dims + 1 from that axis's own. What wraps around in
    // the word of a sum of such terms wraps back, since every field of the result is in its range.
    steps_.assign(static_cast<size_t>(dims + 1) * words(), 0);
    for (int axis = 0; axis <= dims; ++axis) {
        uint64_t* step = steps_.data() + axis * words();
        for (int index = 0; index < dims; ++index) {
            const int64_t change = index == 0      ? (axis == 0 ? -dims : 1)
                                   : axis == index ? -1
                                                   : static_cast<int64_t>(axis == index + 1);
            step[fields_[index].word] += static_cast<uint64_t>(change) << fields_[index].shift;
        }
    }
}

void key_layout::pack(const simplex& s, uint64_t* keys) const {
    const int words = this->words();
    std::fill_n(keys, words, 0);
    const auto add = [&](int index, int64_t value) {
        keys[fields_[index].word] += static_cast<uint64_t>(value - fields_[index].lowest) << fields_[index].shift;
    };
    add(0, static_cast<int64_t>(s.origin[0]));
    for (int index = 1; index < dims_; ++index) {
        add(index, static_cast<int32_t>(s.origin[index] - s.origin[index + 1]) / (dims_ + 1));
    }
    // From remainder r - 1 to r: a step along the axis whose offset is the r-th smallest (the canonical simplex).
    for (int remainder = 1; remainder <= dims_; ++remainder) {
        const uint64_t* along = step(s.at_rank[dims_ + 1 - remainder]);
        for (int w = 0; w < words; ++w) keys[remainder * words + w] = keys[(remainder - 1) * words + w] + along[w];
    }
}

}  // namespace atrous
