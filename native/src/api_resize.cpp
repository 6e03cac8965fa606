#include "checks.h"
#include "kernels.h"
#include "parallel.h"
#include "resize_taps.h"

using namespace atrous;

namespace {

static_assert(sizeof(resize_tap) == 4 * sizeof(float), "taps are carved out of float scratch memory");

// The taps of both axes, in memory that the engine keeps.
class resize_plan {
 public:
    resize_plan(atrous_engine& engine, const atrous_resize_desc& desc, const atrous_tensor& input, int32_t height,
                int32_t width)
        : memory_(engine.pool) {
        void* storage = memory_->floats((int64_t{height} + width) * 4);
        rows_ = new (storage) resize_tap[static_cast<size_t>(height) + width];
        columns_ = rows_ + height;
        fill_resize_taps(desc.sampling, desc.scale_height, input.height, height, rows_);
        fill_resize_taps(desc.sampling, desc.scale_width, input.width, width, columns_);
    }
    const resize_tap* rows() const { return rows_; }
    const resize_tap* columns() const { return columns_; }

 private:
    thread_pool::lease memory_;
    resize_tap* rows_;
    resize_tap* columns_;
};

}  // namespace

atrous_status atrous_resize_bilinear(atrous_engine* engine, const atrous_tensor* input, const atrous_resize_desc* desc,
                                     const atrous_tensor* output) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_tensor(input, "input");
        require_tensor(output, "output");
        require_resize(desc);
        require_same_type(*input, "input", *output, "output");
        require_same_step(*input, "input", *output, "output");
        require_same_batch(*input, "input", *output, "output");
        require_same_channels(*input, "input", *output, "output");
        const resize_plan plan(*engine, *desc, *input, output->height, output->width);
        const resize_args a{.input = *input, .output = *output, .rows = plan.rows(), .columns = plan.columns()};
        parallel_for(*engine, rows_of(*output), grain_of(int64_t{output->width} * output->channels),
                     [&](int64_t begin, int64_t end) { engine->kernels.resize_bilinear(a, begin, end, nullptr); });
    });
}

atrous_status atrous_resize_argmax(atrous_engine* engine, const atrous_tensor* logits, const atrous_resize_desc* desc,
                                   int32_t height, int32_t width, uint16_t* labels, float* confidence) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_tensor(logits, "logits");
        require_float32(*logits, "logits");
        require_resize(desc);
        if (confidence == nullptr) require_not_null(labels, "labels");
        require_range(height, 1, INT32_MAX, "height");
        require_range(width, 1, INT32_MAX, "width");
        require_range(logits->channels, 1, 1 << 16, "the number of classes");
        require_extent({{int64_t{logits->batch} * height, width}}, sizeof(float), "the label map");
        const resize_plan plan(*engine, *desc, *logits, height, width);
        int32_t not_finite = 0;
        const resize_argmax_args a{.logits = *logits,
                                   .height = height,
                                   .width = width,
                                   .rows = plan.rows(),
                                   .columns = plan.columns(),
                                   .labels = labels,
                                   .confidence = confidence,
                                   .not_finite = &not_finite};
        // A turn starts with two source rows to interpolate, so it should be a good many rows long.
        const int64_t rows = int64_t{logits->batch} * height;
        const int64_t grain = std::max<int64_t>(1, std::min<int64_t>(16, rows / (engine->pool.threads() * 4)));
        parallel_for(*engine, rows, grain, [&](int64_t begin, int64_t end, scratch& memory) {
            engine->kernels.resize_argmax(a, begin, end, memory.floats(argmax_memory(logits->channels)));
        });
        if (not_finite != 0) throw fail(ATROUS_NOT_FINITE, "scores are NaN or infinite");
    });
}
