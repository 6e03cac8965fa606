// What a product is made of, and the product itself.
#pragma once
#include <cstddef>
#include <cstdint>

#include "../include/atrous_numbers.h"

namespace blaslt {

// The product, by value: what a graph replays later.
struct Product {
    device::Format format;
    int64_t m, n, k;
    int64_t a_row, a_inner, b_inner, b_column, c_leading, d_leading;
    const void *a, *b, *c, *bias;
    void* d;
    double alpha, beta;
    bool relu, rounds_parts;
    size_t a_bytes, b_bytes, c_bytes, d_bytes;
    const void* workspace;
    size_t workspace_bytes;
};

// False after telling what is outside device memory. state: a Product.
bool run(void* state);

}  // namespace blaslt
