#include <cmath>

#include "checks.h"
#include "kernels.h"
#include "parallel.h"

using namespace atrous;

namespace {

// Of rows' moments those of each picture: mean and variance, by Chan, Golub and LeVeque 1983.
void merge_rows(const double* rows, const atrous_tensor& t, float* pictures) {
    const double row_count = static_cast<double>(t.width) * t.channels;
    for (int32_t n = 0; n < t.batch; ++n) {
        double mean = 0, squares = 0, count = 0;
        for (int32_t y = 0; y < t.height; ++y, rows += 2) {
            const double distance = rows[0] - mean, total = count + row_count;
            mean += distance * row_count / total;
            squares += rows[1] + distance * distance * count * row_count / total;
            count = total;
        }
        pictures[2 * n] = static_cast<float>(mean);
        pictures[2 * n + 1] = static_cast<float>(squares / count);
    }
}

void require_patches(const atrous_tensor& t, const char* name, int32_t patch) {
    require_range(patch, 1, 1 << 16, "patch");
    if (t.height % patch == 0 && t.width % patch == 0) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s is %dx%d, which patches of %d do not fill", name, t.height, t.width, patch);
}

void require_floats(const atrous_tensor* tensor, const char* name) {
    require_tensor(tensor, name);
    require_float32(*tensor, name);
}

}  // namespace

atrous_status atrous_layer_norm(atrous_engine* engine, const atrous_tensor* input, const float* scale,
                                const float* shift, float epsilon, int32_t whole_picture, const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_not_null(scale, "scale");
        require_not_null(shift, "shift");
        require_floats(input, "input");
        require_tensor(output, "output");
        refuse_uint8(*output, "output");
        require_same_shape(*input, "input", *output, "output");
        layer_norm_args a{
            .input = *input, .output = *output, .scale = scale, .shift = shift, .epsilon = epsilon, .moments = nullptr};
        thread_pool::lease memory(engine->pool);
        if (whole_picture != 0) {
            // The rows' numbers are twice as wide as floats.
            const int64_t rows = rows_of(*input);
            float* floats = memory->floats(rows * 4 + int64_t{2} * input->batch);
            const row_moments_args m{.input = *input, .moments = reinterpret_cast<double*>(floats)};
            parallel_for(*engine, rows, grain_of(int64_t{input->width} * input->channels),
                         [&](int64_t begin, int64_t end) { engine->kernels.row_moments(m, begin, end, nullptr); });
            merge_rows(m.moments, *input, floats + rows * 4);
            a.moments = floats + rows * 4;
        }
        parallel_for(*engine, pixels_of(*input), grain_of(input->channels),
                     [&](int64_t begin, int64_t end) { engine->kernels.layer_norm(a, begin, end, nullptr); });
    });
}

atrous_status atrous_global_response(atrous_engine* engine, const atrous_tensor* input, const float* scale,
                                     float epsilon, const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_not_null(scale, "scale");
        require_floats(input, "input");
        require_floats(output, "output");
        atrous_tensor pixel = *input;
        pixel.height = pixel.width = 1;
        require_same_shape(pixel, "a pixel of input", *output, "output");
        const int64_t channels = input->channels, blocks = (channels + squares_channels - 1) / squares_channels;
        thread_pool::lease sums(engine->pool);
        const sum_squares_args a{.input = *input, .sums = sums->floats(input->batch * channels)};
        parallel_for(*engine, input->batch * blocks, 1,
                     [&](int64_t begin, int64_t end) { engine->kernels.sum_squares(a, begin, end, nullptr); });
        for (int64_t n = 0; n < input->batch; ++n) {
            const float* squares = a.sums + n * channels;
            float* factors = elements<float>(*output) + n * output->pixel_stride;
            double total = 0;
            for (int64_t c = 0; c < channels; ++c) total += std::sqrt(static_cast<double>(squares[c]));
            const double mean = total / static_cast<double>(channels) + static_cast<double>(epsilon);
            for (int64_t c = 0; c < channels; ++c) {
                const double norm = std::sqrt(static_cast<double>(squares[c]));
                factors[c] = static_cast<float>(1 + static_cast<double>(scale[c]) * (norm / mean));
            }
        }
    });
}

atrous_status atrous_attention(atrous_engine* engine, const atrous_tensor* queries, const atrous_tensor* keys,
                               const atrous_tensor* values, int32_t heads, float scale, int32_t patch,
                               const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_floats(queries, "queries");
        require_floats(keys, "keys");
        require_floats(values, "values");
        require_floats(output, "output");
        require_same_shape(*queries, "queries", *output, "output");
        require_same_shape(*keys, "keys", *values, "values");
        require_same_batch(*queries, "queries", *keys, "keys");
        require_same_channels(*queries, "queries", *keys, "keys");
        require_patches(*queries, "queries", patch);
        require_patches(*keys, "keys", patch);
        require_range(heads, 1, queries->channels, "heads");
        if (queries->channels % heads != 0)
            throw fail(ATROUS_INVALID_ARGUMENT, "%d channels do not divide into %d heads", queries->channels, heads);
        const int64_t count = attention_tokens(*queries, patch);
        const attention_args a{.queries = *queries,
                               .keys = *keys,
                               .values = *values,
                               .output = *output,
                               .heads = heads,
                               .patch = patch,
                               .scale = scale,
                               .blocks = (count + attention_queries - 1) / attention_queries};
        const int64_t items = int64_t{queries->batch} * patch * patch * heads * a.blocks;
        const int64_t floats = attention_memory(a, engine->kernels.lanes);
        // Half a run, where a run shares the packing of its keys: enough to be shared, few enough for many threads.
        const int64_t grain = (attention_most_blocks(a) + 1) / 2;
        parallel_for(*engine, items, grain, [&](int64_t begin, int64_t end, scratch& memory) {
            engine->kernels.attention(a, begin, end, memory.floats(floats));
        });
    });
}

atrous_status atrous_linear_attention(atrous_engine* engine, const atrous_tensor* scores, const atrous_tensor* keys,
                                      const atrous_tensor* values, int32_t patch, const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_floats(scores, "scores");
        require_floats(keys, "keys");
        require_floats(values, "values");
        require_floats(output, "output");
        require_same_shape(*keys, "keys", *values, "values");
        require_same_shape(*keys, "keys", *output, "output");
        atrous_tensor one = *keys;
        one.channels = 1;
        require_same_shape(*scores, "scores", one, "a channel of keys");
        require_patches(*keys, "keys", patch);
        const int64_t sequences = int64_t{keys->batch} * patch * patch;
        thread_pool::lease contexts(engine->pool);
        const attention_context_args c{
            .scores = *scores, .keys = *keys, .patch = patch, .contexts = contexts->floats(sequences * keys->channels)};
        const int64_t blocks = (keys->channels + context_channels - 1) / context_channels;
        const int64_t floats = attention_padded(attention_tokens(*keys, patch), engine->kernels.lanes);
        parallel_for(*engine, sequences * blocks, [&](int64_t begin, int64_t end, scratch& memory) {
            engine->kernels.attention_context(c, begin, end, memory.floats(floats));
        });
        const linear_attention_args a{.values = *values, .output = *output, .patch = patch, .contexts = c.contexts};
        parallel_for(*engine, pixels_of(*values), grain_of(values->channels),
                     [&](int64_t begin, int64_t end) { engine->kernels.linear_attention(a, begin, end, nullptr); });
    });
}
