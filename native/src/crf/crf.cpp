#include "crf/crf.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "crf/scores.h"

namespace atrous {

namespace {

constexpr int64_t pixel_grain = 128;

std::string describe(const atrous_crf_desc& desc) {
    return "a CRF of " + std::to_string(desc.width) + "x" + std::to_string(desc.height) + " pixels and " +
           std::to_string(desc.labels) + " labels";
}

// Floats of a row: what the kernels' vectors need (crf_kernels.h).
int64_t stride_for(int32_t labels) {
    return labels <= 4 ? 4 : (static_cast<int64_t>(labels) + 7) / 8 * 8;
}

// Sums of larger ones over pixels and labels are infinite, and their softmax is no number.
constexpr float largest_weight = 1e20f;

void require_weights(const float* values, int64_t count, const char* name) {
    if (!std::all_of(values, values + count, [](float v) { return std::fabs(v) <= largest_weight; })) {
        throw fail(ATROUS_INVALID_ARGUMENT, "%s has a value that is not a finite number, or above 1e20", name);
    }
}

}  // namespace

crf::crf(engine& on, const atrous_crf_desc& desc)
    : on_(on),
      height_(desc.height),
      width_(desc.width),
      labels_(desc.labels),
      pixels_(static_cast<int64_t>(desc.height) * desc.width),
      stride_(stride_for(desc.labels)),
      budget_(desc.memory_limit, describe(desc)) {
    const double floats = static_cast<double>(pixels_) * static_cast<double>(stride_);
    budget_.require(2 * floats * sizeof(float), "unaries and beliefs");
    unary_ = big_array<float>(pixels_ * stride_);
    budget_.take(pixels_ * stride_ * static_cast<int64_t>(sizeof(float)));
    parallel_for(on_, pixels_, 4096, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p) {
            float* row = unary_.data() + p * stride_;
            std::fill_n(row, labels_, 0.0f);
            std::fill(row + labels_, row + stride_, std::numeric_limits<float>::infinity());
        }
    });
}

void crf::set_unary(const atrous_crf_scores& scores) {
    has_unaries_ = false;
    parallel_for(on_, pixels_, 1024, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p) scores_to_energies(scores, p, labels_, unary_.data() + p * stride_);
    });
    has_unaries_ = true;
}

void crf::read_compatibility(const atrous_crf_kernel& kernel, pairwise& into) const {
    const float* values = kernel.compatibility_values;
    switch (kernel.compatibility) {
        case ATROUS_CRF_POTTS:
            require_weights(values, 1, "the Potts weight");
            into.attraction = big_array<float>(stride_, 0.0f);
            std::fill_n(into.attraction.data(), labels_, *values);
            return;
        case ATROUS_CRF_DIAGONAL:
            require_weights(values, labels_, "the diagonal compatibility");
            into.attraction = big_array<float>(stride_, 0.0f);
            std::transform(values, values + labels_, into.attraction.data(), std::negate());
            return;
        case ATROUS_CRF_MATRIX:
            require_weights(values, static_cast<int64_t>(labels_) * labels_, "the compatibility matrix");
            into.matrix = big_array<float>(labels_ * stride_, 0.0f);
            for (int64_t i = 0; i < labels_; ++i) {
                for (int64_t j = 0; j < labels_; ++j) {
                    into.matrix[i * stride_ + j] = 0.5f * (values[i * labels_ + j] + values[j * labels_ + i]);
                }
            }
            return;
        default:
            throw fail(ATROUS_INVALID_ARGUMENT, "compatibility %d is not an atrous_crf_compatibility",
                       kernel.compatibility);
    }
}

void crf::add_kernel(int dims, const feature_source& features, const atrous_crf_kernel& kernel) {
    require_not_null(kernel.compatibility_values, "compatibility_values");
    if (kernel.normalization < ATROUS_CRF_NORMALIZE_NONE || kernel.normalization > ATROUS_CRF_NORMALIZE_SYMMETRIC) {
        throw fail(ATROUS_INVALID_ARGUMENT, "normalization %d is not an atrous_crf_normalization",
                   kernel.normalization);
    }
    pairwise added;
    read_compatibility(kernel, added);
    added.filter = std::make_unique<lattice>(on_, dims, pixels_, features,
                                             static_cast<crf_normalization>(kernel.normalization), budget_);
    const int64_t lattice_bytes = added.filter->bytes();
    const int64_t values = static_cast<int64_t>(added.filter->vertices()) * stride_;
    budget_.take(lattice_bytes);
    try {
        budget_.require(static_cast<double>(values) * sizeof(float), "the values of the lattice's vertices");
        added.values = big_array<float>(values);
        kernels_.push_back(std::move(added));
    } catch (...) {
        budget_.give_back(lattice_bytes);
        throw;
    }
    budget_.take(values * static_cast<int64_t>(sizeof(float)));
}

