// Contracts of the CRF's hot loops. A row holds one float per label, padded with zeros to stride floats: 1, 4 or a
// multiple of 8, and then aligned to itself or to 32 bytes. Every sum runs in an order that the data alone decides, so
// that the result is the same for any number of threads and on any instruction set.
#ifndef ATROUS_CRF_KERNELS_H
#define ATROUS_CRF_KERNELS_H

#include <stdint.h>

namespace atrous {

// Index arrays are readable this many elements beyond their end, and hold valid indices there: the loops prefetch ahead
// without a bound to check. crf_message.vertex is readable this many pixels beyond its end.
constexpr int64_t crf_read_ahead = 64;
constexpr int64_t crf_pixels_ahead = 4;

// Items: lattice vertices. values(v) = blur along axis 0 of splat(v) = sum of weight * beliefs(pixel) over v's entries.
struct crf_splat_args {
    const int32_t* start;      // vertices + 1: where the entries of a vertex begin
    const int32_t* pixel;      // entries
    const float* weight;       // entries
    const uint8_t* continues;  // vertices + 1: 1 where vertex v - 1 is v's neighbour along axis 0
    const float* beliefs;      // pixels x stride
    float* values;             // vertices x stride
    int64_t stride;
};

// Items: segments. Blurs in place along one axis: v' = v + (neighbour before + neighbour after) / 2, zero where a
// neighbour is missing. A chain is a run of neighbours; its last element has crf_chain_end set.
struct crf_blur_args {
    const int32_t* chain;    // vertices in chain order
    const int64_t* segment;  // segments + 1: positions in chain where a chain begins
    float* values;           // vertices x stride
    int64_t stride;
};
constexpr int32_t crf_chain_end = INT32_MIN;

// One Gaussian kernel, blurred and waiting to be sliced.
struct crf_message {
    const float* values;      // vertices x stride
    const int32_t* vertex;    // pixels x corners
    const float* weight;      // pixels x corners
    int32_t corners;          // dimensions + 1
    const float* attraction;  // stride: what a label's own message adds to its energy; null where matrix is set
    const float* matrix;      // null, or labels x stride, symmetric: what label l's message takes from every label
};

// Items: pixels. energy = -unary + attraction * message, or - matrix * message, kernel by kernel; beliefs =
// softmax(energy). With energies set, that is written instead, row 0 for pixel begin.
// memory: 2 * stride floats.
struct crf_update_args {
    const crf_message* messages;
    int32_t message_count;
    int32_t labels;
    const float* unary;  // pixels x stride, the padding +infinity
    float* beliefs;      // pixels x stride
    float* energies;     // null, or (end - begin) x stride
    int64_t stride;
};

}  // namespace atrous

#endif  // ATROUS_CRF_KERNELS_H
