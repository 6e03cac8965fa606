#include "checks.h"

#include <cmath>

namespace atrous {

namespace {

// No processor addresses more. What an array may take at most is so far below an int64 that no sum of a few places in
// it overflows.
constexpr int64_t most_memory = int64_t{1} << 56;

[[noreturn]] void refuse_size(const char* name) {
    throw fail(ATROUS_INVALID_ARGUMENT, "%s is larger than memory can be", name);
}

}  // namespace

const char* type_name(int32_t type) {
    return type == ATROUS_FLOAT32 ? "float32" : type == ATROUS_BFLOAT16 ? "bfloat16" : "uint8";
}

void require_tensor(const atrous_tensor* tensor, const char* name) {
    require_not_null(tensor, name);
    const atrous_tensor& t = *tensor;
    if (t.data == nullptr) throw fail(ATROUS_INVALID_ARGUMENT, "%s has no data", name);
    if (t.batch < 1 || t.height < 1 || t.width < 1 || t.channels < 1) {
        throw fail(ATROUS_INVALID_ARGUMENT, "%s is %dx%dx%dx%d; every side must be at least 1", name, t.batch, t.height,
                   t.width, t.channels);
    }
    if (t.pixel_stride < t.channels) {
        throw fail(ATROUS_INVALID_ARGUMENT, "%s has a pixel stride of %lld, less than its %d channels", name,
                   static_cast<long long>(t.pixel_stride), t.channels);
    }
    require_range(t.type, ATROUS_FLOAT32, ATROUS_UINT8, "a tensor's type");
    if (t.type == ATROUS_UINT8) {
        if (!(std::isfinite(t.step) && t.step > 0)) {
            throw fail(ATROUS_INVALID_ARGUMENT, "%s has a step of %g; it must be finite and above 0", name,
                       static_cast<double>(t.step));
        }
        require_range(t.zero, 0, 255, "a tensor's zero");
    }
    int64_t bytes = sizeof(float);
    for (int64_t factor : {int64_t{t.batch}, int64_t{t.height}, int64_t{t.width}, t.pixel_stride}) {
        if (__builtin_mul_overflow(bytes, factor, &bytes) || bytes > most_memory) refuse_size(name);
    }
}

void require_same_type(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name) {
    if (a.type == b.type) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s and %s are of different types; they must agree", a_name, b_name);
}

void require_float32(const atrous_tensor& tensor, const char* name) {
    if (tensor.type == ATROUS_FLOAT32) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s is %s; it must be float32", name, type_name(tensor.type));
}

void refuse_uint8(const atrous_tensor& tensor, const char* name) {
    if (tensor.type != ATROUS_UINT8) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s is uint8; it must be float32 or bfloat16", name);
}

void require_same_step(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name) {
    if (a.type != ATROUS_UINT8 || (a.step == b.step && a.zero == b.zero)) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s has a step of %g and a zero of %d, %s of %g and %d; they must agree",
               a_name, static_cast<double>(a.step), a.zero, b_name, static_cast<double>(b.step), b.zero);
}

void require_same_batch(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name) {
    if (a.batch == b.batch) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s has batch %d and %s has batch %d; they must agree", a_name, a.batch, b_name,
               b.batch);
}

void require_same_channels(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name) {
    if (a.channels == b.channels) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s has %d channels and %s has %d; they must agree", a_name, a.channels, b_name,
               b.channels);
}

void require_same_shape(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name) {
    if (a.batch == b.batch && a.height == b.height && a.width == b.width && a.channels == b.channels) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s is %dx%dx%dx%d and %s is %dx%dx%dx%d; they must have one shape", a_name,
               a.batch, a.height, a.width, a.channels, b_name, b.batch, b.height, b.width, b.channels);
}

void require_rows(const atrous_image& image, const char* name) {
    const int64_t bytes = static_cast<int64_t>(image.width) * image.channels;
    if (image.row_stride != 0 && image.row_stride < bytes) {
        throw fail(ATROUS_INVALID_ARGUMENT, "a row of %s has %lld bytes, but the next begins %lld after it", name,
                   static_cast<long long>(bytes), static_cast<long long>(image.row_stride));
    }
    require_extent({{image.height, image.row_stride != 0 ? image.row_stride : bytes}}, 1, name);
}

void require_extent(std::initializer_list<axis> axes, int64_t item_bytes, const char* name) {
    int64_t all = 0;
    for (const auto [count, stride] : axes) {
        int64_t bytes = item_bytes;
        if (__builtin_mul_overflow(bytes, count, &bytes) || __builtin_mul_overflow(bytes, stride, &bytes) ||
            bytes > most_memory - all) {
            refuse_size(name);
        }
        all += bytes;
    }
}

void require_range(int64_t value, int64_t least, int64_t most, const char* name) {
    if (value >= least && value <= most) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "%s is %lld; use %lld to %lld", name, static_cast<long long>(value),
               static_cast<long long>(least), static_cast<long long>(most));
}

void require_activation(int32_t activation) {
    if (activation >= ATROUS_ACTIVATION_NONE && activation <= ATROUS_ACTIVATION_GELU) return;
    throw fail(ATROUS_INVALID_ARGUMENT, "activation %d is not known", activation);
}

}  // namespace atrous
