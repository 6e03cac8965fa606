#include "crf/vertex_table.h"

#include <algorithm>
#include <bit>

namespace atrous {

namespace {

constexpr int64_t entries_per_bucket = 8192;  // so that a bucket's table stays in the second-level cache
constexpr int64_t most_buckets = 1024;
constexpr int64_t most_blocks = 256;

size_t buckets_for(int64_t count) {
    return std::bit_ceil(static_cast<size_t>(std::clamp<int64_t>(count / entries_per_bucket, 1, most_buckets)));
}

}  // namespace

vertex_table::vertex_table(engine& on, const uint64_t* keys, int64_t count, int words)
    : words_(words), buckets_(buckets_for(count)), entries_(count), vertex_of_(count) {
    sort_into_buckets(on, keys, count);
    parallel_for(on, bucket_count(), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) number(buckets_[i], keys);
    });
    for (bucket& b : buckets_) {
        b.first = size_;
        size_ += b.size;
    }
    parallel_for(on, bucket_count(), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const bucket& b = buckets_[i];
            for (int64_t at = b.entries_begin; at < b.entries_end; ++at) vertex_of_[entries_[at]] += b.first;
        }
    });
}

uint64_t vertex_table::hash(const uint64_t* key) const {
    // The finalizer of splitmix64, word by word: neighbouring keys differ in few bits.
    uint64_t h = 0;
    for (int w = 0; w < words_; ++w) {
        h = (h ^ key[w]) + 0x9E3779B97F4A7C15;
        h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9;
        h = (h ^ (h >> 27)) * 0x94D049BB133111EB;
        h ^= h >> 31;
    }
    return h;
}

// A stable counting sort: blocks of entries are counted and placed in parallel, buckets outermost.
void vertex_table::sort_into_buckets(engine& on, const uint64_t* keys, int64_t count) {
    const int64_t block = std::max<int64_t>((count + most_blocks - 1) / most_blocks, 1);
    const int64_t blocks = (count + block - 1) / block;
    const size_t buckets = buckets_.size();
    std::vector<int64_t> place(blocks * buckets, 0);
    const auto for_entries = [&](auto&& visit) {
        parallel_for(on, blocks, [&](int64_t begin, int64_t end) {
            for (int64_t b = begin; b < end; ++b) {
                int64_t* row = place.data() + b * buckets;
                const int64_t last = std::min((b + 1) * block, count);
                for (int64_t e = b * block; e < last; ++e) visit(row[bucket_of(hash(keys + e * words_))], e);
            }
        });
    };
    for_entries([](int64_t& counter, int64_t) { ++counter; });
    int64_t next = 0;
    for (size_t i = 0; i < buckets; ++i) {
        buckets_[i].entries_begin = next;
        for (int64_t b = 0; b < blocks; ++b) next += std::exchange(place[b * buckets + i], next);
        buckets_[i].entries_end = next;
    }
    for_entries([&](int64_t& position, int64_t e) { entries_[position++] = static_cast<int32_t>(e); });
}

void vertex_table::number(bucket& b, const uint64_t* keys) {
    b.slots.resize(std::bit_ceil(static_cast<size_t>(std::max<int64_t>((b.entries_end - b.entries_begin) / 2, 16))));
    for (int64_t at = b.entries_begin; at < b.entries_end; ++at) {
        const int32_t entry = entries_[at];
        const uint64_t* key = keys + static_cast<int64_t>(entry) * words_;
        const uint64_t h = hash(key);
        slot& found = b.slots[position_of(b, key, h)];
        if (found.vertex < 0) {
            found = {b.size, tag_of(h)};
            vertex_of_[entry] = b.size++;
            b.keys.insert(b.keys.end(), key, key + words_);
            if (static_cast<size_t>(b.size) * 2 > b.slots.size()) grow(b);
        } else {
            vertex_of_[entry] = found.vertex;
        }
    }
}

void vertex_table::grow(bucket& b) const {
    b.slots.assign(b.slots.size() * 2, slot{});
    for (int32_t i = 0; i < b.size; ++i) {
        const uint64_t* key = b.keys.data() + static_cast<int64_t>(i) * words_;
        const uint64_t h = hash(key);
        b.slots[position_of(b, key, h)] = {i, tag_of(h)};
    }
}

size_t vertex_table::position_of(const bucket& b, const uint64_t* key, uint64_t hash) const {
    const auto same = [&](const slot& s) {
        if (s.tag != tag_of(hash)) return false;
        const uint64_t* other = b.keys.data() + static_cast<int64_t>(s.vertex) * words_;
        for (int w = 0; w < words_; ++w) {
            if (other[w] != key[w]) return false;
        }
        return true;
    };
    const size_t mask = b.slots.size() - 1;
    size_t position = hash & mask;
    while (b.slots[position].vertex >= 0 && !same(b.slots[position])) position = (position + 1) & mask;
    return position;
}

void vertex_table::find(const uint64_t* keys, int count, int32_t* found) const {
    uint64_t hashes[most_keys];
    for (int i = 0; i < count; ++i) {
        hashes[i] = hash(keys + i * words_);
        const bucket& b = buckets_[bucket_of(hashes[i])];
        __builtin_prefetch(b.slots.data() + (hashes[i] & (b.slots.size() - 1)));
    }
    for (int i = 0; i < count; ++i) {
        const bucket& b = buckets_[bucket_of(hashes[i])];
        const int32_t vertex = b.slots[position_of(b, keys + i * words_, hashes[i])].vertex;
        found[i] = vertex < 0 ? -1 : b.first + vertex;
    }
}

}  // namespace atrous
