// Per-channel affine maps, two-operand arithmetic and copies: memory-bound, so one pass and whole vectors.
#include "activation.h"
#include "kernels.h"
#include "simd_bytes.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

bool is_dense(const atrous_tensor& t) {
    return t.pixel_stride == t.channels;
}

int64_t pixels_per_picture(const atrous_tensor& t) {
    return static_cast<int64_t>(t.height) * t.width;
}

// body(channel, lanes) for every vector of a run of channels; lanes is less than width in the last one at most.
template <class Body>
void for_each_vector(int64_t channels, Body body) {
    int64_t c = 0;
    for (; c + width <= channels; c += width) body(c, static_cast<int64_t>(width));
    if (c < channels) body(c, channels - c);
}

template <class T>
vec read(const T* p, int64_t lanes) {
    return lanes == width ? load(p) : load_part(p, lanes);
}

template <class T>
void write(T* p, vec x, int64_t lanes) {
    lanes == width ? store(p, x) : store_part(p, x, lanes);
}

// A tensor's elements in memory as numbers in registers. What uint8 stands for is in atrous.h.
template <class T>
struct numbers_of {
    explicit numbers_of(const atrous_tensor&) {}
    vec read_from(const T* p, int64_t lanes) const { return read(p, lanes); }
    void write_to(T* p, vec x, int64_t lanes) const { write(p, x, lanes); }
};
template <>
struct numbers_of<uint8_t> {
    vec step, per_step, zero;
    explicit numbers_of(const atrous_tensor& t)
        : step(all(t.step)), per_step(all(1 / t.step)), zero(all(static_cast<float>(t.zero))) {}
    vec read_from(const uint8_t* p, int64_t lanes) const { return (read(p, lanes) - zero) * step; }
    void write_to(uint8_t* p, vec x, int64_t lanes) const { write(p, quantise(x, per_step, zero), lanes); }
};

vec combine(vec x, vec y, int32_t op) {
    return op == ATROUS_ADD ? x + y : op == ATROUS_MULTIPLY ? x * y : larger(x, y);
}

template <class In, class Out>
void scale_and_shift(const affine_args& a, int64_t begin, int64_t end) {
    // Without per-channel factors a dense run of pixels is one long row.
    const bool flat = a.scale == nullptr && a.shift == nullptr && is_dense(a.input) && is_dense(a.output);
    const int64_t channels = flat ? (end - begin) * a.input.channels : a.input.channels;
    const int64_t last = flat ? begin + 1 : end;
    const numbers_of<In> input(a.input);
    const numbers_of<Out> output(a.output);
    for (int64_t p = begin; p < last; ++p) {
        const In* in = elements<In>(a.input) + p * a.input.pixel_stride;
        Out* out = elements<Out>(a.output) + p * a.output.pixel_stride;
        for_each_vector(channels, [&](int64_t c, int64_t lanes) {
            vec x = input.read_from(in + c, lanes);
            if (a.scale != nullptr) x = x * read(a.scale + c, lanes);
            if (a.shift != nullptr) x = x + read(a.shift + c, lanes);
            output.write_to(out + c, activate(x, a.activation, a.slope), lanes);
        });
    }
}

template <class In>
void scale_and_shift_from(const affine_args& a, int64_t begin, int64_t end) {
    switch (a.output.type) {
        case ATROUS_FLOAT32:
            return scale_and_shift<In, float>(a, begin, end);
        case ATROUS_BFLOAT16:
            return scale_and_shift<In, bf16>(a, begin, end);
        default:
            return scale_and_shift<In, uint8_t>(a, begin, end);
    }
}

template <class T>
void combine_pixels(const binary_args& a, int64_t begin, int64_t end) {
    const bool flat = !a.broadcast && is_dense(a.a) && is_dense(a.b) && is_dense(a.output);
    const int64_t channels = flat ? (end - begin) * a.a.channels : a.a.channels;
    const int64_t last = flat ? begin + 1 : end;
    const numbers_of<T> first(a.a), second(a.b), output(a.output);
    for (int64_t p = begin; p < last; ++p) {
        const T* x = elements<T>(a.a) + p * a.a.pixel_stride;
        const T* y = elements<T>(a.b) + (a.broadcast ? p / pixels_per_picture(a.a) : p) * a.b.pixel_stride;
        T* out = elements<T>(a.output) + p * a.output.pixel_stride;
        for_each_vector(channels, [&](int64_t c, int64_t lanes) {
            const vec result = combine(first.read_from(x + c, lanes), second.read_from(y + c, lanes), a.op);
            output.write_to(out + c, activate(result, a.activation, a.slope), lanes);
        });
    }
}

// The place that one beyond a picture of so many mirrors.
int64_t mirrored(int64_t i, int64_t size) {
    return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
}

template <class T>
void copy_rows(const copy_args& a, int64_t begin, int64_t end) {
    const size_t pixel_bytes = static_cast<size_t>(a.output.channels) * sizeof(T);
    const bool is_inside = a.left >= 0 && int64_t{a.left} + a.output.width <= a.input.width;
    for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row / a.output.height, y = row % a.output.height;
        const int64_t source =
            a.broadcast ? n : (n * a.input.height + mirrored(y + a.top, a.input.height)) * a.input.width;
        const T* in = elements<T>(a.input) + source * a.input.pixel_stride;
        T* out = elements<T>(a.output) + row * a.output.width * a.output.pixel_stride;
        if (!a.broadcast && is_inside && is_dense(a.input) && is_dense(a.output)) {
            memcpy(out, in + a.left * a.input.pixel_stride, pixel_bytes * static_cast<size_t>(a.output.width));
            continue;
        }
        for (int64_t x = 0; x < a.output.width; ++x) {
            const int64_t from = a.broadcast ? 0 : mirrored(x + a.left, a.input.width);
            memcpy(out + x * a.output.pixel_stride, in + from * a.input.pixel_stride, pixel_bytes);
        }
    }
}

}  // namespace

void affine(const affine_args& a, int64_t begin, int64_t end, float*) {
    switch (a.input.type) {
        case ATROUS_FLOAT32:
            return scale_and_shift_from<float>(a, begin, end);
        case ATROUS_BFLOAT16:
            return scale_and_shift_from<bf16>(a, begin, end);
        default:
            return scale_and_shift_from<uint8_t>(a, begin, end);
    }
}

void binary_op(const binary_args& a, int64_t begin, int64_t end, float*) {
    switch (a.a.type) {
        case ATROUS_FLOAT32:
            return combine_pixels<float>(a, begin, end);
        case ATROUS_BFLOAT16:
            return combine_pixels<bf16>(a, begin, end);
        default:
            return combine_pixels<uint8_t>(a, begin, end);
    }
}

void copy(const copy_args& a, int64_t begin, int64_t end, float*) {
    switch (a.input.type) {
        case ATROUS_FLOAT32:
            return copy_rows<float>(a, begin, end);
        case ATROUS_BFLOAT16:
            return copy_rows<bf16>(a, begin, end);
        default:
            return copy_rows<uint8_t>(a, begin, end);
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
