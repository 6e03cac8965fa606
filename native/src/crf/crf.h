// Mean-field inference in a fully-connected CRF with Gaussian edge potentials (Kraehenbuhl and Koltun 2011), with the
// semantics of the implementation that the authors published and pydensecrf wraps: a pixel's own term stays in its
// message.
#ifndef ATROUS_CRF_CRF_H
#define ATROUS_CRF_CRF_H

#include <memory>
#include <vector>

#include "crf/big_array.h"
#include "crf/lattice.h"
#include "crf/memory_budget.h"
#include "parallel.h"

namespace atrous {

class crf {
 public:
    crf(engine& on, const atrous_crf_desc& desc);

    int64_t pixels() const { return pixels_; }
    int32_t labels() const { return labels_; }
    int32_t height() const { return height_; }
    int32_t width() const { return width_; }

    void set_unary(const atrous_crf_scores& scores);
    void add_kernel(int dims, const feature_source& features, const atrous_crf_kernel& kernel);

    void start();
    void step();
    double kl_divergence();

    void read_beliefs(float* beliefs, int64_t label_stride, int64_t pixel_stride) const;
    void read_labels(uint16_t* labels) const;

 private:
    struct pairwise {
        std::unique_ptr<lattice> filter;
        big_array<float> attraction;  // stride, or empty
        big_array<float> matrix;      // labels x stride, or empty
        big_array<float> values;      // vertices x stride: the beliefs, splatted and blurred
    };

    void read_compatibility(const atrous_crf_kernel& kernel, pairwise& into) const;
    // What each kernel says about the beliefs as they are, ready to be sliced.
    std::vector<crf_message> send_messages();
    void update_beliefs(const std::vector<crf_message>& messages);
    crf_update_args update_args(const std::vector<crf_message>& messages);
    void require_unaries() const;
    void require_started() const;

    engine& on_;
    int32_t height_, width_, labels_;
    int64_t pixels_, stride_;
    memory_budget budget_;
    big_array<float> unary_;
    big_array<float> beliefs_;  // from the start on: making the lattices takes more memory than they do then
    bool has_unaries_ = true;   // 0 to begin with; false after some were refused, which leaves parts of both
    bool started_ = false;
    std::vector<pairwise> kernels_;
};

}  // namespace atrous

#endif  // ATROUS_CRF_CRF_H
