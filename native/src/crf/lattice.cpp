#include "crf/lattice.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "crf/embedding.h"
#include "crf/vertex_key.h"
#include "crf/vertex_list.h"

namespace atrous {

namespace {

constexpr int64_t tile = 256;  // pixels whose features are made at a time

// Calls visit(pixel, features) for every pixel, on all threads; make_state() once per run of pixels.
template <class MakeState, class Visit>
void for_features(engine& on, int dims, int64_t pixels, const feature_source& source, MakeState&& make_state,
                  Visit&& visit) {
    parallel_for(on, pixels, tile, [&](int64_t begin, int64_t end) {
        std::vector<float> features(tile * dims);
        auto state = make_state();
        for (int64_t at = begin; at < end; at += tile) {
            const int64_t last = std::min(at + tile, end);
            source(at, last, features.data());
            for (int64_t p = at; p < last; ++p) visit(state, p, features.data() + (p - at) * dims);
        }
    });
}

[[noreturn]] void refuse_feature(int64_t pixel, const float* features, int dims) {
    const float* worst = std::max_element(features, features + dims, [](float a, float b) {
        return !std::isfinite(b) || (std::isfinite(a) && std::fabs(a) < std::fabs(b));
    });
    if (!std::isfinite(*worst)) {
        throw fail(ATROUS_INVALID_ARGUMENT, "feature %d of pixel %lld is not a finite number",
                   static_cast<int>(worst - features), static_cast<long long>(pixel));
    }
    throw fail(ATROUS_INVALID_ARGUMENT,
               "feature %d of pixel %lld is %g standard deviations from 0, too many for the lattice; use larger sigmas",
               static_cast<int>(worst - features), static_cast<long long>(pixel), static_cast<double>(*worst));
}

// The range of every field of a key.
struct bounds {
    explicit bounds(int count) : lowest(count, HUGE_VALF), highest(count, -HUGE_VALF) {}
    void include(const bounds& other) {
        for (size_t i = 0; i < lowest.size(); ++i) {
            lowest[i] = std::min(lowest[i], other.lowest[i]);
            highest[i] = std::max(highest[i], other.highest[i]);
        }
    }
    std::vector<float> lowest, highest;
};

bounds measure(engine& on, const embedding& embed, int64_t pixels, const feature_source& source) {
    const int count = embed.dims();
    std::mutex mutex;
    bounds all(count);
    struct state {
        explicit state(bounds& all, std::mutex& mutex, int count) : all(all), mutex(mutex), mine(count), point(count) {}
        ~state() {
            std::lock_guard lock(mutex);
            all.include(mine);
        }
        bounds& all;
        std::mutex& mutex;
        bounds mine;
        simplex point;
    };
    for_features(
        on, embed.dims(), pixels, source, [&] { return state(all, mutex, count); },
        [&](state& s, int64_t pixel, const float* features) {
            embed.elevate(features, s.point);
            for (float value : s.point.elevated) {
                if (!(std::fabs(value) <= largest_lattice_coordinate)) refuse_feature(pixel, features, count);
            }
            for (int i = 0; i < count; ++i) {
                const float value = key_layout::field(s.point.elevated.data(), count, i);
                s.mine.lowest[i] = std::min(s.mine.lowest[i], value);
                s.mine.highest[i] = std::max(s.mine.highest[i], value);
            }
        });
    return all;
}

// 1 for every vertex that some vertex has as its next.
big_array<uint8_t> followers(engine& on, const big_array<int32_t>& next) {
    big_array<uint8_t> follows(next.size(), 0);
    parallel_for(on, next.size(), 4096, [&](int64_t begin, int64_t end) {
        for (int64_t v = begin; v < end; ++v) {
            if (next[v] >= 0) follows[next[v]] = 1;
        }
    });
    return follows;
}

}  // namespace

lattice::lattice(engine& on, int dims, int64_t pixels, const feature_source& features, crf_normalization normalization,
                 const memory_budget& budget)
    : dims_(dims), pixels_(pixels), entries_(pixels * (dims + 1)) {
    if (entries_ > INT32_MAX - 4 * crf_read_ahead) {
        throw fail(ATROUS_TOO_LARGE,
                   "%lld pixels with %d features have %lld lattice entries; at most 2^31 fit, so use fewer pixels",
                   static_cast<long long>(pixels), dims, static_cast<long long>(entries_));
    }
    const embedding embed(dims_);
    const bounds range = measure(on, embed, pixels_, features);
    const key_layout layout(dims_, range.lowest, range.highest);
    budget.require((48.0 + 8.0 * layout.words()) * static_cast<double>(entries_), "the lattice");
    vertex_list list(on, embed_pixels(on, embed, layout, features), entries_, layout);
    vertices_ = list.size();
    budget.require((4.0 * dims + 24.0) * vertices_, "the lattice");

    mark_continued(on, list.neighbours(on, layout.step(0)));
    for (int axis = 1; axis <= dims; ++axis) axes_.push_back(list_chains(on, list.neighbours(on, layout.step(axis))));
    list_entries(on, list);
    normalize(on, normalization);
}

int64_t lattice::bytes() const {
    int64_t sum = 16 * entries_ + 5 * static_cast<int64_t>(vertices_);
    for (const chains& axis : axes_) sum += static_cast<int64_t>(axis.vertex.size()) * 4;
    return sum;
}

// Every pixel's simplex: the weights of its corners, and their keys.
big_array<uint64_t> lattice::embed_pixels(engine& on, const embedding& embed, const key_layout& layout,
                                          const feature_source& features) {
    const int corners = dims_ + 1, words = layout.words();
    slice_weight_ = big_array<float>(entries_);
    big_array<uint64_t> keys(entries_ * words);
    for_features(
        on, dims_, pixels_, features, [&] { return simplex(dims_); },
        [&](simplex& s, int64_t pixel, const float* feature) {
            embed.elevate(feature, s);
            embed.enclose(s);
            layout.pack(s, keys.data() + pixel * corners * words);
            std::copy_n(s.weight.data(), corners, slice_weight_.data() + pixel * corners);
        });
    return keys;
}

// Along axis 0 a neighbour is the vertex before or after, or there is none.
void lattice::mark_continued(engine& on, const big_array<int32_t>& next) {
    continues_ = big_array<uint8_t>(static_cast<int64_t>(vertices_) + 1);
    continues_[0] = continues_[vertices_] = 0;
    parallel_for(on, vertices_ - 1, 4096, [&](int64_t begin, int64_t end) {
        for (int64_t v = begin + 1; v <= end; ++v) continues_[v] = next[v] == v - 1;
    });
}

// The entries of every vertex, in pixel order.
void lattice::list_entries(engine& on, vertex_list& list) {
    const int corners = dims_ + 1;
    const int64_t padding = crf_pixels_ahead * corners;
    slice_vertex_ = big_array<int32_t>(entries_ + padding);
    std::fill_n(slice_vertex_.data() + entries_, padding, 0);
    splat_start_ = list.take_starts();
    splat_pixel_ = big_array<int32_t>(entries_ + crf_read_ahead);
    std::fill_n(splat_pixel_.data() + entries_, crf_read_ahead, 0);
    splat_weight_ = big_array<float>(entries_);
    parallel_for(on, vertices_, 4096, [&](int64_t begin, int64_t end) {
        for (int64_t v = begin; v < end; ++v) {
            for (int32_t at = splat_start_[v]; at < splat_start_[v + 1]; ++at) {
                const int32_t entry = list.entries()[at];
                slice_vertex_[entry] = static_cast<int32_t>(v);
                splat_pixel_[at] = entry / corners;
                splat_weight_[at] = slice_weight_[entry];
            }
        }
    });
}

// The chains of at least two neighbours; a vertex without any is what it was after the blur.
lattice::chains lattice::list_chains(engine& on, const big_array<int32_t>& next) const {
    constexpr int64_t block = 8192, segment_length = 512;
    const big_array<uint8_t> follows = followers(on, next);
    const int64_t blocks = (vertices_ + block - 1) / block;
    std::vector<chains> parts(blocks);
    parallel_for(on, blocks, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
            chains& part = parts[b];
            const int64_t last = std::min<int64_t>((b + 1) * block, vertices_);
            for (int64_t head = b * block; head < last; ++head) {
                if (follows[head] || next[head] < 0) continue;
                const auto length = static_cast<int64_t>(part.vertex.size());
                if (part.segment.empty() || length - part.segment.back() >= segment_length) {
                    part.segment.push_back(length);
                }
                for (auto v = static_cast<int32_t>(head); v >= 0; v = next[v]) part.vertex.push_back(v);
                part.vertex.back() |= crf_chain_end;
            }
        }
    });
    chains all;
    for (const chains& part : parts) {
        const auto base = static_cast<int64_t>(all.vertex.size());
        for (int64_t start : part.segment) all.segment.push_back(base + start);
        all.vertex.insert(all.vertex.end(), part.vertex.begin(), part.vertex.end());
    }
    all.segment.push_back(static_cast<int64_t>(all.vertex.size()));
    all.vertex.insert(all.vertex.end(), crf_read_ahead, 0);
    return all;
}

