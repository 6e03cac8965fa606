// A depthwise convolution and the 1x1 convolution that alone reads it, run of pixels by run of pixels: what is between
// them is read while it is in the second cache level, and never written to memory.
#include "checks.h"
#include "conv2d/conv2d.h"

namespace atrous {

namespace {

// What a run of pixels has between the two: half of the second cache level.
constexpr int64_t resident_bytes = 448 * 1024;
// Fewer pixels would hardly use the weights that each run reads.
constexpr int64_t least_pixels = 48;

// Equal runs, and as many for one thread as for the other.
int64_t choose_run(int64_t pixels, int64_t bytes_per_pixel, int64_t threads) {
    const int64_t fits = std::max(resident_bytes / bytes_per_pixel, least_pixels);
    const int64_t runs = std::max((pixels + fits - 1) / fits, std::min(threads, pixels / least_pixels));
    const int64_t even = (runs + threads - 1) / threads * threads;
    return (pixels + even - 1) / even;
}

// Pixels of a tensor from the given one on, as a picture of one row.
template <class T>
atrous_tensor row_of(const atrous_tensor& tensor, int64_t first, int64_t count) {
    if (tensor.data == nullptr) return tensor;
    atrous_tensor row = tensor;
    row.data = elements<T>(tensor) + first * tensor.pixel_stride;
    row.batch = row.height = 1;
    row.width = static_cast<int32_t>(count);
    return row;
}
atrous_tensor row_of(const atrous_tensor& tensor, int64_t first, int64_t count) {
    return tensor.type == ATROUS_FLOAT32 ? row_of<float>(tensor, first, count) : row_of<bf16>(tensor, first, count);
}

}  // namespace

template <class T>
void run_separable(engine& on, const kernel_table& kernels, const atrous_conv2d_desc& depthwise_desc,
                   const conv2d_depthwise& depthwise, const atrous_conv2d_desc& pointwise_desc,
                   const conv2d_product<T>& pointwise, const conv2d_call& call) {
    const int64_t channels = depthwise_desc.out_channels, pixels = pixels_of(call.output);
    const int64_t run_pixels = choose_run(pixels, channels * int64_t{sizeof(T)}, on.pool.threads());
    const int64_t between_floats = (run_pixels * channels * int64_t{sizeof(T)} + 63) / 64 * 16;

    atrous_tensor between{nullptr,
                          channels,
                          call.output.batch,
                          call.output.height,
                          call.output.width,
                          static_cast<int32_t>(channels),
                          pointwise_desc.type,
                          0,
                          0};
    const depthwise_args first = depthwise_arguments(
        depthwise_desc, depthwise, {.input = call.input, .output = between, .residual = {}, .taps = call.taps});
    conv2d_args second = product_arguments(pointwise_desc, pointwise,
                                           {.input = between,
                                            .output = call.output,
                                            .residual = call.residual,
                                            .taps = {.kernel_height = 1,
                                                     .kernel_width = 1,
                                                     .stride_height = 1,
                                                     .stride_width = 1,
                                                     .dilation_height = 1,
                                                     .dilation_width = 1,
                                                     .pad_top = 0,
                                                     .pad_left = 0}});
    second.chunk_pixels = (run_pixels + conv2d_chunk_unit - 1) / conv2d_chunk_unit * conv2d_chunk_unit;
    const int64_t product_floats = conv2d_memory(second, int64_t{kernels.lanes} * kernels.conv2d_vectors);

    const auto run_one = [&](int64_t begin, int64_t end, float* memory) {
        depthwise_args filter = first;
        filter.output.data = memory;
        filter.first_pixel = begin;
        kernels.depthwise(filter, begin, end, nullptr);
        conv2d_args product = second;
        product.input = row_of<T>(filter.output, 0, end - begin);
        product.output = row_of(call.output, begin, end - begin);
        product.residual = row_of(call.residual, begin, end - begin);
        kernels.conv2d(product, 0, product.block_count, memory + between_floats);
    };
    parallel_for(on, (pixels + run_pixels - 1) / run_pixels, 1, [&](int64_t begin, int64_t end, scratch& memory) {
        float* const floats = memory.floats(between_floats + product_floats);
        for (int64_t run = begin; run < end; ++run)
            run_one(run * run_pixels, std::min((run + 1) * run_pixels, pixels), floats);
    });
}

template void run_separable(engine&, const kernel_table&, const atrous_conv2d_desc&, const conv2d_depthwise&,
                            const atrous_conv2d_desc&, const conv2d_product<float>&, const conv2d_call&);
template void run_separable(engine&, const kernel_table&, const atrous_conv2d_desc&, const conv2d_depthwise&,
                            const atrous_conv2d_desc&, const conv2d_product<bf16>&, const conv2d_call&);

}  // namespace atrous
