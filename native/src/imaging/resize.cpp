// Resizing in two passes, rows first, with 8 bits between them: Pillow's arithmetic (Resample.c, Geometry.c).
#include <cstring>

#include "checks.h"
#include "imaging/pixels.h"
#include "imaging/resample.h"
#include "parallel.h"

namespace atrous::imaging {
namespace {

constexpr int32_t half = 1 << (weight_bits - 1);

uint8_t clip(int32_t sum) {
    return static_cast<uint8_t>(std::clamp(sum >> weight_bits, 0, 255));
}

template <int Channels>
void resize_row(const uint8_t* in, const taps& columns, int32_t out_width, uint8_t* out) {
    for (int32_t x = 0; x < out_width; ++x, out += Channels) {
        const auto [first, count] = columns.spans[x];
        const int32_t* weights = columns.of(x);
        const uint8_t* pixel = in + static_cast<int64_t>(first) * Channels;
        int32_t sums[Channels];
        for (int32_t& sum : sums) sum = half;
        for (int32_t i = 0; i < count; ++i, pixel += Channels)
            for (int c = 0; c < Channels; ++c) sums[c] += pixel[c] * weights[i];
        for (int c = 0; c < Channels; ++c) out[c] = clip(sums[c]);
    }
}

void resize_width(engine& on, const atrous_image& in, const taps& columns, const atrous_image& out) {
    constexpr decltype(&resize_row<1>) by_channels[] = {resize_row<1>, resize_row<2>, resize_row<3>, resize_row<4>};
    const auto resize = by_channels[in.channels - 1];
    parallel_for(on, in.height, 8, [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y)
            resize(in.pixels + y * row_bytes(in), columns, out.width, out.pixels + y * row_bytes(out));
    });
}

void resize_height(engine& on, const atrous_image& in, const taps& rows, const atrous_image& out) {
    const int64_t bytes = static_cast<int64_t>(in.width) * in.channels;
    parallel_for(on, out.height, 8, [&](int64_t begin, int64_t end) {
        // A block of a row at a time, so that its sums stay in registers or the nearest cache.
        constexpr int64_t block = 256;
        int32_t sums[block];
        for (int64_t y = begin; y < end; ++y) {
            const auto [first, count] = rows.spans[y];
            const int32_t* weights = rows.of(y);
            for (int64_t left = 0; left < bytes; left += block) {
                const int64_t width = std::min(block, bytes - left);
                std::fill_n(sums, width, half);
                for (int32_t i = 0; i < count; ++i) {
                    const uint8_t* from = in.pixels + (first + i) * row_bytes(in) + left;
                    const int32_t weight = weights[i];
                    for (int64_t x = 0; x < width; ++x) sums[x] += from[x] * weight;
                }
                uint8_t* to = out.pixels + y * row_bytes(out) + left;
                for (int64_t x = 0; x < width; ++x) to[x] = clip(sums[x]);
            }
        }
    });
}

void resize_antialiased(engine& on, const atrous_image& in, decltype(bilinear_taps) make_taps,
                        const atrous_image& out) {
    if (in.width == out.width) return resize_height(on, in, make_taps(in.height, out.height), out);
    const taps columns = make_taps(in.width, out.width);
    if (in.height == out.height) return resize_width(on, in, columns, out);
    picture narrow(in.height, out.width, in.channels);
    const atrous_image between{narrow.pixels.get(), in.height, out.width, in.channels, 0};
    resize_width(on, in, columns, between);
    resize_height(on, between, make_taps(in.height, out.height), out);
}

void resize_plain(engine& on, const atrous_image& in, const atrous_image& out) {
    const taps rows = plain_bilinear_taps(in.height, out.height);
    const taps columns = plain_bilinear_taps(in.width, out.width);
    constexpr int shift = 2 * plain_weight_bits;
    parallel_for(on, out.height, 8, [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y) {
            const auto [top, height] = rows.spans[y];
            const int32_t* down = rows.of(y);
            const uint8_t* upper = in.pixels + top * row_bytes(in);
            const uint8_t* lower = height == 2 ? upper + row_bytes(in) : upper;
            uint8_t* to = out.pixels + y * row_bytes(out);
            for (int32_t x = 0; x < out.width; ++x) {
                const auto [left, width] = columns.spans[x];
                const int32_t* right = columns.of(x);
                const int64_t a = static_cast<int64_t>(left) * in.channels, b = width == 2 ? a + in.channels : a;
                for (int32_t c = 0; c < in.channels; ++c) {
                    const int32_t above = upper[a + c] * right[0] + upper[b + c] * right[1];
                    const int32_t below = lower[a + c] * right[0] + lower[b + c] * right[1];
                    *to++ = static_cast<uint8_t>((above * down[0] + below * down[1] + (1 << (shift - 1))) >> shift);
                }
            }
        }
    });
}