// Folds the factors into the weights: a filter then costs what it would without normalisation.
void lattice::normalize(engine& on, crf_normalization normalization) {
    const float alpha = 1.0f / (1.0f + std::exp2(static_cast<float>(-dims_)));
    const int corners = dims_ + 1;
    big_array<float> norm(pixels_, 1.0f);
    if (normalization != crf_normalization::none) {
        big_array<float> values(vertices_);
        filter(on, norm.data(), values.data(), 1);
        parallel_for(on, pixels_, 4096, [&](int64_t begin, int64_t end) {
            for (int64_t p = begin; p < end; ++p) {
                float sum = 0.0f;
                for (int64_t e = p * corners; e < (p + 1) * corners; ++e) {
                    sum += slice_weight_[e] * alpha * values[slice_vertex_[e]];
                }
                const double n = sum + 1e-20;
                norm[p] = static_cast<float>(1.0 / (normalization == crf_normalization::symmetric ? std::sqrt(n) : n));
            }
        });
    }
    const bool before = normalization == crf_normalization::before || normalization == crf_normalization::symmetric;
    const bool after = normalization == crf_normalization::after || normalization == crf_normalization::symmetric;
    parallel_for(on, pixels_, 4096, [&](int64_t begin, int64_t end) {
        for (int64_t e = begin * corners; e < end * corners; ++e) {
            slice_weight_[e] *= alpha * (after ? norm[e / corners] : 1.0f);
            if (before) splat_weight_[e] *= norm[splat_pixel_[e]];
        }
    });
}

void lattice::filter(engine& on, const float* beliefs, float* values, int64_t stride) const {
    const crf_splat_args splat{.start = splat_start_.data(),
                               .pixel = splat_pixel_.data(),
                               .weight = splat_weight_.data(),
                               .continues = continues_.data(),
                               .beliefs = beliefs,
                               .values = values,
                               .stride = stride};
    parallel_for(on, vertices_, 256,
                 [&](int64_t begin, int64_t end) { on.kernels.crf_splat(splat, begin, end, nullptr); });
    for (const chains& axis : axes_) {
        const crf_blur_args blur{
            .chain = axis.vertex.data(), .segment = axis.segment.data(), .values = values, .stride = stride};
        parallel_for(on, static_cast<int64_t>(axis.segment.size()) - 1,
                     [&](int64_t begin, int64_t end) { on.kernels.crf_blur(blur, begin, end, nullptr); });
    }
}

crf_message lattice::slice_of(const float* values) const {
    return {.values = values,
            .vertex = slice_vertex_.data(),
            .weight = slice_weight_.data(),
            .corners = dims_ + 1,
            .attraction = nullptr,
            .matrix = nullptr};
}

}  // namespace atrous
