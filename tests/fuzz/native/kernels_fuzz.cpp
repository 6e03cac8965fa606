// The operations that other targets have not, each against loops that say what atrous.h says.
#include <algorithm>

#include "input.h"

using namespace atrous::fuzz;

namespace {

void expect_byte(const char* what, int32_t got, float wanted) {
    const auto expected = static_cast<int32_t>(std::nearbyint(wanted));
    if (got != expected) found(what, got, expected);
}

// quantise() of atrous.h.
float quantised(float y, const atrous_tensor& t) {
    return std::min(255.0f, std::max(0.0f, y * (1 / t.step) + static_cast<float>(t.zero)));
}

void pools(input& in) {
    const bool average = in.in(0, 1) == 0, bytes = in.in(0, 2) == 0;
    const int32_t batch = in.in(1, 2), channels = in.in(1, 40);
    atrous_pool_desc desc{.kernel_height = in.in(1, 5),
                          .kernel_width = in.in(1, 5),
                          .stride_height = in.in(1, 3),
                          .stride_width = in.in(1, 3),
                          .pad_top = 0,
                          .pad_left = 0};
    desc.pad_top = in.in(0, desc.kernel_height - 1);
    desc.pad_left = in.in(0, desc.kernel_width - 1);
    const int32_t height = in.in(1, 9), width = in.in(1, 9), out_height = in.in(1, 9), out_width = in.in(1, 9);
    const sheet source = bytes ? sheet::of_bytes(batch, height, width, channels, in)
                               : sheet(batch, height, width, channels, &in, in.in(0, 3));
    sheet result(batch, out_height, out_width, channels, nullptr, in.in(0, 3));
    if (bytes) result.become_bytes_like(*source.view());
    const auto run = average ? atrous_average_pool : atrous_max_pool;
    if (!taken(run(engine(), source.view(), &desc, result.view()))) return;
    result.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
        const int32_t top = y * desc.stride_height - desc.pad_top, left = x * desc.stride_width - desc.pad_left;
        double sum = 0, most = -1e9, cells = 0;
        for (int32_t i = std::max(top, 0); i < std::min(top + desc.kernel_height, height); ++i) {
            for (int32_t j = std::max(left, 0); j < std::min(left + desc.kernel_width, width); ++j, ++cells) {
                const double value = bytes ? source.byte_at(n, i, j, c) : source.at(n, i, j, c);
                sum += value;
                most = std::max(most, value);
            }
        }
        const double expected = average ? sum / cells : most;
        if (bytes) return expect_byte("pool of bytes", result.byte_at(n, y, x, c), static_cast<float>(expected));
        expect_near("pool", result.at(n, y, x, c), expected, average ? 1e-5 : 0);
    });
}

// One filter a channel, and the run that joins a 1x1 convolution to it.
void depthwise(input& in) {
    const int32_t batch = in.in(1, 2), channels = in.in(2, 70), out_channels = in.in(1, 20);
    atrous_conv2d_desc desc{};
    desc.in_channels = desc.out_channels = desc.groups = channels;
    desc.kernel_height = in.in(1, 5);
    desc.kernel_width = in.in(1, 5);
    desc.stride_height = in.in(1, 2);
    desc.stride_width = in.in(1, 2);
    desc.dilation_height = in.in(1, 3);
    desc.dilation_width = in.in(1, 3);
    desc.usual_height = desc.usual_width = 8;
    const int32_t taps = desc.kernel_height * desc.kernel_width, top = in.in(-2, 5), left = in.in(-2, 5);
    const sheet source(batch, in.in(1, 9), in.in(1, 9), channels, &in, in.in(0, 3));
    const sheet between(batch, in.in(1, 9), in.in(1, 9), channels);
    const std::vector<float> weights = in.values(static_cast<size_t>(channels) * taps);
    atrous_conv2d *conv = nullptr, *last = nullptr;
    if (!taken(atrous_conv2d_create(engine(), &desc, weights.data(), nullptr, nullptr, &conv))) found("refused", 0, 1);
    if (!taken(atrous_conv2d_run(engine(), conv, source.view(), top, left, nullptr, between.view()))) {
        found("depthwise run refused", 0, 1);
    }
    between.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
        double sum = 0, size = 0;
        for (int32_t tap = 0; tap < taps; ++tap) {
            const int32_t row = y * desc.stride_height + tap / desc.kernel_width * desc.dilation_height - top;
            const int32_t column = x * desc.stride_width + tap % desc.kernel_width * desc.dilation_width - left;
            const double product =
                static_cast<double>(weights[static_cast<size_t>(c) * taps + tap]) * source.at(n, row, column, c);
            sum += product;
            size += std::fabs(product);
        }
        expect_near("depthwise", between.at(n, y, x, c), sum, 1e-5 * (1 + size));
    });
    atrous_conv2d_desc pointwise{};
    pointwise.in_channels = channels;
    pointwise.out_channels = out_channels;
    pointwise.groups = pointwise.kernel_height = pointwise.kernel_width = pointwise.stride_height =
        pointwise.stride_width = pointwise.dilation_height = pointwise.dilation_width = 1;
    pointwise.usual_height = pointwise.usual_width = 8;
    const std::vector<float> mix = in.values(static_cast<size_t>(channels) * out_channels);
    const sheet two(batch, between.view()->height, between.view()->width, out_channels);
    const sheet one(batch, between.view()->height, between.view()->width, out_channels);
    if (!taken(atrous_conv2d_create(engine(), &pointwise, mix.data(), nullptr, nullptr, &last)) ||
        !taken(atrous_conv2d_run(engine(), last, between.view(), 0, 0, nullptr, two.view())) ||
        !taken(atrous_separable_run(engine(), conv, last, source.view(), top, left, nullptr, one.view()))) {
        found("separable run refused", 0, 1);
    }
    one.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
        expect_near("separable run", one.at(n, y, x, c), two.at(n, y, x, c), 0);
    });
    atrous_conv2d_destroy(conv);
    atrous_conv2d_destroy(last);
}

