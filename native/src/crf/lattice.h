// The permutohedral lattice of a set of feature vectors: a Gaussian filter over them, in time linear in their number.
#ifndef ATROUS_CRF_LATTICE_H
#define ATROUS_CRF_LATTICE_H

#include <cstdint>
#include <functional>
#include <vector>

#include "crf/big_array.h"
#include "crf/memory_budget.h"
#include "kernels.h"
#include "parallel.h"

namespace atrous {

class embedding;
class key_layout;
class vertex_list;

// Writes the features of pixels [begin, end), dims floats each. Called from many threads.
using feature_source = std::function<void(int64_t begin, int64_t end, float* features)>;

// How K(q) is scaled, with n = K(1).
enum class crf_normalization : int32_t {
    none,      // K q
    before,    // K (q / n)
    after,     // (K q) / n
    symmetric  // n^-1/2 K (q n^-1/2)
};

class lattice {
 public:
    // Throws ATROUS_INVALID_ARGUMENT for features that are not finite or too far from 0, ATROUS_TOO_LARGE for more
    // entries (pixels * (dims + 1)) than an index can count, ATROUS_OUT_OF_MEMORY when the budget refuses.
    lattice(engine& on, int dims, int64_t pixels, const feature_source& features, crf_normalization normalization,
            const memory_budget& budget);

    int32_t vertices() const { return vertices_; }
    int64_t pixels() const { return pixels_; }
    // Of everything that the lattice keeps.
    int64_t bytes() const;

    // Splats beliefs (pixels x stride) and blurs: values is vertices x stride, ready to be sliced.
    void filter(engine& on, const float* beliefs, float* values, int64_t stride) const;

    // The part of a message that slices: vertex, weight and corners.
    crf_message slice_of(const float* values) const;

 private:
    struct chains {
        std::vector<int32_t> vertex;
        std::vector<int64_t> segment;
    };

    big_array<uint64_t> embed_pixels(engine& on, const embedding& embed, const key_layout& layout,
                                     const feature_source& features);
    void mark_continued(engine& on, const big_array<int32_t>& next);
    void list_entries(engine& on, vertex_list& list);
    chains list_chains(engine& on, const big_array<int32_t>& next) const;
    void normalize(engine& on, crf_normalization normalization);

    int dims_;
    int64_t pixels_;
    int64_t entries_;
    int32_t vertices_ = 0;
    big_array<int32_t> slice_vertex_;
    big_array<float> slice_weight_;
    big_array<int32_t> splat_start_;
    big_array<int32_t> splat_pixel_;
    big_array<float> splat_weight_;
    big_array<uint8_t> continues_;
    std::vector<chains> axes_;  // 1 to dims; axis 0 is the numbering itself
};

}  // namespace atrous

#endif  // ATROUS_CRF_LATTICE_H
