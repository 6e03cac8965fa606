#include <algorithm>
#include <cmath>
#include <memory>

#include "checks.h"
#include "crf/crf.h"
#include "crf/scores.h"
#include "imaging/pixels.h"

using namespace atrous;

struct atrous_crf {
    explicit atrous_crf(engine& on, const atrous_crf_desc& desc) : model(on, desc) {}
    crf model;
};

namespace {

constexpr int32_t most_labels = 65536;  // what a uint16 label map can tell apart
constexpr int32_t most_features = 256;

void require_sigma(float sigma, const char* name) {
    if (!(sigma > 0.0f) || !std::isfinite(sigma)) {
        throw fail(ATROUS_INVALID_ARGUMENT, "%s is %g; a standard deviation must be positive", name,
                   static_cast<double>(sigma));
    }
}

}  // namespace

atrous_status atrous_crf_create(atrous_engine* engine, const atrous_crf_desc* desc, atrous_crf** crf) {
    return guard([&] {
        require_not_null(crf, "crf");
        *crf = nullptr;
        require_not_null(engine, "engine");
        require_not_null(desc, "desc");
        if (desc->height < 1 || desc->width < 1) {
            throw fail(ATROUS_INVALID_ARGUMENT, "a CRF of %dx%d pixels is empty", desc->width, desc->height);
        }
        if (desc->labels < 1 || desc->labels > most_labels) {
            throw fail(ATROUS_INVALID_ARGUMENT, "labels is %d; use 1 to %d", desc->labels, most_labels);
        }
        if (desc->memory_limit < 0) throw fail(ATROUS_INVALID_ARGUMENT, "memory_limit is negative; 0 means none");
        *crf = new atrous_crf(*engine, *desc);
        ++handle_count;
    });
}

void atrous_crf_destroy(atrous_crf* crf) {
    if (crf == nullptr) return;
    delete crf;
    --handle_count;
}

atrous_status atrous_crf_set_unary(atrous_crf* crf, const atrous_crf_scores* scores) {
    return guard([&] {
        require_not_null(crf, "crf");
        require_not_null(scores, "scores");
        check_scores(*scores, crf->model.pixels(), crf->model.labels());
        crf->model.set_unary(*scores);
    });
}

atrous_status atrous_crf_add_gaussian(atrous_crf* crf, float sigma_x, float sigma_y, const atrous_crf_kernel* kernel) {
    return guard([&] {
        require_not_null(crf, "crf");
        require_not_null(kernel, "kernel");
        require_sigma(sigma_x, "sigma_x");
        require_sigma(sigma_y, "sigma_y");
        const int64_t width = crf->model.width();
        const feature_source position = [=](int64_t begin, int64_t end, float* features) {
            for (int64_t p = begin; p < end; ++p, features += 2) {
                features[0] = static_cast<float>(p % width) / sigma_x;
                features[1] = static_cast<float>(p / width) / sigma_y;
            }
        };
        crf->model.add_kernel(2, position, *kernel);
    });
}

atrous_status atrous_crf_add_bilateral(atrous_crf* crf, float sigma_x, float sigma_y, const float* sigma_channels,
                                       const atrous_image* image, const atrous_crf_kernel* kernel) {
    return guard([&] {
        require_not_null(crf, "crf");
        require_not_null(kernel, "kernel");
        require_not_null(sigma_channels, "sigma_channels");
        require_not_null(image, "image");
        require_not_null(image->pixels, "image.pixels");
        const int32_t width = crf->model.width(), channels = image->channels;
        if (image->height != crf->model.height() || image->width != width) {
            throw fail(ATROUS_INVALID_ARGUMENT, "the image is %dx%d but the CRF %dx%d; resize the image", image->width,
                       image->height, width, crf->model.height());
        }
        if (channels < 1 || channels > 4) {
            throw fail(ATROUS_INVALID_ARGUMENT, "the image has %d channels; 1 to 4 can be used", channels);
        }
        require_rows(*image, "image");
        require_sigma(sigma_x, "sigma_x");
        require_sigma(sigma_y, "sigma_y");
        for (int32_t c = 0; c < channels; ++c) require_sigma(sigma_channels[c], "sigma of a channel");
        const feature_source position_and_colour = [=](int64_t begin, int64_t end, float* features) {
            for (int64_t p = begin; p < end; ++p) {
                const uint8_t* colour = image->pixels + p / width * imaging::row_bytes(*image) + p % width * channels;
                *features++ = static_cast<float>(p % width) / sigma_x;
                *features++ = static_cast<float>(p / width) / sigma_y;
                for (int32_t c = 0; c < channels; ++c) *features++ = static_cast<float>(*colour++) / sigma_channels[c];
            }
        };
        crf->model.add_kernel(2 + channels, position_and_colour, *kernel);
    });
}

atrous_status atrous_crf_add_features(atrous_crf* crf, int32_t dims, const float* features,
                                      const atrous_crf_kernel* kernel) {
    return guard([&] {
        require_not_null(crf, "crf");
        require_not_null(kernel, "kernel");
        require_not_null(features, "features");
        if (dims < 1 || dims > most_features) {
            throw fail(ATROUS_INVALID_ARGUMENT, "dims is %d; use 1 to %d features", dims, most_features);
        }
        const int64_t pixels = crf->model.pixels();
        const feature_source given = [=](int64_t begin, int64_t end, float* out) {
            for (int64_t p = begin; p < end; ++p) {
                for (int32_t i = 0; i < dims; ++i) *out++ = features[i * pixels + p];
            }
        };
        crf->model.add_kernel(dims, given, *kernel);
    });
}

atrous_status atrous_crf_start(atrous_crf* crf) {
    return guard([&] {
        require_not_null(crf, "crf");
        crf->model.start();
    });
}

atrous_status atrous_crf_step(atrous_crf* crf, int32_t iterations) {
    return guard([&] {
        require_not_null(crf, "crf");
        require_range(iterations, 0, 1 << 16, "iterations");
        for (int32_t i = 0; i < iterations; ++i) crf->model.step();
    });
}

atrous_status atrous_crf_kl_divergence(atrous_crf* crf, double* divergence) {
    return guard([&] {
        require_not_null(crf, "crf");
        require_not_null(divergence, "divergence");
        *divergence = crf->model.kl_divergence();
    });
}

atrous_status atrous_crf_beliefs(const atrous_crf* crf, float* beliefs, int64_t label_stride, int64_t pixel_stride) {
    return guard([&] {
        require_not_null(crf, "crf");
        require_not_null(beliefs, "beliefs");
        check_strides(label_stride, crf->model.labels(), pixel_stride, crf->model.pixels(), "beliefs");
        crf->model.read_beliefs(beliefs, label_stride, pixel_stride);
    });
}

atrous_status atrous_crf_labels(const atrous_crf* crf, uint16_t* labels) {
    return guard([&] {
        require_not_null(crf, "crf");
        require_not_null(labels, "labels");
        crf->model.read_labels(labels);
    });
}
