// GMAC/s of quantised convolutions of ResNet-101 and MobileNetV2 at a picture of 513 x 513, and the share of the peak
// that this machine's products of bytes reach in a loop without memory. ATROUS_ISA picks the instruction set; run
//     atrous_bytes_bench [--benchmark_filter=...]
#include <benchmark/benchmark.h>
#include <time.h>

#include <string>
#include <vector>

#include "dispatch.h"
#include "parallel.h"
#include "peak.h"

namespace {

struct layer {
    const char* name;
    int size, in, out, kernel, stride, dilation, groups;
    int zero;  // of the input
    bool residual;
};

constexpr layer layers[] = {
    {"3x3 33x256->256", 33, 256, 256, 3, 1, 1, 1, 0, false},
    {"3x3 33x256->256 zero", 33, 256, 256, 3, 1, 1, 1, 100, false},
    {"3x3 33x256->256 d2", 33, 256, 256, 3, 1, 2, 1, 0, false},
    {"3x3 33x512->512 d2", 33, 512, 512, 3, 1, 2, 1, 0, false},
    {"1x1 33x1024->256", 33, 1024, 256, 1, 1, 1, 1, 0, false},
    {"1x1 33x256->1024 residual", 33, 256, 1024, 1, 1, 1, 1, 0, true},
    {"1x1 33x512->2048 residual", 33, 512, 2048, 1, 1, 1, 1, 0, true},
    {"3x3 129x64->64", 129, 64, 64, 3, 1, 1, 1, 0, false},
    {"1x1 129x64->256 residual", 129, 64, 256, 1, 1, 1, 1, 0, true},
    {"1x1 129x256->64", 129, 256, 64, 1, 1, 1, 1, 0, false},
    {"3x3 65x128->128", 65, 128, 128, 3, 1, 1, 1, 0, false},
    {"1x1 65x128->512 residual", 65, 128, 512, 1, 1, 1, 1, 0, true},
    {"1x1 65x512->128", 65, 512, 128, 1, 1, 1, 1, 0, false},
    {"aspp 33x2048->256 d12", 33, 2048, 256, 3, 1, 12, 1, 0, false},
    {"decoder 3x3 129x304->256", 129, 304, 256, 3, 1, 1, 1, 0, false},
    {"stem 3x3 s2 513x3->32", 513, 3, 32, 3, 2, 1, 1, 114, false},
    {"1x1 257x16->96", 257, 16, 96, 1, 1, 1, 1, 120, false},
    {"1x1 33x160->960", 33, 160, 960, 1, 1, 1, 1, 120, false},
    {"groups 3x3 65x256->256 g32", 65, 256, 256, 3, 1, 1, 32, 0, false},
    {"depthwise 3x3 257x128", 257, 128, 128, 3, 1, 1, 128, 0, false},
    {"depthwise 3x3 s2 257x96", 257, 96, 96, 3, 2, 1, 96, 0, false},
    {"depthwise 3x3 33x960 d2", 33, 960, 960, 3, 1, 2, 960, 0, false},
};

// Products on cells of the picture alone: those on padding are nobody's work.
double useful_products(const layer& l, int out, int pad) {
    double taps = 0;
    for (int k = 0; k < l.kernel; ++k) {
        for (int o = 0; o < out; ++o) {
            const int at = o * l.stride - pad + k * l.dilation;
            taps += at >= 0 && at < l.size;
        }
    }
    return taps * taps * (l.in / l.groups) * l.out;
}

// Of one thread the time in which it ran, whoever else had the core meanwhile.
double seconds(int threads) {
    timespec now;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void run_layer(benchmark::State& state, const layer& l, int threads, double peak) {
    atrous_engine engine(threads, atrous::pick_kernels());
    const int pad = (l.kernel - 1) / 2 * l.dilation;
    const int out = (l.size + 2 * pad - (l.kernel - 1) * l.dilation - 1) / l.stride + 1;
    std::vector<uint8_t> input(static_cast<size_t>(l.size) * l.size * l.in, 3);
    std::vector<uint8_t> output(static_cast<size_t>(out) * out * l.out), residual(output.size(), 5);
    const std::vector<float> weights(static_cast<size_t>(l.out) * (l.in / l.groups) * l.kernel * l.kernel, 0.25f);
    const std::vector<float> bias(l.out, 1.0f);
    const atrous_tensor from{input.data(), l.in, 1, l.size, l.size, l.in, ATROUS_UINT8, 0.1f, l.zero};
    const atrous_tensor to{output.data(), l.out, 1, out, out, l.out, ATROUS_UINT8, 0.1f, 0};
    const atrous_tensor add{residual.data(), l.out, 1, out, out, l.out, ATROUS_UINT8, 0.2f, 0};
    atrous_conv2d_desc desc{};
    desc.in_channels = l.in;
    desc.out_channels = l.out;
    desc.kernel_height = desc.kernel_width = l.kernel;
    desc.stride_height = desc.stride_width = l.stride;
    desc.dilation_height = desc.dilation_width = l.dilation;
    desc.groups = l.groups;
    desc.activation = ATROUS_ACTIVATION_RELU;
    desc.type = ATROUS_UINT8;
    desc.usual_height = desc.usual_width = l.size;
    desc.zero = l.zero;
    atrous_conv2d* conv = nullptr;
    if (atrous_conv2d_create(&engine, &desc, weights.data(), nullptr, bias.data(), &conv) != ATROUS_OK) {
        state.SkipWithError(atrous_last_error());
        return;
    }
    double best = 1e30;
    for (auto _ : state) {
        const double start = seconds(threads);
        if (atrous_conv2d_run(&engine, conv, &from, pad, pad, l.residual ? &add : nullptr, &to) != ATROUS_OK) {
            state.SkipWithError(atrous_last_error());
            break;
        }
        best = std::min(best, seconds(threads) - start);
    }
    atrous_conv2d_destroy(conv);
    const double products = useful_products(l, out, pad);
    state.counters["GMAC/s"] = benchmark::Counter(products * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
    // The best run is the one that shared the machine least.
    state.counters["best"] = products / best * 1e-9;
    state.counters["best_of_peak"] = products / best / (peak * threads);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    const double peak = atrous::bench::peak_byte_products(atrous::pick_kernels().isa);
    benchmark::AddCustomContext("isa", atrous::pick_kernels().isa);
    benchmark::AddCustomContext("peak of one thread, GMAC/s", std::to_string(peak * 1e-9));
    for (const layer& l : layers) {
        for (int threads : {1, 2}) {
            const std::string name = std::string(l.name) + "/threads:" + std::to_string(threads);
            benchmark::RegisterBenchmark(
                name.c_str(), [&l, threads, peak](benchmark::State& state) { run_layer(state, l, threads, peak); })
                ->UseRealTime()
                ->Unit(benchmark::kMicrosecond);
        }
    }
    benchmark::RunSpecifiedBenchmarks();
}