// Weights of bytes, dense or one filter a channel: to the letter.
void byte_convolutions(input& in) {
    const bool depthwise = in.in(0, 1) == 0, to_float = in.in(0, 2) == 0;
    const int32_t channels = in.in(1, 40), batch = in.in(1, 2);
    const sheet source = sheet::of_bytes(batch, in.in(1, 7), in.in(1, 7), channels, in);
    atrous_conv2d_desc desc{};
    desc.in_channels = channels;
    desc.out_channels = depthwise ? channels : in.in(1, 40);
    desc.groups = depthwise ? channels : 1;
    desc.kernel_height = in.in(1, 4);
    desc.kernel_width = in.in(1, 4);
    desc.stride_height = in.in(1, 2);
    desc.stride_width = in.in(1, 2);
    desc.dilation_height = in.in(1, 3);
    desc.dilation_width = in.in(1, 3);
    desc.activation = in.in(ATROUS_ACTIVATION_NONE, ATROUS_ACTIVATION_RELU6);
    desc.type = ATROUS_UINT8;
    desc.usual_height = desc.usual_width = 8;
    desc.zero = source.view()->zero;
    const int32_t each = channels / desc.groups, taps = desc.kernel_height * desc.kernel_width, inputs = each * taps;
    const int32_t top = in.in(-2, 5), left = in.in(-2, 5);
    const std::vector<float> weights = in.values(static_cast<size_t>(desc.out_channels) * inputs);
    const std::vector<float> bias = in.values(static_cast<size_t>(desc.out_channels));
    sheet result(batch, in.in(1, 7), in.in(1, 7), desc.out_channels, nullptr, in.in(0, 3));
    if (!to_float) {
        sheet like = sheet::of_bytes(1, 1, 1, 1, in);
        result.become_bytes_like(*like.view());
    }
    atrous_conv2d* conv = nullptr;
    if (!taken(atrous_conv2d_create(engine(), &desc, weights.data(), nullptr, bias.data(), &conv)) ||
        !taken(atrous_conv2d_run(engine(), conv, source.view(), top, left, nullptr, result.view()))) {
        found("a convolution of bytes was refused", 0, 1);
    }
    atrous_conv2d_destroy(conv);
    const atrous_tensor& to = *result.view();
    result.for_each([&](int32_t n, int32_t y, int32_t x, int32_t o) {
        const float* filter = weights.data() + static_cast<size_t>(o) * inputs;
        float most = 0;
        for (int32_t i = 0; i < inputs; ++i) most = std::max(most, std::fabs(filter[i]));
        const float step = most > 0 ? most / 127 : 1;
        int32_t sum = 0;
        for (int32_t i = 0; i < inputs; ++i) {
            const int32_t tap = i % taps, channel = depthwise ? o : i / taps;
            const int32_t row = y * desc.stride_height + tap / desc.kernel_width * desc.dilation_height - top;
            const int32_t column = x * desc.stride_width + tap % desc.kernel_width * desc.dilation_width - left;
            sum += (source.byte_at(n, row, column, channel) - desc.zero) *
                   static_cast<int32_t>(std::nearbyint(filter[i] / step));
        }
        const float factor = source.view()->step * step;
        if (to_float) {
            float number = static_cast<float>(sum) * factor + bias[o];
            if (desc.activation != ATROUS_ACTIVATION_NONE) number = std::max(number, 0.0f);
            if (desc.activation == ATROUS_ACTIVATION_RELU6) number = std::min(number, 6.0f);
            return expect_near("bytes to float", result.at(n, y, x, o), number, 0);
        }
        const auto zero = static_cast<float>(to.zero);
        const float low = desc.activation == ATROUS_ACTIVATION_NONE ? 0 : zero;
        const float high = desc.activation == ATROUS_ACTIVATION_RELU6 ? std::min(255.0f, 6 / to.step + zero) : 255;
        const float number = static_cast<float>(sum) * (factor / to.step) + (bias[o] / to.step + zero);
        expect_byte("bytes", result.byte_at(n, y, x, o), std::min(high, std::max(low, number)));
    });
}

