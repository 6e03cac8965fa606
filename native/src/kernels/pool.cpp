// Max and average pooling: each output pixel walks its window, cut to the picture, with its channels in registers.
#include "kernels.h"
#include "simd_bytes.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// The part of a window that lies inside the picture along one axis.
struct span {
    int64_t begin, end;
};

span clip(int64_t out, int32_t stride, int32_t pad, int32_t kernel, int32_t size) {
    const int64_t begin = out * stride - pad, end = begin + kernel;
    return {begin < 0 ? 0 : begin, end > size ? size : end};
}

struct keep_largest {
    static vec start() { return all(-__builtin_inff()); }
    static vec across_rows(vec total, vec row) { return larger(total, row); }
    static vec within_row(vec row, vec x) { return larger(row, x); }
    static vec finish(vec total, int64_t) { return total; }
};

// Rows are summed on their own first: the rounding error then grows with the sides of the window, not with its area.
struct keep_mean {
    static vec start() { return all(0.0f); }
    static vec across_rows(vec total, vec row) { return total + row; }
    static vec within_row(vec row, vec x) { return row + x; }
    static vec finish(vec total, int64_t cells) { return total / all(static_cast<float>(cells)); }
};

// V registers of channels, the last of which has only `lanes` (less than width only where V is 1).
template <class Pool, int V, class T>
void pool_channels(const T* picture, const atrous_tensor& input, span rows, span columns, T* out, int64_t lanes) {
    const auto read = [&](const T* p) { return lanes == width ? load(p) : load_part(p, lanes); };
    vec total[V], row[V];
    for (int v = 0; v < V; ++v) total[v] = Pool::start();
    for (int64_t y = rows.begin; y < rows.end; ++y) {
        const T* in = picture + (y * input.width + columns.begin) * input.pixel_stride;
        for (int v = 0; v < V; ++v) row[v] = read(in + v * width);
        for (int64_t x = columns.begin + 1; x < columns.end; ++x) {
            in += input.pixel_stride;
            for (int v = 0; v < V; ++v) row[v] = Pool::within_row(row[v], read(in + v * width));
        }
        for (int v = 0; v < V; ++v) total[v] = Pool::across_rows(total[v], row[v]);
    }
    const int64_t cells = (rows.end - rows.begin) * (columns.end - columns.begin);
    for (int v = 0; v < V; ++v) {
        const vec result = Pool::finish(total[v], cells);
        lanes == width ? store(out + v * width, result) : store_part(out + v * width, result, lanes);
    }
}

// The same of bytes, which stay such: of the largest no number is made, and the sum of all cells is an integer.
template <int V>
void pool_bytes(keep_largest, const uint8_t* picture, const atrous_tensor& input, span rows, span columns, uint8_t* out,
                int64_t lanes) {
    uint8_t best[V * width] = {};
    const int64_t channels = V == 1 ? lanes : V * width;
    for (int64_t y = rows.begin; y < rows.end; ++y) {
        const uint8_t* in = picture + (y * input.width + columns.begin) * input.pixel_stride;
        for (int64_t x = columns.begin; x < columns.end; ++x, in += input.pixel_stride)
            for (int64_t c = 0; c < channels; ++c) best[c] = in[c] > best[c] ? in[c] : best[c];
    }
    memcpy(out, best, static_cast<size_t>(channels));
}
template <int V>
void pool_bytes(keep_mean, const uint8_t* picture, const atrous_tensor& input, span rows, span columns, uint8_t* out,
                int64_t lanes) {
    ivec total[V];
    for (int v = 0; v < V; ++v) total[v] = all_integers(0);
    for (int64_t y = rows.begin; y < rows.end; ++y) {
        const uint8_t* in = picture + (y * input.width + columns.begin) * input.pixel_stride;
        for (int64_t x = columns.begin; x < columns.end; ++x, in += input.pixel_stride) {
            for (int v = 0; v < V; ++v)
                total[v] = total[v] + (lanes == width ? load_integers(in + v * width) : load_integers_part(in, lanes));
        }
    }
    const vec cells = all(static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin)));
    for (int v = 0; v < V; ++v) {
        const vec mean = to_float(total[v]) / cells;
        lanes == width ? store(out + v * width, mean) : store_part(out + v * width, mean, lanes);
    }
}
template <class Pool, int V>
void pool_channels(const uint8_t* picture, const atrous_tensor& input, span rows, span columns, uint8_t* out,
                   int64_t lanes) {
    pool_bytes<V>(Pool(), picture, input, rows, columns, out, lanes);
}

template <class Pool, class T>
void walk(const pool_args& a, int64_t begin, int64_t end) {
    const int64_t blocks = (int64_t{a.input.channels} + pool_channel_block - 1) / pool_channel_block;
    for (int64_t item = begin; item < end; ++item) {
        const int64_t pixel = item / blocks, x = pixel % a.output.width, row = pixel / a.output.width;
        const int64_t y = row % a.output.height, n = row / a.output.height;
        const span rows = clip(y, a.desc.stride_height, a.desc.pad_top, a.desc.kernel_height, a.input.height);
        const span columns = clip(x, a.desc.stride_width, a.desc.pad_left, a.desc.kernel_width, a.input.width);
        const T* picture = elements<T>(a.input) + n * a.input.height * a.input.width * a.input.pixel_stride;
        T* out = elements<T>(a.output) + pixel * a.output.pixel_stride;
        int64_t c = item % blocks * pool_channel_block;
        const int64_t last = c + pool_channel_block < a.input.channels ? c + pool_channel_block : a.input.channels;
        for (; c + 4 * width <= last; c += 4 * width)
            pool_channels<Pool, 4>(picture + c, a.input, rows, columns, out + c, width);
        for (; c < last; c += width)
            pool_channels<Pool, 1>(picture + c, a.input, rows, columns, out + c, last - c < width ? last - c : width);
    }
}

template <class Pool>
void pool(const pool_args& a, int64_t begin, int64_t end) {
    switch (a.input.type) {
        case ATROUS_FLOAT32:
            return walk<Pool, float>(a, begin, end);
        case ATROUS_BFLOAT16:
            return walk<Pool, bf16>(a, begin, end);
        default:
            return walk<Pool, uint8_t>(a, begin, end);
    }
}

}  // namespace

void max_pool(const pool_args& a, int64_t begin, int64_t end, float*) {
    pool<keep_largest>(a, begin, end);
}

void average_pool(const pool_args& a, int64_t begin, int64_t end, float*) {
    pool<keep_mean>(a, begin, end);
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
