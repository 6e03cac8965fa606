// Numbers the distinct keys of a list, on all threads and yet always alike: the list is split by hash into buckets, and
// each bucket, whose number of buckets depends on the list's length alone, is numbered in the list's order.
#ifndef ATROUS_CRF_VERTEX_TABLE_H
#define ATROUS_CRF_VERTEX_TABLE_H

#include <cstdint>
#include <vector>

#include "crf/big_array.h"
#include "parallel.h"

namespace atrous {

class vertex_table {
 public:
    // keys: count keys of words 64-bit words, in entry order.
    vertex_table(engine& on, const uint64_t* keys, int64_t count, int words);

    int32_t size() const { return size_; }
    int words() const { return words_; }
    // The vertex of each entry.
    const int32_t* vertices() const { return vertex_of_.data(); }
    // found[i] = the vertex of the i-th key, or -1 when there is none. Many at a time, because each look-up waits for
    // memory and they can wait together.
    void find(const uint64_t* keys, int count, int32_t* found) const;
    static constexpr int most_keys = 32;
    const uint64_t* key(int bucket, int32_t local) const { return buckets_[bucket].keys.data() + local * words_; }

    int bucket_count() const { return static_cast<int>(buckets_.size()); }
    int32_t first_of(int bucket) const { return buckets_[bucket].first; }
    int32_t size_of(int bucket) const { return buckets_[bucket].size; }
    // A bucket's entries in rising order: [begin, end) of entries_by_bucket().
    int64_t entries_begin(int bucket) const { return buckets_[bucket].entries_begin; }
    int64_t entries_end(int bucket) const { return buckets_[bucket].entries_end; }
    const int32_t* entries_by_bucket() const { return entries_.data(); }

 private:
    struct slot {
        int32_t vertex = -1;  // free
        uint32_t tag = 0;     // part of the hash that the position does not use: most strangers are known by it
    };
    struct bucket {
        std::vector<uint64_t> keys;  // size * words
        std::vector<slot> slots;     // open addressing
        int32_t first = 0, size = 0;
        int64_t entries_begin = 0, entries_end = 0;
    };

    uint64_t hash(const uint64_t* key) const;
    int bucket_of(uint64_t hash) const { return static_cast<int>(hash >> 54 & (buckets_.size() - 1)); }
    static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 22); }
    void sort_into_buckets(engine& on, const uint64_t* keys, int64_t count);
    void number(bucket& b, const uint64_t* keys);
    void grow(bucket& b) const;
    // The position of the slot that holds the key, or of the free one where it belongs.
    size_t position_of(const bucket& b, const uint64_t* key, uint64_t hash) const;

    int words_;
    int32_t size_ = 0;
    std::vector<bucket> buckets_;
    big_array<int32_t> entries_;
    big_array<int32_t> vertex_of_;
};

}  // namespace atrous

#endif  // ATROUS_CRF_VERTEX_TABLE_H