// Of bytes and floats in all pairs: what is per element.
void elementwise(input& in) {
    const int32_t batch = in.in(1, 2), height = in.in(1, 5), width = in.in(1, 5), channels = in.in(1, 40);
    const auto any = [&](bool bytes) {
        return bytes ? sheet::of_bytes(batch, height, width, channels, in)
                     : sheet(batch, height, width, channels, &in, in.in(0, 3));
    };
    const bool from_bytes = in.in(0, 1) == 0, to_bytes = in.in(0, 1) == 0, two = in.in(0, 1) == 0;
    const sheet a = any(two ? to_bytes : from_bytes), result = any(to_bytes);
    const int32_t activation = in.in(ATROUS_ACTIVATION_NONE, ATROUS_ACTIVATION_RELU6);
    const auto expect = [&](int32_t n, int32_t y, int32_t x, int32_t c, float number) {
        if (activation != ATROUS_ACTIVATION_NONE) number = std::max(number, 0.0f);
        if (activation == ATROUS_ACTIVATION_RELU6) number = std::min(number, 6.0f);
        if (to_bytes) return expect_byte("to bytes", result.byte_at(n, y, x, c), quantised(number, *result.view()));
        expect_near("elementwise", result.at(n, y, x, c), number, 0);
    };
    if (two) {
        const sheet b = any(to_bytes);
        const int32_t op = in.in(ATROUS_ADD, ATROUS_MAXIMUM);
        if (!taken(atrous_binary_op(engine(), op, a.view(), b.view(), activation, 0, result.view()))) {
            found("a binary operation was refused", 0, 1);
        }
        return result.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
            const float u = a.number_at(n, y, x, c), v = b.number_at(n, y, x, c);
            expect(n, y, x, c, op == ATROUS_ADD ? u + v : op == ATROUS_MULTIPLY ? u * v : std::max(u, v));
        });
    }
    const std::vector<float> scale = in.values(static_cast<size_t>(channels));
    const std::vector<float> shift = in.values(static_cast<size_t>(channels));
    if (!taken(atrous_affine(engine(), a.view(), scale.data(), shift.data(), activation, 0, result.view()))) {
        found("an affine map was refused", 0, 1);
    }
    result.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
        expect(n, y, x, c, a.number_at(n, y, x, c) * scale[c] + shift[c]);
    });
}

void layer_norm(input& in) {
    const int32_t batch = in.in(1, 2), height = in.in(1, 6), width = in.in(1, 6), channels = in.in(1, 40);
    const bool whole = in.in(0, 1) == 0;
    const sheet source(batch, height, width, channels, &in, in.in(0, 3));
    const sheet result(batch, height, width, channels, nullptr, in.in(0, 3));
    const std::vector<float> scale = in.values(static_cast<size_t>(channels));
    const std::vector<float> shift = in.values(static_cast<size_t>(channels));
    constexpr float epsilon = 1e-2f;
    if (!taken(atrous_layer_norm(engine(), source.view(), scale.data(), shift.data(), epsilon, whole ? 1 : 0,
                                 result.view()))) {
        found("a layer norm was refused", 0, 1);
    }
    result.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
        double sum = 0, squares = 0, count = 0;
        source.for_each([&](int32_t m, int32_t i, int32_t j, int32_t k) {
            if (m != n || (!whole && (i != y || j != x))) return;
            const double value = source.at(m, i, j, k);
            sum += value;
            squares += value * value;
            ++count;
        });
        const double mean = sum / count, variance = std::max(squares / count - mean * mean, 0.0);
        const double expected = (source.at(n, y, x, c) - mean) / std::sqrt(variance + epsilon) * scale[c] + shift[c];
        expect_near("layer norm", result.at(n, y, x, c), expected, 1e-4 * (1 + std::fabs(expected)));
    });
}

