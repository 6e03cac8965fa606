#include "checks.h"
#include "kernels.h"
#include "parallel.h"

using namespace atrous;

namespace {

// Along one axis: the first and the last window must touch the picture, so all do.
void require_windows(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t pad, const char* axis) {
    constexpr int32_t most = 1 << 24;
    require_range(kernel, 1, most, "the pool's kernel");
    require_range(stride, 1, most, "the pool's stride");
    require_range(pad, 0, kernel - 1, "the pool's padding");
    if ((out - 1) * static_cast<int64_t>(stride) - pad < in) return;
    throw fail(ATROUS_INVALID_ARGUMENT,
               "an output %s of %d is too much for an input of %d (kernel %d, stride %d, padding %d): "
               "the last window would not touch the input",
               axis, out, in, kernel, stride, pad);
}

// The sum of a window's bytes must fit an int32.
void require_cells(const atrous_tensor& input, const atrous_pool_desc& desc) {
    constexpr int64_t most = 1 << 23;
    const int64_t cells =
        int64_t{std::min(desc.kernel_height, input.height)} * std::min(desc.kernel_width, input.width);
    if (cells <= most) return;
    throw fail(ATROUS_TOO_LARGE, "the pool's window has %lld cells; of uint8 it may have %lld",
               static_cast<long long>(cells), static_cast<long long>(most));
}

using pool_kernel = decltype(kernel_table::max_pool);

atrous_status pool(atrous_engine* engine, const atrous_tensor* input, const atrous_pool_desc* desc,
                   const atrous_tensor* output, pool_kernel kernel_table::*kernel) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_not_null(desc, "desc");
        require_tensor(input, "input");
        require_tensor(output, "output");
        require_same_type(*input, "input", *output, "output");
        require_same_step(*input, "input", *output, "output");
        require_same_batch(*input, "input", *output, "output");
        require_same_channels(*input, "input", *output, "output");
        require_windows(input->height, output->height, desc->kernel_height, desc->stride_height, desc->pad_top,
                        "height");
        require_windows(input->width, output->width, desc->kernel_width, desc->stride_width, desc->pad_left, "width");
        if (input->type == ATROUS_UINT8 && kernel == &kernel_table::average_pool) require_cells(*input, *desc);
        const pool_args a{.input = *input, .output = *output, .desc = *desc};
        const int64_t blocks = (int64_t{input->channels} + pool_channel_block - 1) / pool_channel_block;
        const int64_t window =
            int64_t{std::min(desc->kernel_height, input->height)} * std::min(desc->kernel_width, input->width);
        const int64_t grain = grain_of(window * std::min(input->channels, pool_channel_block));
        parallel_for(*engine, pixels_of(*output) * blocks, grain,
                     [&](int64_t begin, int64_t end) { (engine->kernels.*kernel)(a, begin, end, nullptr); });
    });
}

}  // namespace

atrous_status atrous_max_pool(atrous_engine* engine, const atrous_tensor* input, const atrous_pool_desc* desc,
                              const atrous_tensor* output) {
    return pool(engine, input, desc, output, &kernel_table::max_pool);
}

atrous_status atrous_average_pool(atrous_engine* engine, const atrous_tensor* input, const atrous_pool_desc* desc,
                                  const atrous_tensor* output) {
    return pool(engine, input, desc, output, &kernel_table::average_pool);
}

atrous_status atrous_affine(atrous_engine* engine, const atrous_tensor* input, const float* scale, const float* shift,
                            int32_t activation, float slope, const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_tensor(input, "input");
        require_tensor(output, "output");
        require_same_shape(*input, "input", *output, "output");
        require_activation(activation);
        const affine_args a{.input = *input,
                            .output = *output,
                            .scale = scale,
                            .shift = shift,
                            .activation = activation,
                            .slope = slope};
        parallel_for(*engine, pixels_of(*output), grain_of(output->channels),
                     [&](int64_t begin, int64_t end) { engine->kernels.affine(a, begin, end, nullptr); });
    });
}

atrous_status atrous_binary_op(atrous_engine* engine, int32_t op, const atrous_tensor* a, const atrous_tensor* b,
                               int32_t activation, float slope, const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_range(op, ATROUS_ADD, ATROUS_MAXIMUM, "op");
        require_tensor(a, "a");
        require_tensor(b, "b");
        require_tensor(output, "output");
        require_same_type(*a, "a", *output, "output");
        require_same_type(*b, "b", *output, "output");
        require_same_shape(*a, "a", *output, "output");
        const bool broadcast = b->height == 1 && b->width == 1;
        if (broadcast) {
            require_same_batch(*b, "b", *a, "a");
            require_same_channels(*b, "b", *a, "a");
        } else {
            require_same_shape(*b, "b", *a, "a");
        }
        require_activation(activation);
        const binary_args args{.a = *a,
                               .b = *b,
                               .output = *output,
                               .broadcast = broadcast,
                               .op = op,
                               .activation = activation,
                               .slope = slope};
        parallel_for(*engine, pixels_of(*output), grain_of(output->channels),
                     [&](int64_t begin, int64_t end) { engine->kernels.binary_op(args, begin, end, nullptr); });
    });
}

atrous_status atrous_copy(atrous_engine* engine, const atrous_tensor* input, int32_t top, int32_t left,
                          const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_tensor(input, "input");
        require_tensor(output, "output");
        require_same_type(*input, "input", *output, "output");
        require_same_step(*input, "input", *output, "output");
        require_same_batch(*input, "input", *output, "output");
        require_same_channels(*input, "input", *output, "output");
        const bool broadcast = input->height == 1 && input->width == 1;
        const auto hangs_over = [](int64_t first, int64_t count, int64_t size) {
            return -first >= size || first + count > 2 * size - 1;
        };
        if (!broadcast &&
            (hangs_over(top, output->height, input->height) || hangs_over(left, output->width, input->width))) {
            throw fail(ATROUS_INVALID_ARGUMENT,
                       "a %dx%d window at (%d, %d) lies neither inside an input of %dx%d nor inside its mirror images",
                       output->height, output->width, top, left, input->height, input->width);
        }
        const copy_args a{.input = *input, .output = *output, .top = top, .left = left, .broadcast = broadcast};
        parallel_for(*engine, rows_of(*output), grain_of(int64_t{output->width} * output->channels),
                     [&](int64_t begin, int64_t end) { engine->kernels.copy(a, begin, end, nullptr); });
    });
}

atrous_status atrous_softmax(atrous_engine* engine, const atrous_tensor* input, int32_t slices,
                             const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_tensor(input, "input");
        require_tensor(output, "output");
        require_float32(*input, "input");
        require_float32(*output, "output");
        require_same_shape(*input, "input", *output, "output");
        require_range(slices, 1, input->channels, "slices");
        if (input->channels % slices != 0)
            throw fail(ATROUS_INVALID_ARGUMENT, "%d channels do not divide into %d slices", input->channels, slices);
        const softmax_args a{.input = *input, .output = *output, .slices = slices};
        parallel_for(*engine, pixels_of(*output), grain_of(output->channels),
                     [&](int64_t begin, int64_t end) { engine->kernels.softmax(a, begin, end, nullptr); });
    });
}
