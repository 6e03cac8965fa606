// Attention between the pixels of a sequence: softmax(scale * q k^T) v, a few queries at a time over a part of the
// keys, so that the scores stay in the cache and no memory grows with the picture; the softmax is summed as the parts
// come by (Milakov and Gimelshein 2018, arXiv:1805.02867). And the linear kind, whose softmax is over the pixels of one
// channel.
#include <algorithm>

#include "kernels.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

constexpr int tile = attention_tile;

// The pixels at one place of their patches, row by row.
struct tokens {
    tokens(const atrous_tensor& t, int64_t sequence, int64_t patch, int64_t channel)
        : columns(t.width / patch), right(patch * t.pixel_stride), down(patch * t.width * t.pixel_stride) {
        const int64_t n = sequence / (patch * patch), y = sequence / patch % patch, x = sequence % patch;
        first = elements<float>(t) + ((n * t.height + y) * t.width + x) * t.pixel_stride + channel;
    }
    float* operator[](int64_t i) const { return first + i / columns * down + i % columns * right; }

    float* first;
    int64_t columns, right, down;
};

struct packed_head {
    float* keys;    // [pair of registers of keys][channel][lanes of both]
    float* values;  // [key][channels, padded with zeros]
    int64_t count, padded_count, depth, padded_depth;
};

// From the first key on, as many as the head says.
void pack(const attention_args& a, int64_t sequence, int64_t channel, int64_t first, const packed_head& head) {
    const tokens keys(a.keys, sequence, a.patch, channel), values(a.values, sequence, a.patch, channel);
    constexpr int64_t columns = 2 * width;
    for (int64_t i = 0; i < head.padded_count; ++i) {
        const float* key = i < head.count ? keys[first + i] : nullptr;
        float* to = head.keys + i / columns * columns * head.depth + i % columns;
        for (int64_t c = 0; c < head.depth; ++c) to[c * columns] = key != nullptr ? key[c] : 0.0f;
    }
    for (int64_t i = 0; i < head.count; ++i) {
        const float* value = values[first + i];
        float* to = head.values + i * head.padded_depth;
        for (int64_t c = 0; c < head.depth; ++c) to[c] = value[c];
        for (int64_t c = head.depth; c < head.padded_depth; ++c) to[c] = 0.0f;
    }
}

// scores[t][i] = scale * q[t] . k[i]
void score(const packed_head& head, const float* const (&queries)[tile], float scale, float* scores) {
    for (int64_t i = 0; i < head.padded_count; i += 2 * width) {
        const float* keys = head.keys + i * head.depth;
        vec low[tile], high[tile];
        for (int t = 0; t < tile; ++t) low[t] = high[t] = all(0.0f);
        for (int64_t c = 0; c < head.depth; ++c, keys += 2 * width) {
            const vec first = load(keys), second = load(keys + width);
            for (int t = 0; t < tile; ++t) {
                const vec q = all(queries[t][c]);
                low[t] = multiply_add(q, first, low[t]);
                high[t] = multiply_add(q, second, high[t]);
            }
        }
        for (int t = 0; t < tile; ++t) {
            store(scores + t * head.padded_count + i, low[t] * all(scale));
            store(scores + t * head.padded_count + i + width, high[t] * all(scale));
        }
    }
}

// Of whole registers; what pads is made to vanish.
float largest(float* x, int64_t count, int64_t padded) {
    for (int64_t i = count; i < padded; ++i) x[i] = -__builtin_inff();
    vec most = load(x);
    for (int64_t i = width; i < padded; i += width) most = larger(most, load(x + i));
    return largest_lane(most);
}

// exp(x - best) in place; returns the sum.
float exponentials(float* x, int64_t padded, float best) {
    vec total = all(0.0f);
    for (int64_t i = 0; i < padded; i += width) {
        const vec e = exponential(load(x + i) - all(best));
        total = total + e;
        store(x + i, e);
    }
    return sum_of_lanes(total);
}

// What is known of a run of queries when some of the keys have come by.
struct query_sums {
    float* totals;  // [query][channels, padded]: weighted values
    float* sums;    // [query]: of the weights
    float* best;    // [query]: the largest score, of which the weights are exponentials
};

// totals[t] = totals[t] * factors[t] + sum over i of weights[t][i] * v[i], of nothing where the part is the first.
void mix(const packed_head& head, const float* weights, bool first, const float (&factors)[tile], float* totals) {
    for (int64_t c = 0; c < head.depth; c += width) {
        vec total[tile];
        for (int t = 0; t < tile; ++t)
            total[t] = first ? all(0.0f) : load(totals + t * head.padded_depth + c) * all(factors[t]);
        for (int64_t i = 0; i < head.count; ++i) {
            const vec value = load(head.values + i * head.padded_depth + c);
            for (int t = 0; t < tile; ++t)
                total[t] = multiply_add(all(weights[t * head.padded_count + i]), value, total[t]);
        }
        for (int t = 0; t < tile; ++t) store(totals + t * head.padded_depth + c, total[t]);
    }
}

