// From bytes to the network's input. A channel has only 256 values, so each is computed once and then looked up.
#include <cmath>
#include <vector>

#include "checks.h"
#include "imaging/pixels.h"
#include "parallel.h"

namespace atrous::imaging {
namespace {

constexpr int32_t most_channels = 64;

// One output channel: which byte of a pixel it reads, what each byte becomes, and what lies outside the picture.
struct channel_map {
    int32_t source;
    float fill;
    float values[256];
};

// A scale that is the float nearest to 1/255 (or 1/127.5) means that division: it is what frameworks do, and a product
// with the rounded inverse has other bits.
float normalized(float value, float scale, float mean, float std) {
    const float divisor = std::round(2.0f / scale) / 2.0f;
    const float scaled = 1.0f / divisor == scale ? value / divisor : value * scale;
    return (scaled - mean) / std;
}

std::vector<channel_map> make_maps(const atrous_normalize_desc& desc, int32_t channels, int32_t image_channels) {
    std::vector<channel_map> maps(static_cast<size_t>(channels));
    for (int32_t c = 0; c < channels; ++c) {
        if (desc.order[c] < 0 || desc.order[c] >= image_channels) {
            throw fail(ATROUS_INVALID_ARGUMENT, "order[%d] is %d, but the picture has %d channels", c, desc.order[c],
                       image_channels);
        }
        if (!(desc.std[c] > 0)) throw fail(ATROUS_INVALID_ARGUMENT, "std[%d] is not positive", c);
        channel_map& map = maps[c];
        map.source = desc.order[c];
        map.fill = normalized(desc.fill[c], desc.scale, desc.mean[c], desc.std[c]);
        for (int value = 0; value < 256; ++value)
            map.values[value] = normalized(static_cast<float>(value), desc.scale, desc.mean[c], desc.std[c]);
    }
    return maps;
}

void fill(const std::vector<channel_map>& maps, float* to, int64_t pixels, int64_t stride) {
    for (int64_t x = 0; x < pixels; ++x, to += stride)
        for (size_t c = 0; c < maps.size(); ++c) to[c] = maps[c].fill;
}

void look_up(const std::vector<channel_map>& maps, const uint8_t* from, int32_t step, float* to, int64_t pixels,
             int64_t stride) {
    if (maps.size() == 3) {
        const channel_map &a = maps[0], &b = maps[1], &c = maps[2];
        for (int64_t x = 0; x < pixels; ++x, from += step, to += stride) {
            to[0] = a.values[from[a.source]];
            to[1] = b.values[from[b.source]];
            to[2] = c.values[from[c.source]];
        }
        return;
    }
    for (int64_t x = 0; x < pixels; ++x, from += step, to += stride)
        for (size_t c = 0; c < maps.size(); ++c) to[c] = maps[c].values[from[maps[c].source]];
}

void check(const atrous_image& image, const atrous_normalize_desc& desc, const atrous_tensor& output) {
    require_not_null(image.pixels, "image.pixels");
    require_tensor(&output, "output");
    require_float32(output, "output");
    require_not_null(desc.mean, "mean");
    require_not_null(desc.std, "std");
    require_not_null(desc.fill, "fill");
    require_not_null(desc.order, "order");
    if (image.height < 1 || image.width < 1 || image.channels < 1)
        throw fail(ATROUS_INVALID_ARGUMENT, "the picture is empty");
    require_rows(image, "image");
    if (!(desc.scale > 0)) throw fail(ATROUS_INVALID_ARGUMENT, "scale is not positive");
    if (output.batch != 1 || output.channels > most_channels) {
        throw fail(ATROUS_INVALID_ARGUMENT, "the output must be one picture of 1 to %d channels", most_channels);
    }
    const bool inside = desc.top >= 0 && desc.left >= 0 && image.height <= output.height - desc.top &&
                        image.width <= output.width - desc.left;
    if (!inside) {
        throw fail(ATROUS_INVALID_ARGUMENT, "a picture of %d x %d at (%d, %d) does not fit a tensor of %d x %d",
                   image.height, image.width, desc.top, desc.left, output.height, output.width);
    }
}

}  // namespace
}  // namespace atrous::imaging

using namespace atrous;
using namespace atrous::imaging;

atrous_status atrous_normalize(atrous_engine* engine, const atrous_image* image, const atrous_normalize_desc* desc,
                               const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_not_null(image, "image");
        require_not_null(desc, "desc");
        require_not_null(output, "output");
        check(*image, *desc, *output);
        const std::vector<channel_map> maps = make_maps(*desc, output->channels, image->channels);
        const int64_t stride = output->pixel_stride, right = desc->left + image->width;
        parallel_for(*engine, output->height, 8, [&](int64_t begin, int64_t end) {
            for (int64_t y = begin; y < end; ++y) {
                float* row = static_cast<float*>(output->data) + y * output->width * stride;
                const int64_t source = y - desc->top;
                if (source < 0 || source >= image->height) {
                    fill(maps, row, output->width, stride);
                    continue;
                }
                const uint8_t* pixels = image->pixels + source * row_bytes(*image);
                fill(maps, row, desc->left, stride);
                look_up(maps, pixels, image->channels, row + desc->left * stride, image->width, stride);
                fill(maps, row + right * stride, output->width - right, stride);
            }
        });
    });
}
