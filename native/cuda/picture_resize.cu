// Resizes a picture of bytes, with the bits of the CPU's way (imaging/resample.cpp and resize.cpp) and so of Pillow:
// taps for each axis, then the width and the height, or both at once without antialiasing.
#include "tensor.h"

namespace atrous::cuda {
namespace {

// The numbers of ResizeFilter.
enum filter_kind : int32_t { filter_bilinear = 0, filter_bicubic = 1, filter_plain = 3 };

// Bits after the point of a weight: Pillow's, and those of the plain filter.
constexpr int weight_bits = 22, plain_weight_bits = 11;

struct span {
    int32_t first, count;
};

// Half away from zero, for numbers that fit an int32.
ATROUS_FUNCTION int32_t round_away(double x) {
    return static_cast<int32_t>(x < 0 ? x - 0.5 : x + 0.5);
}

ATROUS_FUNCTION double weigh(int32_t filter, double x) {
    x = x < 0 ? -x : x;
    if (filter == filter_bilinear) return x < 1.0 ? 1.0 - x : 0.0;
    constexpr double a = -0.5;
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

ATROUS_FUNCTION void antialiased_taps(int32_t filter, int32_t in_size, int32_t out_size, int32_t cell, span* spans,
                                      int32_t* weights) {
    const double scale = static_cast<double>(in_size) / out_size, widening = scale > 1.0 ? scale : 1.0;
    const double support = (filter == filter_bilinear ? 1.0 : 2.0) * widening, shrink = 1.0 / widening;
    const double center = (cell + 0.5) * scale;
    const int32_t low = static_cast<int32_t>(center - support + 0.5),
                  high = static_cast<int32_t>(center + support + 0.5);
    const int32_t first = low < 0 ? 0 : low, count = (high < in_size ? high : in_size) - first;
    double sum = 0.0;
    for (int32_t i = 0; i < count; ++i) sum += weigh(filter, (i + first - center + 0.5) * shrink);
    for (int32_t i = 0; i < count; ++i) {
        const double exact = weigh(filter, (i + first - center + 0.5) * shrink);
        weights[i] = round_away((sum != 0.0 ? exact / sum : exact) * (1 << weight_bits));
    }
    spans[cell] = {first, count};
}

ATROUS_FUNCTION void plain_taps(int32_t in_size, int32_t out_size, int32_t cell, span* spans, int32_t* weights) {
    double at = (cell + 0.5) * (static_cast<double>(in_size) / out_size) - 0.5;
    at = at < 0.0 ? 0.0 : at > in_size - 1.0 ? in_size - 1.0 : at;
    const int32_t last = in_size > 2 ? in_size - 2 : 0;
    const int32_t first = static_cast<int32_t>(at) < last ? static_cast<int32_t>(at) : last;
    const double share = (at - first) * (1 << plain_weight_bits);
    const int32_t below = static_cast<int32_t>(share), second = share - below >= 0.5 ? below + 1 : below;
    spans[cell] = {first, in_size < 2 ? in_size : 2};
    weights[0] = (1 << plain_weight_bits) - second;
    weights[1] = second;
}

ATROUS_FUNCTION void make_taps(int32_t filter, int32_t in_size, int32_t out_size, int32_t stride, span* spans,
                               int32_t* weights) {
    for_each(1, static_cast<uint32_t>(out_size), [&](uint32_t, uint32_t item) {
        const int32_t cell = static_cast<int32_t>(item);
        int32_t* own = weights + static_cast<int64_t>(cell) * stride;
        if (filter == filter_plain)
            plain_taps(in_size, out_size, cell, spans, own);
        else
            antialiased_taps(filter, in_size, out_size, cell, spans, own);
    });
}

ATROUS_FUNCTION uint8_t clip(int32_t sum) {
    const int32_t value = sum >> weight_bits;
    return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// The weighted sum of bytes that lie `step` apart.
ATROUS_FUNCTION uint8_t weighted(const uint8_t* from, int64_t step, const int32_t* weights, int32_t count) {
    int32_t sum = 1 << (weight_bits - 1);
    for (int32_t i = 0; i < count; ++i, from += step) sum += *from * weights[i];
    return clip(sum);
}

ATROUS_FUNCTION void resize_width(const uint8_t* x, int32_t height, int32_t in_width, int32_t out_width,
                                  int32_t channels, const span* spans, const int32_t* weights, int32_t stride,
                                  uint8_t* y) {
    for_each(static_cast<uint32_t>(height), static_cast<uint32_t>(out_width * channels),
             [&](uint32_t row, uint32_t item) {
                 const int32_t column = static_cast<int32_t>(item) / channels,
                               channel = static_cast<int32_t>(item) % channels;
                 const span at = spans[column];
                 const uint8_t* from = x + (static_cast<int64_t>(row) * in_width + at.first) * channels + channel;
                 y[static_cast<int64_t>(row) * out_width * channels + item] =
                     weighted(from, channels, weights + static_cast<int64_t>(column) * stride, at.count);
             });
}

// Of all pictures: row % height is the row of its own picture.
ATROUS_FUNCTION void resize_height(const uint8_t* x, int32_t pictures, int32_t in_height, int32_t out_height,
                                   int32_t width, int32_t channels, const span* spans, const int32_t* weights,
                                   int32_t stride, uint8_t* y) {
    const int64_t bytes = static_cast<int64_t>(width) * channels;
    const uint32_t height = static_cast<uint32_t>(out_height);
    for_each(static_cast<uint32_t>(pictures) * height, static_cast<uint32_t>(bytes), [&](uint32_t row, uint32_t item) {
        const int64_t picture = row / height, own = row % height;
        const span at = spans[own];
        y[row * bytes + item] =
            weighted(x + (picture * in_height + at.first) * bytes + item, bytes, weights + own * stride, at.count);
    });
}

ATROUS_FUNCTION void resize_plain(const uint8_t* x, int32_t pictures, int32_t in_height, int32_t in_width,
                                  int32_t out_height, int32_t out_width, int32_t channels, const span* rows,
                                  const int32_t* row_weights, const span* columns, const int32_t* column_weights,
                                  uint8_t* y) {
    constexpr int shift = 2 * plain_weight_bits;
    const int64_t bytes = static_cast<int64_t>(in_width) * channels;
    const uint32_t height = static_cast<uint32_t>(out_height);
    for_each(static_cast<uint32_t>(pictures) * height, static_cast<uint32_t>(out_width * channels),
             [&](uint32_t row, uint32_t item) {
                 const int32_t column = static_cast<int32_t>(item) / channels,
                               channel = static_cast<int32_t>(item) % channels;
                 const int64_t picture = row / height, own = row % height;
                 const span down = rows[own], right = columns[column];
                 const int32_t *d = row_weights + 2 * own, *r = column_weights + 2 * static_cast<int64_t>(column);
                 const uint8_t* upper = x + (picture * in_height + down.first) * bytes +
                                        static_cast<int64_t>(right.first) * channels + channel;
                 const int64_t next_row = down.count == 2 ? bytes : 0, next = right.count == 2 ? channels : 0;
                 const int32_t above = upper[0] * r[0] + upper[next] * r[1];
                 const int32_t below = upper[next_row] * r[0] + upper[next_row + next] * r[1];
                 y[static_cast<int64_t>(row) * out_width * channels + item] =
                     static_cast<uint8_t>((above * d[0] + below * d[1] + (1 << (shift - 1))) >> shift);
             });
}

}  // namespace

// The taps of an axis: spans [out_size], weights [out_size][stride]. stride: 2 for the plain filter, otherwise
// 2 * ceil(support * max(in_size / out_size, 1)) + 1 with a support of 1 (bilinear) or 2 (bicubic).
// Grid: x covers out_size, y = 1.
ATROUS_ENTRY(picture_taps, block_size,
             (int32_t filter, int32_t in_size, int32_t out_size, int32_t stride, int32_t* spans, int32_t* weights),
             (make_taps(filter, in_size, out_size, stride, reinterpret_cast<span*>(spans), weights)))

// x: [height][in_width][channels], y: [height][out_width][channels]; height is that of all pictures together.
// Grid: x covers out_width * channels, y the rows.
ATROUS_ENTRY(picture_width, block_size,
             (const uint8_t* x, int32_t height, int32_t in_width, int32_t out_width, int32_t channels,
              const int32_t* spans, const int32_t* weights, int32_t stride, uint8_t* y),
             (resize_width(x, height, in_width, out_width, channels, reinterpret_cast<const span*>(spans), weights,
                           stride, y)))

// x: [pictures][in_height][width][channels], y: [pictures][out_height][width][channels].
// Grid: x covers width * channels, y the rows of all outputs.
ATROUS_ENTRY(picture_height, block_size,
             (const uint8_t* x, int32_t pictures, int32_t in_height, int32_t out_height, int32_t width,
              int32_t channels, const int32_t* spans, const int32_t* weights, int32_t stride, uint8_t* y),
             (resize_height(x, pictures, in_height, out_height, width, channels, reinterpret_cast<const span*>(spans),
                            weights, stride, y)))

// Both axes at once, without antialiasing. x: [pictures][in_height][in_width][channels],
// y: [pictures][out_height][out_width][channels].
// Grid: x covers out_width * channels, y the rows of all outputs.
ATROUS_ENTRY(picture_plain, block_size,
             (const uint8_t* x, int32_t pictures, int32_t in_height, int32_t in_width, int32_t out_height,
              int32_t out_width, int32_t channels, const int32_t* row_spans, const int32_t* row_weights,
              const int32_t* column_spans, const int32_t* column_weights, uint8_t* y),
             (resize_plain(x, pictures, in_height, in_width, out_height, out_width, channels,
                           reinterpret_cast<const span*>(row_spans), row_weights,
                           reinterpret_cast<const span*>(column_spans), column_weights, y)))

}  // namespace atrous::cuda