void global_response(input& in) {
    const int32_t batch = in.in(1, 2), channels = in.in(1, 40);
    const sheet source(batch, in.in(1, 6), in.in(1, 6), channels, &in, in.in(0, 3));
    const sheet result(batch, 1, 1, channels, nullptr, in.in(0, 3));
    const std::vector<float> scale = in.values(static_cast<size_t>(channels));
    constexpr float epsilon = 1e-2f;
    if (!taken(atrous_global_response(engine(), source.view(), scale.data(), epsilon, result.view()))) {
        found("a global response was refused", 0, 1);
    }
    for (int32_t n = 0; n < batch; ++n) {
        std::vector<double> squares(static_cast<size_t>(channels));
        source.for_each([&](int32_t m, int32_t y, int32_t x, int32_t c) {
            const double value = source.at(m, y, x, c);
            if (m == n) squares[c] += value * value;
        });
        double mean = 0;
        for (const double sum : squares) mean += std::sqrt(sum) / channels;
        for (int32_t c = 0; c < channels; ++c) {
            const double expected = 1 + scale[c] * std::sqrt(squares[c]) / (mean + epsilon);
            expect_near("global response", result.at(n, 0, 0, c), expected, 1e-4 * (1 + std::fabs(expected)));
        }
    }
}

void attention(input& in) {
    const int32_t batch = in.in(1, 2), patch = in.in(1, 2), heads = in.in(1, 3), depth = in.in(1, 9);
    const int32_t height = patch * in.in(1, 3), width = patch * in.in(1, 3), channels = heads * depth;
    const int32_t key_height = patch * in.in(1, 3), key_width = patch * in.in(1, 3);
    const float scale = in.value();
    const sheet q(batch, height, width, channels, &in, in.in(0, 3));
    const sheet k(batch, key_height, key_width, channels, &in), v(batch, key_height, key_width, channels, &in);
    const sheet result(batch, height, width, channels);
    if (!taken(atrous_attention(engine(), q.view(), k.view(), v.view(), heads, scale, patch, result.view()))) {
        found("attention was refused", 0, 1);
    }
    result.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
        const int32_t first = c / depth * depth;
        const auto score = [&](int32_t i, int32_t j) {
            double sum = 0;
            for (int32_t d = first; d < first + depth; ++d)
                sum += static_cast<double>(q.at(n, y, x, d)) * k.at(n, i, j, d);
            return sum * scale;
        };
        double most = -1e9, sum = 0, mixed = 0;
        for (int32_t i = y % patch; i < key_height; i += patch)
            for (int32_t j = x % patch; j < key_width; j += patch) most = std::max(most, score(i, j));
        for (int32_t i = y % patch; i < key_height; i += patch) {
            for (int32_t j = x % patch; j < key_width; j += patch) {
                const double weight = std::exp(score(i, j) - most);
                sum += weight;
                mixed += weight * v.at(n, i, j, c);
            }
        }
        expect_near("attention", result.at(n, y, x, c), mixed / sum, 1e-4);
    });
}

void linear_attention(input& in) {
    const int32_t batch = in.in(1, 2), patch = in.in(1, 2), channels = in.in(1, 70);
    const int32_t height = patch * in.in(1, 3), width = patch * in.in(1, 3);
    const sheet scores(batch, height, width, 1, &in), keys(batch, height, width, channels, &in, in.in(0, 3));
    const sheet values(batch, height, width, channels, &in), result(batch, height, width, channels);
    if (!taken(atrous_linear_attention(engine(), scores.view(), keys.view(), values.view(), patch, result.view()))) {
        found("linear attention was refused", 0, 1);
    }
    result.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
        double sum = 0, context = 0;
        for (int32_t i = y % patch; i < height; i += patch) {
            for (int32_t j = x % patch; j < width; j += patch) {
                const double weight = std::exp(scores.at(n, i, j, 0));
                sum += weight;
                context += weight * keys.at(n, i, j, c);
            }
        }
        expect_near("linear attention", result.at(n, y, x, c), std::max(values.at(n, y, x, c), 0.0f) * context / sum,
                    1e-4);
    });
}

