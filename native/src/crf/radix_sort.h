// A stable radix sort on all threads: the order that it yields is the same for any number of them.
#ifndef ATROUS_CRF_RADIX_SORT_H
#define ATROUS_CRF_RADIX_SORT_H

#include <cstdint>

#include "crf/big_array.h"
#include "parallel.h"

namespace atrous {

struct sort_item {
    uint64_t key;
    int32_t entry;
};

// Sorts by the low bits of key, the others being 0. spare: as large as items, of unspecified value afterwards.
void radix_sort(engine& on, big_array<sort_item>& items, big_array<sort_item>& spare, int bits);

}  // namespace atrous

#endif  // ATROUS_CRF_RADIX_SORT_H
