#include "crf/vertex_list.h"

#include <algorithm>
#include <vector>

#include "crf/radix_sort.h"

namespace atrous {

namespace {

constexpr int64_t grain = 16384;

int compare(const uint64_t* a, const uint64_t* b, int words) {
    for (int w = words - 1; w >= 0; --w) {
        if (a[w] != b[w]) return a[w] < b[w] ? -1 : 1;
    }
    return 0;
}

}  // namespace

vertex_list::vertex_list(engine& on, const big_array<uint64_t>& keys, int64_t count, const key_layout& layout)
    : words_(layout.words()), entries_(count) {
    big_array<sort_item> items(count), spare(count);
    for (int w = 0; w < words_; ++w) {
        parallel_for(on, count, grain, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const int32_t entry = w == 0 ? static_cast<int32_t>(i) : items[i].entry;
                items[i] = {keys[static_cast<int64_t>(entry) * words_ + w], entry};
            }
        });
        radix_sort(on, items, spare, layout.bits(w));
    }

    const auto is_first = [&](int64_t i) {
        if (i == 0 || items[i].key != items[i - 1].key) return true;
        if (words_ == 1) return false;
        return compare(keys.data() + static_cast<int64_t>(items[i].entry) * words_,
                       keys.data() + static_cast<int64_t>(items[i - 1].entry) * words_, words_) != 0;
    };
    std::vector<int32_t> firsts((count + grain - 1) / grain, 0);  // of each block, then before it
    parallel_for(on, static_cast<int64_t>(firsts.size()), [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
            int32_t found = 0;
            for (int64_t i = b * grain; i < std::min((b + 1) * grain, count); ++i) found += is_first(i);
            firsts[b] = found;
        }
    });
    for (int32_t& block : firsts) size_ += std::exchange(block, size_);

    starts_ = big_array<int32_t>(static_cast<int64_t>(size_) + 1);
    keys_ = big_array<uint64_t>(static_cast<int64_t>(size_) * words_);
    starts_[size_] = static_cast<int32_t>(count);
    parallel_for(on, static_cast<int64_t>(firsts.size()), [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
            int64_t vertex = firsts[b];
            for (int64_t i = b * grain; i < std::min((b + 1) * grain, count); ++i) {
                entries_[i] = items[i].entry;
                if (!is_first(i)) continue;
                starts_[vertex] = static_cast<int32_t>(i);
                std::copy_n(keys.data() + static_cast<int64_t>(items[i].entry) * words_, words_,
                            keys_.data() + vertex * words_);
                ++vertex;
            }
        }
    });
}

big_array<int32_t> vertex_list::neighbours(engine& on, const uint64_t* step) const {
    big_array<int32_t> next(size_);
    parallel_for(on, size_, grain, [&](int64_t begin, int64_t end) {
        std::vector<uint64_t> wanted(words_);
        const auto aim = [&](int64_t vertex) {
            for (int w = 0; w < words_; ++w) wanted[w] = key(vertex)[w] + step[w];
        };
        aim(begin);
        int64_t at = 0;  // the first vertex whose key is at least the wanted one
        for (int64_t beyond = size_; at < beyond;) {
            const int64_t middle = (at + beyond) / 2;
            if (compare(key(middle), wanted.data(), words_) < 0) {
                at = middle + 1;
            } else {
                beyond = middle;
            }
        }
        for (int64_t v = begin; v < end; ++v) {
            aim(v);
            while (at < size_ && compare(key(at), wanted.data(), words_) < 0) ++at;
            const bool found = at < size_ && compare(key(at), wanted.data(), words_) == 0;
            next[v] = found ? static_cast<int32_t>(at) : -1;
        }
    });
    return next;
}

}  // namespace atrous
