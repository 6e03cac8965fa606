// Mean field on the permutohedral lattice: the loops that touch every label of every pixel or vertex.
// Adams, Baek, Davis 2010, "Fast High-Dimensional Filtering Using the Permutohedral Lattice"; Kraehenbuhl, Koltun 2011.

#include "kernels.h"

namespace atrous::ATROUS_ISA_NAMESPACE {

namespace {

typedef float float4 __attribute__((vector_size(16)));
typedef float float8 __attribute__((vector_size(32)));

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
inline void slice_pixel(const crf_message& m, int64_t pixel, int64_t stride, int64_t column, float* out) {
    const int32_t* vertex = m.vertex + pixel * m.corners;
    const float* weight = m.weight + pixel * m.corners;
    Block sum = Block::zero();
    for (int32_t corner = 0; corner < m.corners; ++corner) {
        sum.add(weight[corner], m.values + vertex[corner] * stride + column);
    }
    sum.store(out + column);
}

// The rows that the pixel after next will gather: they lie anywhere, and the processor cannot guess where.
inline void prefetch_corners(const crf_message& m, int64_t pixel, int64_t stride) {
    const int32_t* vertex = m.vertex + pixel * m.corners;
    const int32_t corners = m.corners < crf_read_ahead / 4 ? m.corners : crf_read_ahead / 4;
    for (int32_t corner = 0; corner < corners; ++corner) {
        const float* row = m.values + vertex[corner] * stride;
        __builtin_prefetch(row);
        __builtin_prefetch(row + (stride < 24 ? stride - 1 : 23));
    }
}

inline void apply_compatibility(const crf_message& m, const float* message, int32_t labels, int64_t stride,
                                float* energy) {
    switch (m.compatibility) {
        case crf_compatibility::potts:
            for (int64_t k = 0; k < stride; ++k) energy[k] += m.potts * message[k];
            return;
        case crf_compatibility::diagonal:
            for (int64_t k = 0; k < stride; ++k) energy[k] -= m.table[k] * message[k];
            return;
        case crf_compatibility::matrix:
            for (int32_t label = 0; label < labels; ++label) {
                const float* row = m.table + label * stride;
                for (int64_t k = 0; k < stride; ++k) energy[k] -= row[k] * message[label];
            }
    }
}

// exp(x) for x <= 0 within 2 units in the last place; 0 below -80, so that no product with a weight is subnormal (slow).
// Cephes' polynomial on [-ln 2 / 2, ln 2 / 2], times a power of two that is written into the exponent.
inline float exp_of_negative(float x) {
    constexpr float lowest = -80.0f, log2_e = 1.44269504088896341f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    constexpr float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    const float bounded = x > lowest ? x : lowest;
    const float shifted = bounded * log2_e + shifter;
    const float n = shifted - shifter;
    const float r = (bounded - n * ln2_high) - n * ln2_low;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const int32_t exponent = __builtin_bit_cast(int32_t, shifted) - __builtin_bit_cast(int32_t, shifter) + 127;
    const float power = __builtin_bit_cast(float, exponent << 23);
    return x > lowest ? p * power : 0.0f;
}

// Sums and maxima run over 4 lanes whatever the vector width, so that every instruction set adds in one order.
void softmax(const float* energy, int64_t stride, float* beliefs) {
    float high[4] = {energy[0], energy[1], energy[2], energy[3]};
    for (int64_t k = 4; k < stride; k += 4) {
        for (int lane = 0; lane < 4; ++lane) high[lane] = high[lane] > energy[k + lane] ? high[lane] : energy[k + lane];
    }
    const float low = high[0] > high[1] ? high[0] : high[1], up = high[2] > high[3] ? high[2] : high[3];
    const float most = low > up ? low : up;
    for (int64_t k = 0; k < stride; ++k) beliefs[k] = exp_of_negative(energy[k] - most);
    float sum[4] = {};
    for (int64_t k = 0; k < stride; k += 4) {
        for (int lane = 0; lane < 4; ++lane) sum[lane] += beliefs[k + lane];
    }
    const float total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (int64_t k = 0; k < stride; ++k) beliefs[k] /= total;
}

}  // namespace

void crf_splat(const crf_splat_args& a, int64_t begin, int64_t end) {
    for_blocks(a.stride, [&]<class Block>(int64_t column) { splat_and_blur<Block>(a, column, begin, end); });
}

void crf_blur(const crf_blur_args& a, int64_t begin, int64_t end) {
    for_blocks(a.stride, [&]<class Block>(int64_t column) {
        blur_chains<Block>(a, column, a.segment[begin], a.segment[end]);
    });
}

void crf_update(const crf_update_args& a, int64_t begin, int64_t end) {
    float* message = a.scratch + a.stride;
    for (int64_t pixel = begin; pixel < end; ++pixel) {
        float* energy = a.energies == nullptr ? a.scratch : a.energies + (pixel - begin) * a.stride;
        const float* unary = a.unary + pixel * a.stride;
        for (int64_t k = 0; k < a.stride; ++k) energy[k] = -unary[k];
        for (int32_t i = 0; i < a.message_count; ++i) {
            const crf_message& m = a.messages[i];
            prefetch_corners(m, pixel + 2, a.stride);
            for_blocks(a.stride, [&]<class Block>(int64_t column) {
                slice_pixel<Block>(m, pixel, a.stride, column, message);
            });
            apply_compatibility(m, message, a.labels, a.stride, energy);
        }
        if (a.energies == nullptr) softmax(energy, a.stride, a.beliefs + pixel * a.stride);
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
