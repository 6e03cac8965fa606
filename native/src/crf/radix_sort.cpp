#include "crf/radix_sort.h"

#include <vector>

namespace atrous {

namespace {

constexpr int most_digit_bits = 11;  // so that the counters stay in the first-level cache
constexpr int64_t most_blocks = 16;

// One pass of a stable counting sort: blocks of items are counted and placed in parallel, digits outermost.
void sort_by_digit(engine& on, const big_array<sort_item>& from, big_array<sort_item>& to, int shift, int bits) {
    const uint64_t mask = (uint64_t{1} << bits) - 1;
    const int64_t digits = int64_t{1} << bits, count = from.size();
    const int64_t block = std::max<int64_t>((count + most_blocks - 1) / most_blocks, 4096);
    const int64_t blocks = (count + block - 1) / block;
    std::vector<int64_t> places(blocks * digits, 0);
    const auto for_items = [&](auto&& visit) {
        parallel_for(on, blocks, [&](int64_t begin, int64_t end) {
            for (int64_t b = begin; b < end; ++b) {
                int64_t* place = places.data() + b * digits;
                const int64_t last = std::min((b + 1) * block, count);
                for (int64_t i = b * block; i < last; ++i) visit(place[from[i].key >> shift & mask], from[i]);
            }
        });
    };
    for_items([](int64_t& counter, const sort_item&) { ++counter; });
    int64_t next = 0;
    for (int64_t digit = 0; digit < digits; ++digit) {
        for (int64_t b = 0; b < blocks; ++b) next += std::exchange(places[b * digits + digit], next);
    }
    for_items([&](int64_t& position, const sort_item& item) { to[position++] = item; });
}

}  // namespace

void radix_sort(engine& on, big_array<sort_item>& items, big_array<sort_item>& spare, int bits) {
    const int passes = (bits + most_digit_bits - 1) / most_digit_bits;
    for (int pass = 0, shift = 0; pass < passes; ++pass) {
        const int width = (bits - shift + passes - pass - 1) / (passes - pass);
        sort_by_digit(on, items, spare, shift, width);
        std::swap(items, spare);
        shift += width;
    }
}

}  // namespace atrous
