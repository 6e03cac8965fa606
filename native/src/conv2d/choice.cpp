// Which algorithm computes a convolution: by its description when it is made, and by the picture where both are at
// hand.
#include <cstdlib>
#include <cstring>

#include "checks.h"
#include "conv2d/conv2d.h"

namespace atrous {

namespace {

// Weights as numerous as this are kept in one form if possible.
constexpr int64_t many_filters = 1 << 16;
// Beyond this even the 25 numbers a filter of tiles of 3 (52 MB) are too much for one layer.
constexpr int64_t most_filters = 1 << 19;
// Below this depth the transforms cost more than the products save.
constexpr int32_t least_channels = 24;
// Where the product's weights are of bfloat16, Winograd's take 6 to 8 times their memory: so many pixels must make use
// of each.
constexpr int64_t least_pixels_of_bfloat16 = 64 * 64;

int64_t filters(const atrous_conv2d_desc& desc) {
    return int64_t{desc.in_channels} * desc.out_channels;
}

// Taps of one axis that fall inside the picture, over all outputs.
int64_t taps_inside(int64_t input, int64_t output, int64_t dilation, int64_t pad) {
    int64_t taps = 0;
    for (int64_t tap = 0; tap < 3; ++tap) {
        const int64_t shift = tap * dilation - pad;  // of the input's pixel against the output's
        taps += std::max<int64_t>(std::min(output, input - shift) - std::max<int64_t>(0, -shift), 0);
    }
    return taps;
}

// The transforms and the smaller products of Winograd's algorithm cost about a quarter more than its multiply-adds say;
// and these are of float32, of which there are half as many a cycle as of bfloat16.
bool pays(const atrous_conv2d_desc& desc, int64_t winograd, int64_t direct) {
    const int64_t cost = winograd + winograd / 4;
    return (desc.type == ATROUS_BFLOAT16 ? 2 * cost : cost) <= direct;
}

// As the convolution's usual size has it: same padding.
struct usual_map {
    int64_t height, width, rate_height, rate_width;

    explicit usual_map(const atrous_conv2d_desc& desc)
        : height(desc.usual_height),
          width(desc.usual_width),
          rate_height(desc.dilation_height),
          rate_width(desc.dilation_width) {}

    int64_t winograd(int64_t tile_size) const {
        const int64_t rows = cut_axis(height, rate_height, tile_size).tiles();
        return rows * cut_axis(width, rate_width, tile_size).tiles() * winograd_cells(tile_size);
    }
    int64_t direct() const {
        return taps_inside(height, height, rate_height, rate_height) *
               taps_inside(width, width, rate_width, rate_width);
    }
};

bool suits_winograd(const atrous_conv2d_desc& desc) {
    return desc.type != ATROUS_UINT8 && desc.kernel_height == 3 && desc.kernel_width == 3 && desc.stride_height == 1 &&
           desc.stride_width == 1 && desc.groups == 1;
}

}  // namespace

bool has_many_filters(const atrous_conv2d_desc& desc) {
    return filters(desc) >= many_filters;
}

int32_t winograd_tile_size(const atrous_conv2d_desc& desc) {
    // Tiles of 4 take 36 numbers a filter where those of 3 take 25, and round more: a tenth must be saved.
    const usual_map usual(desc);
    return 10 * usual.winograd(4) < 9 * usual.winograd(3) ? 4 : 3;
}

conv2d_choice choose_algorithm(const atrous_conv2d_desc& desc) {
    const bool depthwise = desc.groups > 1 && desc.groups == desc.in_channels && desc.out_channels == desc.in_channels;
    const conv2d_choice otherwise = depthwise ? conv2d_choice::depthwise : conv2d_choice::product;
    const char* forced = std::getenv("ATROUS_CONV");
    if (forced != nullptr && *forced != '\0') {
        if (std::strcmp(forced, "direct") == 0) return otherwise;
        if (std::strcmp(forced, "winograd") == 0) return suits_winograd(desc) ? conv2d_choice::winograd : otherwise;
        throw fail(ATROUS_UNSUPPORTED, "ATROUS_CONV=%s is not known; use direct or winograd", forced);
    }
    if (!suits_winograd(desc) || std::min(desc.in_channels, desc.out_channels) < least_channels) return otherwise;
    const usual_map usual(desc);
    if (desc.type == ATROUS_BFLOAT16) {
        if (usual.height * usual.width < least_pixels_of_bfloat16) return otherwise;
    } else if (!has_many_filters(desc)) {
        return conv2d_choice::either;
    }
    const bool worth =
        filters(desc) <= most_filters && pays(desc, usual.winograd(winograd_tile_size(desc)), usual.direct());
    return worth ? conv2d_choice::either : otherwise;
}

template <class T>
void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_either<T>& to) {
    pack(desc, kernels, from, to.winograd);
    if (!has_many_filters(desc)) std::call_once(to.packed, [&] { pack(desc, kernels, from, to.product); });
}

template <class T>
void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_either<T>& conv,
         const conv2d_call& call) {
    const window& w = call.taps;
    const int64_t transformed = winograd_tiles(conv.winograd, call) * winograd_cells(conv.winograd.tile_size);
    const int64_t direct = call.output.batch *
                           taps_inside(call.input.height, call.output.height, w.dilation_height, w.pad_top) *
                           taps_inside(call.input.width, call.output.width, w.dilation_width, w.pad_left);
    // Only the product ends in uint8.
    if (call.output.type != ATROUS_UINT8 && pays(desc, transformed, direct))
        return run(on, desc, kernels, conv.winograd, call);
    std::call_once(conv.packed, [&] {
        float_buffer weights(9 * filters(desc));
        recover_weights(desc, kernels, conv.winograd, weights.data());
        conv.product.blocks.clear();  // of an attempt that ran out of memory
        pack(desc, kernels, {weights.data(), nullptr, conv.winograd.bias.data()}, conv.product);
    });
    run(on, desc, kernels, conv.product, call);
}

template void pack(const atrous_conv2d_desc&, const kernel_table&, const conv2d_weights&, conv2d_either<float>&);
template void pack(const atrous_conv2d_desc&, const kernel_table&, const conv2d_weights&, conv2d_either<bf16>&);
template void run(engine&, const atrous_conv2d_desc&, const kernel_table&, const conv2d_either<float>&,
                  const conv2d_call&);
template void run(engine&, const atrous_conv2d_desc&, const kernel_table&, const conv2d_either<bf16>&,
                  const conv2d_call&);

}  // namespace atrous