// Softmax, among slices too, and the labels and their confidence where nothing is resized.
void labels(input& in) {
    const int32_t batch = in.in(1, 2), height = in.in(1, 6), width = in.in(1, 9), slices = in.in(1, 4);
    const int32_t each = in.in(1, 10), classes = slices * each;
    const sheet logits(batch, height, width, classes, &in, in.in(0, 3)), soft(batch, height, width, classes);
    const atrous_resize_desc desc{.sampling = in.in(0, 2), .scale_height = 0, .scale_width = 0};
    std::vector<uint16_t> winners(static_cast<size_t>(batch) * height * width);
    std::vector<float> confidence(winners.size());
    if (!taken(atrous_softmax(engine(), logits.view(), slices, soft.view())) ||
        !taken(
            atrous_resize_argmax(engine(), logits.view(), &desc, height, width, winners.data(), confidence.data()))) {
        found("scores were refused", 0, 1);
    }
    logits.for_each([&](int32_t n, int32_t y, int32_t x, int32_t c) {
        const auto power = [&](int32_t l) { return std::exp(static_cast<double>(logits.at(n, y, x, l))); };
        int32_t best = 0;
        double sum = 0, among = 0;
        for (int32_t l = 0; l < classes; ++l) {
            if (logits.at(n, y, x, l) > logits.at(n, y, x, best)) best = l;
            sum += power(l);
            if (slices == 1 || l % each == c % each) among += power(l);
        }
        const size_t pixel = (static_cast<size_t>(n) * height + y) * width + x;
        expect_near("softmax", soft.at(n, y, x, c), power(c) / among, 1e-5);
        if (winners[pixel] != best) found("label", winners[pixel], best);
        expect_near("confidence", confidence[pixel], power(best) / sum, 1e-5);
    });
}

void normalise(input& in) {
    const int32_t height = in.in(1, 6), width = in.in(1, 9), channels = in.in(1, 4), out_channels = in.in(1, 5);
    const int64_t stride = int64_t{width} * channels + in.in(0, 3);
    std::vector<uint8_t> pixels(static_cast<size_t>(stride) * (height - 1) + static_cast<size_t>(width) * channels);
    for (uint8_t& pixel : pixels) pixel = in.byte();
    const atrous_image image{pixels.data(), height, width, channels, stride};
    const std::vector<float> mean = in.values(static_cast<size_t>(out_channels)), fill = in.values(mean.size());
    std::vector<float> std(mean.size());
    std::vector<int32_t> order(mean.size());
    for (float& one : std) one = static_cast<float>(in.in(1, 64)) / 16;
    for (int32_t& one : order) one = in.in(0, channels - 1);
    const int32_t top = in.in(0, 3), left = in.in(0, 3);
    const atrous_normalize_desc desc{
        in.in(0, 1) == 0 ? 1.0f : 1.0f / 255, top, left, mean.data(), std.data(), fill.data(), order.data()};
    const sheet result(1, height + top + in.in(0, 2), width + left + in.in(0, 2), out_channels, nullptr, in.in(0, 3));
    if (!taken(atrous_normalize(engine(), &image, &desc, result.view()))) found("a picture was refused", 0, 1);
    result.for_each([&](int32_t, int32_t y, int32_t x, int32_t c) {
        const bool inside = y >= top && x >= left && y < top + height && x < left + width;
        const double value =
            inside ? pixels[static_cast<size_t>((y - top) * stride + (x - left) * channels + order[c])] : fill[c];
        const double expected = (value * static_cast<double>(desc.scale) - mean[c]) / std[c];
        expect_near("normalise", result.at(0, y, x, c), expected, 1e-5 * (1 + std::fabs(expected)));
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr void (*operations[])(input&) = {pools,           depthwise, byte_convolutions, elementwise, layer_norm,
                                              global_response, attention, linear_attention,  labels,      normalise};
    input in(data, size);
    operations[in.in(0, std::size(operations) - 1)](in);
    return 0;
}
