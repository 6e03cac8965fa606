// Mean field on the permutohedral lattice: the loops that touch every label of every pixel or vertex.
// Adams, Baek, Davis 2010, "Fast High-Dimensional Filtering Using the Permutohedral Lattice"; Kraehenbuhl, Koltun 2011.

#include "kernels.h"

namespace atrous::ATROUS_ISA_NAMESPACE {

namespace {

typedef float float4 __attribute__((vector_size(16)));
typedef float float8 __attribute__((vector_size(32)));
typedef int32_t int4 __attribute__((vector_size(16)));
typedef int32_t int8 __attribute__((vector_size(32)));

template <class V>
constexpr int64_t lanes = sizeof(V) / sizeof(float);

// B vectors side by side: as much of a row as stays in registers.
template <class V, int B>
struct block {
    static constexpr int64_t width = B * lanes<V>;
    V part[B];

    static inline block zero() { return block{}; }
    static inline block load(const float* from) {
        block b;
        for (int k = 0; k < B; ++k) b.part[k] = reinterpret_cast<const V*>(from)[k];
        return b;
    }
    inline void store(float* to) const {
        for (int k = 0; k < B; ++k) reinterpret_cast<V*>(to)[k] = part[k];
    }
    inline void add(float weight, const float* from) {
        for (int k = 0; k < B; ++k) part[k] += weight * reinterpret_cast<const V*>(from)[k];
    }
    inline void add(const block& factor, const float* from) {
        for (int k = 0; k < B; ++k) part[k] += factor.part[k] * reinterpret_cast<const V*>(from)[k];
    }
    inline void store_blurred(float* to, const block& before, const block& after) const {
        for (int k = 0; k < B; ++k) reinterpret_cast<V*>(to)[k] = part[k] + 0.5f * (before.part[k] + after.part[k]);
    }
};

// Calls body.template operator()<block>(column) for the blocks that tile a row.
template <class Body>
inline void for_blocks(int64_t stride, Body&& body) {
    if (stride == 1) return body.template operator()<block<float, 1>>(0);
    if (stride == 4) return body.template operator()<block<float4, 1>>(0);
    int64_t column = 0;
    for (; stride - column >= 32; column += 32) body.template operator()<block<float8, 4>>(column);
    switch ((stride - column) / 8) {
        case 3:
            return body.template operator()<block<float8, 3>>(column);
        case 2:
            return body.template operator()<block<float8, 2>>(column);
        case 1:
            return body.template operator()<block<float8, 1>>(column);
    }
}

template <class Block>
inline void prefetch(const float* row) {
    __builtin_prefetch(row);
    if constexpr (sizeof(Block) > 32) __builtin_prefetch(row + Block::width - 1);
}

template <class Block>
inline Block splat_vertex(const crf_splat_args& a, int64_t vertex, int64_t column) {
    constexpr int64_t ahead = 16;
    static_assert(ahead <= crf_read_ahead);
    Block sum = Block::zero();
    for (int64_t entry = a.start[vertex]; entry < a.start[vertex + 1]; ++entry) {
        prefetch<Block>(a.beliefs + a.pixel[entry + ahead] * a.stride + column);
        sum.add(a.weight[entry], a.beliefs + a.pixel[entry] * a.stride + column);
    }
    return sum;
}

// Splats as it goes along a chain, so that the values are written once instead of written, read and written.
template <class Block>
void splat_and_blur(const crf_splat_args& a, int64_t column, int64_t begin, int64_t end) {
    Block before = a.continues[begin] ? splat_vertex<Block>(a, begin - 1, column) : Block::zero();
    Block here = splat_vertex<Block>(a, begin, column);
    for (int64_t v = begin; v < end; ++v) {
        float* row = a.values + v * a.stride + column;
        if (a.continues[v + 1]) {
            const Block after = splat_vertex<Block>(a, v + 1, column);
            here.store_blurred(row, before, after);
            before = here;
            here = after;
        } else {
            here.store_blurred(row, before, Block::zero());
            if (v + 1 < end) here = splat_vertex<Block>(a, v + 1, column);
            before = Block::zero();
        }
    }
}

template <class Block>
void blur_chains(const crf_blur_args& a, int64_t column, int64_t begin, int64_t end) {
    constexpr int64_t ahead = 8;
    static_assert(ahead <= crf_read_ahead);
    const auto row_of = [&](int32_t item) {
        return a.values + static_cast<int64_t>(item & ~crf_chain_end) * a.stride + column;
    };
    for (int64_t at = begin; at < end;) {
        float* row = row_of(a.chain[at]);
        Block before = Block::zero();
        Block here = Block::load(row);
        while (a.chain[at] >= 0) {
            prefetch<Block>(row_of(a.chain[at + ahead]));
            float* next = row_of(a.chain[++at]);
            const Block after = Block::load(next);
            here.store_blurred(row, before, after);
            before = here;
            here = after;
            row = next;
        }
        here.store_blurred(row, before, Block::zero());
        ++at;
    }
}

template <class Block>
inline Block slice_pixel(const crf_message& m, int64_t pixel, int64_t stride, int64_t column) {
    const int32_t* vertex = m.vertex + pixel * m.corners;
    const float* weight = m.weight + pixel * m.corners;
    Block sum = Block::zero();
    for (int32_t corner = 0; corner < m.corners; ++corner) {
        sum.add(weight[corner], m.values + vertex[corner] * stride + column);
    }
    return sum;
}

// The rows that a coming pixel will gather: they lie anywhere, and the processor cannot guess where.
inline void prefetch_corners(const crf_message& m, int64_t pixel, int64_t stride) {
    const int32_t* vertex = m.vertex + pixel * m.corners;
    for (int32_t corner = 0; corner < m.corners; ++corner) {
        const float* row = m.values + vertex[corner] * stride;
        __builtin_prefetch(row);
        __builtin_prefetch(row + (stride < 24 ? stride - 1 : 23));
    }
}

// x = exp(x) for x <= 0, within 2 units in the last place; 0 below -80, so that no product with a weight is subnormal
// (slow). Cephes' polynomial on [-ln 2 / 2, ln 2 / 2], times a power of two that is written into the exponent.
template <class V, class Integers>
inline void replace_by_exp(V& x) {
    constexpr float lowest = -80.0f, log2_e = 1.44269504088896341f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    constexpr float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    const V zero{};
    const V bounded = x > lowest ? x : zero + lowest;
    const V shifted = bounded * log2_e + shifter;
    const V n = shifted - shifter;
    const V r = (bounded - n * ln2_high) - n * ln2_low;
    V p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const Integers exponent = (Integers)shifted - __builtin_bit_cast(int32_t, shifter) + 127;
    x = x > lowest ? p * (V)(exponent << 23) : zero;
}

// The sum runs over as many lanes whatever the instruction set, so that all of them add in one order.
template <class V, class Integers>
inline void softmax_row(const float* energy, int64_t stride, float* beliefs) {
    const int64_t count = stride / lanes<V>;
    const V* in = reinterpret_cast<const V*>(energy);
    V* out = reinterpret_cast<V*>(beliefs);
    V highest = in[0];
    for (int64_t k = 1; k < count; ++k) highest = in[k] > highest ? in[k] : highest;
    float most = highest[0];
    for (int64_t lane = 1; lane < lanes<V>; ++lane) most = highest[lane] > most ? highest[lane] : most;
    V sums{};
    for (int64_t k = 0; k < count; ++k) {
        V power = in[k] - most;
        replace_by_exp<V, Integers>(power);
        sums += out[k] = power;
    }
    float sum = 0.0f;
    for (int64_t lane = 0; lane < lanes<V>; ++lane) sum += sums[lane];
    for (int64_t k = 0; k < count; ++k) out[k] /= sum;
}

// Adds all messages to one block of the energies, in registers.
template <class Block>
inline void attract(const crf_update_args& a, int64_t pixel, int64_t column, float* energy) {
    Block sum = Block::zero();
    sum.add(-1.0f, a.unary + pixel * a.stride + column);
    for (int32_t i = 0; i < a.message_count; ++i) {
        const crf_message& m = a.messages[i];
        sum.add(slice_pixel<Block>(m, pixel, a.stride, column), m.attraction + column);
    }
    sum.store(energy + column);
}

// The same where some message crosses from label to label.
void attract_across_labels(const crf_update_args& a, int64_t pixel, float* message, float* energy) {
    for (int64_t k = 0; k < a.stride; ++k) energy[k] = -a.unary[pixel * a.stride + k];
    for (int32_t i = 0; i < a.message_count; ++i) {
        const crf_message& m = a.messages[i];
        for_blocks(a.stride, [&]<class Block>(int64_t column) {
            slice_pixel<Block>(m, pixel, a.stride, column).store(message + column);
        });
        if (m.matrix == nullptr) {
            for (int64_t k = 0; k < a.stride; ++k) energy[k] += message[k] * m.attraction[k];
            continue;
        }
        for (int32_t label = 0; label < a.labels; ++label) {
            const float* row = m.matrix + label * a.stride;
            for (int64_t k = 0; k < a.stride; ++k) energy[k] -= row[k] * message[label];
        }
    }
}

}  // namespace

void crf_splat(const crf_splat_args& a, int64_t begin, int64_t end, float*) {
    for_blocks(a.stride, [&]<class Block>(int64_t column) { splat_and_blur<Block>(a, column, begin, end); });
}

void crf_blur(const crf_blur_args& a, int64_t begin, int64_t end, float*) {
    for_blocks(a.stride,
               [&]<class Block>(int64_t column) { blur_chains<Block>(a, column, a.segment[begin], a.segment[end]); });
}

void crf_update(const crf_update_args& a, int64_t begin, int64_t end, float* memory) {
    bool across_labels = false;
    for (int32_t i = 0; i < a.message_count; ++i) across_labels |= a.messages[i].matrix != nullptr;
    for (int64_t pixel = begin; pixel < end; ++pixel) {
        float* energy = a.energies == nullptr ? memory : a.energies + (pixel - begin) * a.stride;
        for (int32_t i = 0; i < a.message_count; ++i)
            prefetch_corners(a.messages[i], pixel + crf_pixels_ahead, a.stride);
        if (across_labels) {
            attract_across_labels(a, pixel, memory + a.stride, energy);
        } else {
            for_blocks(a.stride, [&]<class Block>(int64_t column) { attract<Block>(a, pixel, column, energy); });
        }
        if (a.energies != nullptr) continue;
        float* beliefs = a.beliefs + pixel * a.stride;
        if (a.stride == 4) {
            softmax_row<float4, int4>(energy, a.stride, beliefs);
        } else {
            softmax_row<float8, int8>(energy, a.stride, beliefs);
        }
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