// Lets a part of the keys come by a tile of queries.
void attend(const packed_head& head, const float* const (&queries)[tile], float scale, bool first, float* scores,
            const query_sums& known) {
    float factors[tile];
    score(head, queries, scale, scores);
    for (int t = 0; t < tile; ++t) {
        float* line = scores + t * head.padded_count;
        const float most = largest(line, head.count, head.padded_count);
        const float best = first || most > known.best[t] ? most : known.best[t];
        const float sum = exponentials(line, head.padded_count, best);
        factors[t] = first ? 0.0f : largest_lane(exponential(all(known.best[t] - best)));
        known.sums[t] = first ? sum : known.sums[t] * factors[t] + sum;
        known.best[t] = best;
    }
    mix(head, scores, first, factors, known.totals);
}

}  // namespace

void attention(const attention_args& a, int64_t begin, int64_t end, float* memory) {
    const int64_t queries = attention_tokens(a.queries, a.patch), count = attention_tokens(a.keys, a.patch);
    const int64_t room = attention_padded(std::min(count, attention_part), width);
    const int64_t most_blocks = attention_most_blocks(a);
    packed_head head;
    head.depth = a.queries.channels / a.heads;
    head.padded_depth = attention_padded(head.depth, width);
    head.keys = memory;
    head.values = head.keys + head.padded_depth * room;
    float* scores = head.values + head.padded_depth * room;
    query_sums known;
    known.totals = scores + tile * room;
    known.sums = known.totals + most_blocks * attention_queries * head.padded_depth;
    known.best = known.sums + most_blocks * attention_queries;
    int64_t packed = -1;
    for (int64_t item = begin; item < end;) {
        const int64_t which = item / a.blocks, sequence = which / a.heads, channel = which % a.heads * head.depth;
        const int64_t next = std::min(std::min(item + most_blocks, end), (which + 1) * a.blocks);
        const int64_t first = item % a.blocks * attention_queries;
        const int64_t last = std::min(first + (next - item) * attention_queries, queries);
        const tokens from(a.queries, sequence, a.patch, channel), to(a.output, sequence, a.patch, channel);
        for (int64_t key = 0; key < count; key += attention_part) {
            head.count = std::min(count - key, attention_part);
            head.padded_count = attention_padded(head.count, width);
            // The keys of the item before stay, where they are in one part.
            if (which != packed || count > attention_part) pack(a, sequence, channel, key, head);
            packed = which;
            for (int64_t q = first; q < last; q += tile) {
                const float* in[tile];
                for (int64_t t = 0; t < tile; ++t) in[t] = from[std::min(q + t, last - 1)];
                const int64_t row = q - first;
                attend(head, in, a.scale, key == 0, scores,
                       {known.totals + row * head.padded_depth, known.sums + row, known.best + row});
            }
        }
        for (int64_t q = first; q < last; ++q) {
            const float* total = known.totals + (q - first) * head.padded_depth;
            const vec share = all(1.0f / known.sums[q - first]);
            float* out = to[q];
            for (int64_t c = 0; c < head.depth; c += width)
                store_part(out + c, load(total + c) * share, std::min<int64_t>(head.depth - c, width));
        }
        item = next;
    }
}

void attention_context(const attention_context_args& a, int64_t begin, int64_t end, float* memory) {
    const int64_t channels = a.keys.channels, blocks = (channels + context_channels - 1) / context_channels;
    const int64_t count = attention_tokens(a.keys, a.patch), padded = attention_padded(count, width);
    for (int64_t item = begin; item < end; ++item) {
        const int64_t sequence = item / blocks, first = item % blocks * context_channels;
        const int64_t last = first + context_channels < channels ? first + context_channels : channels;
        const tokens scores(a.scores, sequence, a.patch, 0), keys(a.keys, sequence, a.patch, 0);
        for (int64_t i = 0; i < count; ++i) memory[i] = *scores[i];
        const float sum = exponentials(memory, padded, largest(memory, count, padded));
        float* context = a.contexts + sequence * channels;
        for (int64_t c = first; c < last; c += width) {
            const int64_t lanes = last - c < width ? last - c : width;
            vec total = all(0.0f);
            for (int64_t i = 0; i < count; ++i) {
                const float* key = keys[i] + c;
                const vec x = lanes == width ? load(key) : load_part(key, lanes);
                total = multiply_add(all(memory[i]), x, total);
            }
            store_part(context + c, total * all(1.0f / sum), lanes);
        }
    }
}

void linear_attention(const linear_attention_args& a, int64_t begin, int64_t end, float*) {
    const int64_t channels = a.values.channels, columns = a.values.width, rows = a.values.height, patch = a.patch;
    for (int64_t p = begin; p < end; ++p) {
        const int64_t x = p % columns, y = p / columns % rows, n = p / (columns * rows);
        const float* context = a.contexts + ((n * patch + y % patch) * patch + x % patch) * channels;
        const float* in = elements<float>(a.values) + p * a.values.pixel_stride;
        float* out = elements<float>(a.output) + p * a.output.pixel_stride;
        int64_t c = 0;
        for (; c + width <= channels; c += width) store(out + c, larger(all(0.0f), load(in + c)) * load(context + c));
        if (c < channels) {
            const int64_t rest = channels - c;
            store_part(out + c, larger(all(0.0f), load_part(in + c, rest)) * load_part(context + c, rest), rest);
        }
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
