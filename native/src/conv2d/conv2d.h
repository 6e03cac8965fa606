// A convolution with its weights packed for one of the algorithms that compute it.
#ifndef ATROUS_CONV2D_H
#define ATROUS_CONV2D_H

#include <mutex>
#include <vector>

#include "kernels.h"
#include "memory.h"
#include "parallel.h"

namespace atrous {

// As the caller gave them; scale and bias may be null.
struct conv2d_weights {
    const float* weights;
    const float* scale;
    const float* bias;
};

// The matrix product of float or bf16: any kernel, stride, dilation and groups.
template <class T>
struct conv2d_product {
    aligned_buffer<T> weights, zeros;
    float_buffer bias;
    std::vector<conv2d_block> blocks;
    int32_t depth_block = 0;
    bool row_taps = false;
};

// Winograd's minimal filtering: dense 3 x 3 at stride 1, any dilation. Its weights and products are float32 whatever
// the input's type.
struct conv2d_winograd {
    float_buffer weights, bias, zeros;
    std::vector<conv2d_block> blocks;
    int32_t tile_size = 0;
};

// Both: the picture's size decides. Where the weights are many, the product's are recovered from Winograd's by the
// first call that wants them, so that most handles hold one form.
template <class T>
struct conv2d_either {
    conv2d_winograd winograd;
    mutable conv2d_product<T> product;
    mutable std::once_flag packed;  // the product
};

// One filter a channel. Of a uint8 convolution the weights are integers, which steps multiply.
struct conv2d_depthwise {
    float_buffer weights, bias, steps;
    // The same as depthwise_bytes_args has it, where there is such a kernel.
    struct {
        aligned_buffer<int8_t> weights;
        aligned_buffer<int32_t> start;
        float_buffer bias, steps;
    } bytes;
};

// The matrix product of uint8 with weights of int8 (packed as such or as int16, as the kernels have it): any kernel,
// stride, dilation and groups. steps multiply the weights, and lie as the bias does.
struct conv2d_bytes {
    aligned_buffer<int8_t> weights;
    aligned_buffer<uint8_t> zeros;
    float_buffer bias, steps;
    std::vector<conv2d_block> blocks;
    int32_t depth_block = 0;
    bool row_taps = false;
};

template <class T>
void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_product<T>& to);
void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_depthwise& to);
void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from, conv2d_winograd& to);
void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from, conv2d_bytes& to);
template <class T>
void pack(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_weights& from,
          conv2d_either<T>& to);

enum class conv2d_choice { product, depthwise, winograd, either };

// The environment variable ATROUS_CONV overrules what the description suggests.
conv2d_choice choose_algorithm(const atrous_conv2d_desc& desc);
// Whether a second form of the weights costs too much memory.
bool has_many_filters(const atrous_conv2d_desc& desc);
// Outputs on a side of a tile, 3 or 4.
int32_t winograd_tile_size(const atrous_conv2d_desc& desc);
// An axis of so many outputs in tiles.
winograd_axis cut_axis(int64_t pixels, int64_t rate, int64_t tile_size);

struct conv2d_call {
    const atrous_tensor& input;
    const atrous_tensor& output;
    atrous_tensor residual;  // data null: none
    window taps;
};

template <class T>
void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_product<T>& conv,
         const conv2d_call& call);
void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_depthwise& conv,
         const conv2d_call& call);
void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_winograd& conv,
         const conv2d_call& call);
void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_bytes& conv,
         const conv2d_call& call);
template <class T>
void run(engine& on, const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_either<T>& conv,
         const conv2d_call& call);

// A channel's filter as integers of -127 to 127, and the step that they stand for: see atrous_conv2d_create.
float quantise_filter(const float* filter, int64_t count, float scale, int8_t* to);
// What makes uint8 of float sums; all zeros for an output of another type.
requantisation quantised_output(const atrous_tensor& output);
// What the sums of uint8 become. count: of steps and bias; memory: 2 * count floats that outlive the call.
requantisation requantise(const atrous_conv2d_desc& desc, const conv2d_call& call, const float* steps,
                          const float* bias, int64_t count, float* memory);

// What the kernels are told of a call.
depthwise_args depthwise_arguments(const atrous_conv2d_desc& desc, const conv2d_depthwise& conv,
                                   const conv2d_call& call);
template <class T>
conv2d_args product_arguments(const atrous_conv2d_desc& desc, const conv2d_product<T>& conv, const conv2d_call& call);

// A depthwise convolution, and a 1x1 convolution of what it makes, which is of type T. call: the depthwise input and
// window, the other one's residual and output.
template <class T>
void run_separable(engine& on, const kernel_table& kernels, const atrous_conv2d_desc& depthwise_desc,
                   const conv2d_depthwise& depthwise, const atrous_conv2d_desc& pointwise_desc,
                   const conv2d_product<T>& pointwise, const conv2d_call& call);

// The filters that were packed, OIHW and scaled, but for rounding.
void recover_weights(const atrous_conv2d_desc& desc, const kernel_table& kernels, const conv2d_winograd& from,
                     float* weights);
// Tiles that the output of a call is cut into.
int64_t winograd_tiles(const conv2d_winograd& conv, const conv2d_call& call);

}  // namespace atrous

#endif  // ATROUS_CONV2D_H
