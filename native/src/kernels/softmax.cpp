// softmax(x)_i = exp(x_i - max) / sum_j exp(x_j - max), along the channels of a pixel or among slices of them.
#include "kernels.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {

namespace {

// A vector of channels, or the first of them: of each slice one after the other.
template <class Load, class Store>
void share(int64_t slices, Load read, Store write) {
    vec best = read(0), total = all(0.0f);
    for (int64_t s = 1; s < slices; ++s) best = larger(best, read(s));
    for (int64_t s = 0; s < slices; ++s) total = total + exponential(read(s) - best);
    const vec scale = all(1.0f) / total;
    // In place: a slice is read for the last time before it is written.
    for (int64_t s = 0; s < slices; ++s) write(s, exponential(read(s) - best) * scale);
}

void among_slices(const softmax_args& a, int64_t begin, int64_t end) {
    const int64_t step = a.input.channels / a.slices, whole = step / width * width, rest = step - whole;
    for (int64_t p = begin; p < end; ++p) {
        const float* in = elements<float>(a.input) + p * a.input.pixel_stride;
        float* out = elements<float>(a.output) + p * a.output.pixel_stride;
        for (int64_t c = 0; c < whole; c += width) {
            share(
                a.slices, [&](int64_t s) { return load(in + s * step + c); },
                [&](int64_t s, vec y) { store(out + s * step + c, y); });
        }
        if (rest == 0) continue;
        share(
            a.slices, [&](int64_t s) { return load_part(in + s * step + whole, rest); },
            [&](int64_t s, vec y) { store_part(out + s * step + whole, y, rest); });
    }
}

}  // namespace

void softmax(const softmax_args& a, int64_t begin, int64_t end, float*) {
    if (a.slices > 1) return among_slices(a, begin, end);
    const int64_t channels = a.input.channels, whole = channels / width * width, rest = channels - whole;
    for (int64_t p = begin; p < end; ++p) {
        const float* in = elements<float>(a.input) + p * a.input.pixel_stride;
        float* out = elements<float>(a.output) + p * a.output.pixel_stride;
        float best = in[0];
        if (whole > 0) {
            vec most = load(in);
            for (int64_t c = width; c < whole; c += width) most = larger(most, load(in + c));
            best = largest_lane(most);
        }
        for (int64_t c = whole; c < channels; ++c) best = in[c] > best ? in[c] : best;
        vec total = all(0.0f);
        for (int64_t c = 0; c < whole; c += width) {
            const vec e = exponential(load(in + c) - all(best));
            total = total + e;
            store(out + c, e);
        }
        float sum = sum_of_lanes(total);
        if (rest > 0) {
            float lanes[width];
            store(lanes, exponential(load_part(in + whole, rest) - all(best)));
            for (int64_t c = 0; c < rest; ++c) sum += lanes[c];
            store_part(out + whole, load(lanes), rest);
        }
        const vec scale = all(1.0f / sum);
        for (int64_t c = 0; c < whole; c += width) store(out + c, load(out + c) * scale);
        if (rest > 0) store_part(out + whole, load_part(out + whole, rest) * scale, rest);
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
