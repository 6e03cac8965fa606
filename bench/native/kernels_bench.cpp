// GFLOP/s of the convolutions of the networks that bench/run.sh measures, at their pictures' sizes, and the share of
// the peak that this machine's multiply-adds reach in a loop without memory; 3x3 at stride 1 directly and by Winograd's
// filtering, which counts what the direct algorithm would multiply; and all of it in bfloat16 where that can be had,
// against the peak of float32. ATROUS_ISA picks the instruction set.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "dispatch.h"
#include "parallel.h"
#include "peak.h"

namespace {

struct layer {
    const char* name;
    int size, in, out, kernel, stride, dilation, groups;
};

constexpr layer layers[] = {
    {"stem 7x7 s2 513x3->64", 513, 3, 64, 7, 2, 1, 1},
    {"1x1 129x64->256", 129, 64, 256, 1, 1, 1, 1},
    {"1x1 129x256->64", 129, 256, 64, 1, 1, 1, 1},
    {"1x1 65x512->128", 65, 512, 128, 1, 1, 1, 1},
    {"1x1 33x1024->256", 33, 1024, 256, 1, 1, 1, 1},
    {"1x1 33x256->1024", 33, 256, 1024, 1, 1, 1, 1},
    {"1x1 33x728->728", 33, 728, 728, 1, 1, 1, 1},
    {"1x1 257x128->128", 257, 128, 128, 1, 1, 1, 1},
    {"1x1 129x256->256", 129, 256, 256, 1, 1, 1, 1},
    {"3x3 129x64->64", 129, 64, 64, 3, 1, 1, 1},
    {"3x3 65x128->128", 65, 128, 128, 3, 1, 1, 1},
    {"3x3 33x256->256", 33, 256, 256, 3, 1, 1, 1},
    {"3x3 33x512->512 d2", 33, 512, 512, 3, 1, 2, 1},
    {"aspp 33x2048->256 d6", 33, 2048, 256, 3, 1, 6, 1},
    {"aspp 33x2048->256 d12", 33, 2048, 256, 3, 1, 12, 1},
    {"aspp 33x2048->256 d18", 33, 2048, 256, 3, 1, 18, 1},
    {"3x3 9x512->512 d2", 9, 512, 512, 3, 1, 2, 1},
    {"3x3 5x256->256", 5, 256, 256, 3, 1, 1, 1},
    {"3x3 3x256->256", 3, 256, 256, 3, 1, 1, 1},
    {"decoder 3x3 129x304->256", 129, 304, 256, 3, 1, 1, 1},
    {"classes 1x1 129x256->21", 129, 256, 21, 1, 1, 1, 1},
    {"3x3 65x512->512 d2", 65, 512, 512, 3, 1, 2, 1},
    {"aspp 65x2048->256 d12", 65, 2048, 256, 3, 1, 12, 1},
    {"3x3 64x192->48", 64, 192, 48, 3, 1, 1, 1},
    {"1x1 33x160->960", 33, 160, 960, 1, 1, 1, 1},
    {"1x1 33x960->160", 33, 960, 160, 1, 1, 1, 1},
    {"groups 3x3 65x256->256 g32", 65, 256, 256, 3, 1, 1, 32},
    {"depthwise 3x3 257x128", 257, 128, 128, 3, 1, 1, 128},
    {"depthwise 3x3 s2 257x128", 257, 128, 128, 3, 2, 1, 128},
    {"depthwise 3x3 33x728", 33, 728, 728, 3, 1, 1, 728},
    {"depthwise 3x3 129x256", 129, 256, 256, 3, 1, 1, 256},
    {"depthwise 3x3 33x960 d2", 33, 960, 960, 3, 1, 2, 960},
};

// Multiply-adds on cells of the picture alone: those on padding are nobody's work.
double useful_flops(const layer& l, int out, int pad) {
    double taps = 0;
    for (int k = 0; k < l.kernel; ++k) {
        for (int o = 0; o < out; ++o) {
            const int at = o * l.stride - pad + k * l.dilation;
            taps += at >= 0 && at < l.size;
        }
    }
    return 2.0 * taps * taps * (l.in / l.groups) * l.out;
}

void run_layer(benchmark::State& state, const layer& l, const std::string& algorithm, int threads, double peak) {
    const int32_t type = algorithm == "bf16" ? ATROUS_BFLOAT16 : ATROUS_FLOAT32;
    if (type == ATROUS_BFLOAT16) {
        unsetenv("ATROUS_CONV");
    } else {
        setenv("ATROUS_CONV", algorithm.c_str(), 1);
    }
    atrous_engine engine(threads, atrous::pick_kernels());
    const int pad = (l.kernel - 1) / 2 * l.dilation,
              out = (l.size + 2 * pad - (l.kernel - 1) * l.dilation - 1) / l.stride + 1;
    // Of bfloat16 these floats are as many numbers again, all the same.
    atrous::float_buffer input(int64_t{l.size} * l.size * l.in), output(int64_t{out} * out * l.out);
    std::fill_n(input.data(), input.capacity(), type == ATROUS_BFLOAT16 ? 0x1.0101p0f : 0.5f);
    output.fill_with_zeros();
    std::vector<float> weights(static_cast<size_t>(l.out) * (l.in / l.groups) * l.kernel * l.kernel, 0.25f);
    std::vector<float> bias(l.out, 1.0f);
    const atrous_tensor from{input.data(), l.in, 1, l.size, l.size, l.in, type, 0, 0};
    const atrous_tensor to{output.data(), l.out, 1, out, out, l.out, type, 0, 0};
    const atrous_conv2d_desc desc{l.in,     l.out,      l.kernel,   l.kernel, l.stride,
                                  l.stride, l.dilation, l.dilation, l.groups, ATROUS_ACTIVATION_RELU,
                                  0,        type,       l.size,     l.size,   0};
    atrous_conv2d* conv = nullptr;
    if (atrous_conv2d_create(&engine, &desc, weights.data(), nullptr, bias.data(), &conv) != ATROUS_OK) {
        state.SkipWithError(atrous_last_error());
        return;
    }
    double best = 1e30;
    for (auto _ : state) {
        const auto start = std::chrono::steady_clock::now();
        if (atrous_conv2d_run(&engine, conv, &from, pad, pad, nullptr, &to) != ATROUS_OK) {
            state.SkipWithError(atrous_last_error());
            break;
        }
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
        best = std::min(best, spent.count());
    }
    atrous_conv2d_destroy(conv);
    const double flops = useful_flops(l, out, pad);
    state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
    // The best run is the one that shared the machine least.
    state.counters["best"] = flops / best * 1e-9;
    state.counters["best_of_peak"] = flops / best / (peak * threads);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    const double peak = atrous::bench::peak_flops(atrous::pick_kernels().isa);
    benchmark::AddCustomContext("isa", atrous::pick_kernels().isa);
    benchmark::AddCustomContext("peak of one thread, GFLOP/s", std::to_string(peak * 1e-9));
    for (const layer& l : layers) {
        const bool both = l.kernel == 3 && l.stride == 1 && l.groups == 1;
        for (const std::string algorithm : {"direct", "winograd", "bf16"}) {
            if (!both && algorithm == "winograd") continue;
            if (algorithm == "bf16" && !atrous::pick_kernels().bf16_products) continue;
            for (int threads : {1, 2}) {
                const std::string name = std::string(l.name) + "/" + algorithm + "/threads:" + std::to_string(threads);
                benchmark::RegisterBenchmark(name.c_str(),
                                             [&l, algorithm, threads, peak](benchmark::State& state) {
                                                 run_layer(state, l, algorithm, threads, peak);
                                             })
                    ->UseRealTime()
                    ->Unit(benchmark::kMillisecond);
            }
        }
    }
    benchmark::RunSpecifiedBenchmarks();
}
