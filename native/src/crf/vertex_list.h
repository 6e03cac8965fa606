// The distinct keys of a list in rising order, which numbers the vertices: the neighbours along an axis then lie in
// that order too, and one walk through the list finds them all.
#ifndef ATROUS_CRF_VERTEX_LIST_H
#define ATROUS_CRF_VERTEX_LIST_H

#include <cstdint>

#include "crf/big_array.h"
#include "crf/vertex_key.h"
#include "parallel.h"

namespace atrous {

class vertex_list {
 public:
    // keys: count keys of the layout, in entry order.
    vertex_list(engine& on, const big_array<uint64_t>& keys, int64_t count, const key_layout& layout);

    int32_t size() const { return size_; }
    // Entries by vertex, rising in each: vertex v has those at [start(v), start(v + 1)).
    const int32_t* entries() const { return entries_.data(); }
    big_array<int32_t> take_starts() { return std::move(starts_); }
    // next[v] = the vertex one step from v, or -1.
    big_array<int32_t> neighbours(engine& on, const uint64_t* step) const;

 private:
    const uint64_t* key(int64_t vertex) const { return keys_.data() + vertex * words_; }

    int words_;
    int32_t size_ = 0;
    big_array<int32_t> entries_;
    big_array<int32_t> starts_;
    big_array<uint64_t> keys_;
};

}  // namespace atrous

#endif  // ATROUS_CRF_VERTEX_LIST_H
