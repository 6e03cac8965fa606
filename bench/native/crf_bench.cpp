// The fully-connected CRF on a picture of PASCAL VOC's size, 500 x 375 with 21 labels.
// ATROUS_BENCH_PHOTO names a PPM (P6, 8 bits, no comments) to take instead of the made scene: how full the lattice
// gets, and so the time, depends on the picture (noise fills it, and no photograph is noise).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "atrous.h"

namespace {

constexpr int width = 500, height = 375, pixels = width * height, labels = 21;

void check(atrous_status status) {
    if (status != ATROUS_OK) throw std::runtime_error(atrous_last_error());
}

// Soft shading, some hard-edged objects, a sensor's noise.
std::vector<uint8_t> made_scene() {
    std::mt19937 random(1);
    std::normal_distribution<float> noise(0.0f, 1.5f);
    std::vector<uint8_t> scene;
    for (int p = 0; p < pixels; ++p) {
        const float x = static_cast<float>(p % width) / width, y = static_cast<float>(p / width) / height;
        for (int c = 0; c < 3; ++c) {
            float value = 90 + 60 * y + 25 * std::sin(7 * x + static_cast<float>(c)) * std::cos(5 * y);
            for (int object = 0; object < 12; ++object) {
                const float dx = x - 0.08f * static_cast<float>(object), dy = y - 0.5f - 0.4f * std::sin(2.1f * object);
                if (dx * dx + dy * dy < 0.008f) value += static_cast<float>((object * 53 + c * 97) % 120 - 60);
            }
            value += 6 * std::sin(190 * x) * std::sin(170 * y) + noise(random);
            scene.push_back(static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f)));
        }
    }
    return scene;
}

std::vector<uint8_t> photo(atrous_engine* engine, const char* path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    int32_t columns = 0, rows = 0, most = 0;
    file >> magic >> columns >> rows >> most;
    file.get();
    if (!file || magic != "P6" || most != 255 || columns < 1 || rows < 1)
        throw std::runtime_error("ATROUS_BENCH_PHOTO is no PPM");
    std::vector<uint8_t> read(static_cast<size_t>(columns) * static_cast<size_t>(rows) * 3);
    if (!file.read(reinterpret_cast<char*>(read.data()), static_cast<std::streamsize>(read.size())))
        throw std::runtime_error("ATROUS_BENCH_PHOTO ends early");
    std::vector<uint8_t> resized(pixels * 3);
    const atrous_image source{.pixels = read.data(), .height = rows, .width = columns, .channels = 3, .row_stride = 0};
    const atrous_image target{
        .pixels = resized.data(), .height = height, .width = width, .channels = 3, .row_stride = 0};
    check(atrous_image_resize(engine, &source, ATROUS_FILTER_BILINEAR, &target));
    return resized;
}

// Logits as a network of output stride 8 has them: smooth, from one value every 8 pixels.
std::vector<float> smooth_logits() {
    constexpr int coarse_width = width / 8 + 2, coarse_height = height / 8 + 2;
    std::mt19937 random(2);
    std::normal_distribution<float> score(0.0f, 3.0f);
    std::vector<float> coarse(coarse_width * coarse_height * labels), logits;
    for (float& v : coarse) v = score(random);
    for (int p = 0; p < pixels; ++p) {
        const int x = p % width / 8, y = p / width / 8;
        const float fx = static_cast<float>(p % width % 8) / 8, fy = static_cast<float>(p / width % 8) / 8;
        for (int l = 0; l < labels; ++l) {
            const auto at = [&](int dx, int dy) { return coarse[((y + dy) * coarse_width + x + dx) * labels + l]; };
            logits.push_back((1 - fy) * ((1 - fx) * at(0, 0) + fx * at(1, 0)) +
                             fy * ((1 - fx) * at(0, 1) + fx * at(1, 1)));
        }
    }
    return logits;
}

struct parameters {
    float gaussian_sigma, gaussian_weight, bilateral_sigma, colour_sigma, bilateral_weight;
    int iterations;
};

// Everything that a caller waits for: unaries, both lattices, the iterations, the labels.
void refine(benchmark::State& state, const parameters& with) {
    atrous_engine* engine = nullptr;
    check(atrous_engine_create(static_cast<int32_t>(state.range(0)), &engine));
    const std::unique_ptr<atrous_engine, void (*)(atrous_engine*)> owner(engine, atrous_engine_destroy);
    const char* path = std::getenv("ATROUS_BENCH_PHOTO");
    std::vector<uint8_t> scene = path == nullptr ? made_scene() : photo(engine, path);
    const std::vector<float> logits = smooth_logits();
    std::vector<uint16_t> mask(pixels);
    const atrous_image image{.pixels = scene.data(), .height = height, .width = width, .channels = 3, .row_stride = 0};
    const float colour_sigmas[3] = {with.colour_sigma, with.colour_sigma, with.colour_sigma};
    for ([[maybe_unused]] auto _ : state) {
        const atrous_crf_desc desc{.height = height, .width = width, .labels = labels, .memory_limit = 0};
        atrous_crf* crf = nullptr;
        check(atrous_crf_create(engine, &desc, &crf));
        const atrous_crf_scores scores{.data = logits.data(),
                                       .label_stride = 1,
                                       .pixel_stride = labels,
                                       .form = ATROUS_CRF_LOGIT,
                                       .scale = 1.0f,
                                       .clip = 1e-5f};
        check(atrous_crf_set_unary(crf, &scores));
        atrous_crf_kernel kernel{.normalization = ATROUS_CRF_NORMALIZE_SYMMETRIC,
                                 .compatibility = ATROUS_CRF_POTTS,
                                 .compatibility_values = &with.gaussian_weight};
        check(atrous_crf_add_gaussian(crf, with.gaussian_sigma, with.gaussian_sigma, &kernel));
        kernel.compatibility_values = &with.bilateral_weight;
        check(
            atrous_crf_add_bilateral(crf, with.bilateral_sigma, with.bilateral_sigma, colour_sigmas, &image, &kernel));
        check(atrous_crf_start(crf));
        check(atrous_crf_step(crf, with.iterations));
        check(atrous_crf_labels(crf, mask.data()));
        atrous_crf_destroy(crf);
    }
    state.SetLabel(atrous_engine_isa(engine));
}

void crf_deeplabv2(benchmark::State& state) {
    refine(state, {1, 3, 67, 3, 4, 10});
}
void crf_pydensecrf(benchmark::State& state) {
    refine(state, {3, 3, 80, 13, 10, 5});
}

BENCHMARK(crf_deeplabv2)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(crf_pydensecrf)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