// Pillow adds up the step instead of multiplying it, so its rounding adds up as well.
std::vector<int32_t> nearest_cells(int32_t in_size, int32_t out_size) {
    const double step = static_cast<double>(in_size) / out_size;
    std::vector<int32_t> cells(static_cast<size_t>(out_size));
    double at = step * 0.5;
    for (int32_t& cell : cells) {
        cell = static_cast<int32_t>(std::min(at, in_size - 1.0));
        at += step;
    }
    return cells;
}

void resize_nearest(engine& on, const atrous_image& in, const atrous_image& out) {
    const std::vector<int32_t> rows = nearest_cells(in.height, out.height);
    const std::vector<int32_t> columns = nearest_cells(in.width, out.width);
    parallel_for(on, out.height, 8, [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y) {
            const uint8_t* from = in.pixels + rows[y] * row_bytes(in);
            uint8_t* to = out.pixels + y * row_bytes(out);
            for (const int32_t column : columns)
                for (int32_t c = 0; c < in.channels; ++c) *to++ = from[static_cast<int64_t>(column) * in.channels + c];
        }
    });
}

void check(const atrous_image* image, const char* name) {
    require_not_null(image, name);
    require_not_null(image->pixels, name);
    if (image->height < 1 || image->width < 1 || image->channels < 1 || image->channels > 4) {
        throw fail(ATROUS_INVALID_ARGUMENT, "%s has %d x %d pixels of %d channels; use at least 1 x 1 of 1 to 4", name,
                   image->width, image->height, image->channels);
    }
    require_rows(*image, name);
}

}  // namespace
}  // namespace atrous::imaging

using namespace atrous;
using namespace atrous::imaging;

atrous_status atrous_image_resize(atrous_engine* engine, const atrous_image* input, int32_t filter,
                                  const atrous_image* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        check(input, "input");
        check(output, "output");
        if (input->channels != output->channels) {
            throw fail(ATROUS_INVALID_ARGUMENT, "a picture of %d channels cannot be resized into one of %d",
                       input->channels, output->channels);
        }
        const bool known = filter >= ATROUS_FILTER_BILINEAR && filter <= ATROUS_FILTER_BILINEAR_PLAIN;
        if (!known) throw fail(ATROUS_INVALID_ARGUMENT, "filter %d is not known; use an atrous_filter", filter);
        if (input->height == output->height && input->width == output->width) {
            const size_t bytes = static_cast<size_t>(input->width) * static_cast<size_t>(input->channels);
            for (int64_t y = 0; y < input->height; ++y)
                std::memcpy(output->pixels + y * row_bytes(*output), input->pixels + y * row_bytes(*input), bytes);
        } else if (filter == ATROUS_FILTER_NEAREST) {
            resize_nearest(*engine, *input, *output);
        } else if (filter == ATROUS_FILTER_BILINEAR_PLAIN) {
            resize_plain(*engine, *input, *output);
        } else {
            resize_antialiased(*engine, *input, filter == ATROUS_FILTER_BILINEAR ? bilinear_taps : bicubic_taps,
                               *output);
        }
    });
}