std::vector<crf_message> crf::send_messages() {
    std::vector<crf_message> messages;
    for (pairwise& kernel : kernels_) {
        kernel.filter->filter(on_, beliefs_.data(), kernel.values.data(), stride_);
        crf_message message = kernel.filter->slice_of(kernel.values.data());
        message.attraction = kernel.attraction.data();
        message.matrix = kernel.matrix.data();
        messages.push_back(message);
    }
    return messages;
}

crf_update_args crf::update_args(const std::vector<crf_message>& messages) {
    return {.messages = messages.data(),
            .message_count = static_cast<int32_t>(messages.size()),
            .labels = labels_,
            .unary = unary_.data(),
            .beliefs = beliefs_.data(),
            .energies = nullptr,
            .stride = stride_};
}

void crf::update_beliefs(const std::vector<crf_message>& messages) {
    const crf_update_args args = update_args(messages);
    parallel_for(on_, pixels_, pixel_grain, [&](int64_t begin, int64_t end, scratch& memory) {
        on_.kernels.crf_update(args, begin, end, memory.floats(2 * stride_));
    });
}

void crf::start() {
    require_unaries();
    if (beliefs_.data() == nullptr) {
        const int64_t bytes = pixels_ * stride_ * static_cast<int64_t>(sizeof(float));
        budget_.require(static_cast<double>(bytes), "beliefs");
        beliefs_ = big_array<float>(pixels_ * stride_);
        budget_.take(bytes);
    }
    update_beliefs({});
    started_ = true;
}

void crf::step() {
    require_started();
    require_unaries();
    update_beliefs(send_messages());
}

// KL(Q||P) up to the constant log Z: sum of q (log q + unary + pairwise) = sum of q (log q - energy). Equation 5.
double crf::kl_divergence() {
    require_started();
    require_unaries();
    constexpr int64_t block = 1024;  // fixed, so that the sum is the same for any number of threads
    const std::vector<crf_message> messages = send_messages();
    const crf_update_args args = update_args(messages);
    std::vector<double> sums((pixels_ + block - 1) / block, 0.0);
    parallel_for(on_, static_cast<int64_t>(sums.size()), [&](int64_t begin, int64_t end, scratch& memory) {
        crf_update_args mine = args;
        float* work = memory.floats((2 + block) * stride_);
        mine.energies = work + 2 * stride_;
        for (int64_t i = begin; i < end; ++i) {
            const int64_t first = i * block, last = std::min(first + block, pixels_);
            on_.kernels.crf_update(mine, first, last, work);
            for (int64_t p = first; p < last; ++p) {
                const float* q = beliefs_.data() + p * stride_;
                const float* energy = mine.energies + (p - first) * stride_;
                for (int32_t l = 0; l < labels_; ++l) {
                    sums[i] += static_cast<double>(q[l]) * (std::log(std::max(q[l], 1e-20f)) - energy[l]);
                }
            }
        }
    });
    double sum = 0.0;
    for (double part : sums) sum += part;
    return sum;
}

void crf::read_beliefs(float* beliefs, int64_t label_stride, int64_t pixel_stride) const {
    require_started();
    parallel_for(on_, pixels_, 1024, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p) {
            const float* row = beliefs_.data() + p * stride_;
            for (int64_t l = 0; l < labels_; ++l) beliefs[l * label_stride + p * pixel_stride] = row[l];
        }
    });
}

void crf::read_labels(uint16_t* labels) const {
    require_started();
    parallel_for(on_, pixels_, 1024, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p) {
            const float* row = beliefs_.data() + p * stride_;
            labels[p] = static_cast<uint16_t>(std::max_element(row, row + labels_) - row);
        }
    });
}

void crf::require_unaries() const {
    if (!has_unaries_) throw fail(ATROUS_INVALID_ARGUMENT, "the last scores were refused; set others first");
}

void crf::require_started() const {
    if (!started_) throw fail(ATROUS_INVALID_ARGUMENT, "the CRF has no beliefs yet; call atrous_crf_start first");
}

}  // namespace atrous
