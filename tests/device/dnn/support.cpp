// What the engines take: the rules of cuDNN 9's guide for compute capability 9.0, and what users found beyond them.
#include <array>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "../include/atrous_device.h"
#include "program.h"

namespace dnn {
namespace {

std::atomic<bool> slices_refused{false};
std::array<std::atomic<int>, ENGINES> host_times{}, device_times{};

void sleep(const std::atomic<int>& microseconds) {
    if (int time = microseconds; time > 0) std::this_thread::sleep_for(std::chrono::microseconds(time));
}

bool known_type(int type) {
    return type == DATA_FLOAT || type == DATA_HALF || type == DATA_BFLOAT16;
}

// Channels side by side; a pixel may have more room than its channels fill.
bool is_nhwc(const Tensor& t) {
    const auto& [n, c, h, w] = t.dims;
    const auto& [sn, sc, sh, sw] = t.strides;
    if (c > 1 && sc != 1) return false;
    return (w == 1 || sw >= c) && (h == 1 || w == 1 ? sh >= c : sh == w * sw) && (n == 1 || sn >= h * sh);
}

bool is_packed(const Tensor& t) {
    const auto& [n, c, h, w] = t.dims;
    const auto& [sn, sc, sh, sw] = t.strides;
    return (w == 1 || sw == c) && (h == 1 || sh == w * c) && (n == 1 || sn == h * w * c);
}

bool is_epilogue_operand(const Tensor& t, const Tensor& y) {
    auto is = [&](std::array<int64_t, 4> dims) { return t.dims == dims; };
    const auto& [n, k, p, q] = y.dims;
    return is({1, 1, 1, 1}) || is({n, 1, p, q}) || is({1, k, 1, 1}) || is(y.dims);
}

}  // namespace

void refuse_slices(bool refuse) {
    slices_refused = refuse;
}

void set_time(int64_t engine, int host_microseconds, int device_microseconds) {
    host_times[static_cast<size_t>(engine)] = host_microseconds;
    device_times[static_cast<size_t>(engine)] = device_microseconds;
}
void take_host_time(int64_t engine) {
    sleep(host_times[static_cast<size_t>(engine)]);
}
void take_device_time(int64_t engine) {
    sleep(device_times[static_cast<size_t>(engine)]);
}

// Engine 0 multiplies in the inputs' own precision, 1 and 2 on tensor cores; 2 is compiled at run time.
size_t workspace_of(int64_t engine) {
    return engine == 1 ? 1 << 20 : 0;
}
bool uses_tensor_cores(int64_t engine) {
    return engine == 1 || engine == 2;
}
bool compiles_at_run_time(int64_t engine) {
    return engine == 2;
}

namespace {

// The residual, then the bias, then one function: the order that engines are compiled for.
bool is_usual_order(const Program& p) {
    bool bias = false, function = false;
    for (int i = 0; i < p.step_count; ++i) {
        const Step& step = p.steps[static_cast<size_t>(i)];
        if (function || (step.binary && bias && step.operand.dims == step.y.dims)) return false;
        bias = bias || (step.binary && step.operand.dims != step.y.dims);
        function = !step.binary;
    }
    return true;
}

Status check_strictly(const Program& p, int64_t engine, std::string& why) {
    auto refuse = [&](Status status, const char* text) {
        why = text;
        return status;
    };
    if (engine == WRONG_ENGINE && !atrous_device_is_strict(ATROUS_STRICT_NOTES))
        return refuse(NOT_SUPPORTED, "this engine is for strict tests only");
    if (engine != 2 && atrous_device_is_strict(ATROUS_STRICT_ORDER) && !is_usual_order(p))
        return refuse(NOT_SUPPORTED_GRAPH_PATTERN, "a residual comes before a bias");
    if (engine == 0 && p.step_count > 0 && atrous_device_is_strict(ATROUS_STRICT_FP32))
        return refuse(NOT_SUPPORTED_GRAPH_PATTERN, "nothing is fused without tensor cores");
    if (engine == 1 && atrous_device_is_strict(ATROUS_STRICT_SLICES)) {
        bool packed = is_packed(p.convolution.x) && is_packed(p.result());
        for (int i = 0; i < p.step_count; ++i) {
            const Step& step = p.steps[static_cast<size_t>(i)];
            packed = packed && (!step.binary || is_packed(step.operand));
        }
        if (!packed) return refuse(NOT_SUPPORTED_LAYOUT, "tensors must be fully packed");
    }
    return SUCCESS;
}

}  // namespace

Status check_support(const Program& p, int64_t engine, std::string& why) {
    auto refuse = [&](Status status, const char* text) {
        why = text;
        return status;
    };
    if (engine < 0 || engine >= ENGINES) return refuse(BAD_PARAM_OUT_OF_BOUND, "there is no engine of this index");
    if (!p.has_convolution) return refuse(NOT_SUPPORTED_GRAPH_PATTERN, "a graph without a convolution or matmul");
    if (Status status = check_strictly(p, engine, why); status != SUCCESS) return status;
    const Convolution& conv = p.convolution;
    if (!known_type(conv.x.type) || conv.x.type != conv.w.type)
        return refuse(NOT_SUPPORTED_DATA_TYPE, "x and w must be of one type: float, half or bfloat16");
    if (conv.compute_type != DATA_FLOAT) return refuse(NOT_SUPPORTED_DATA_TYPE, "sums must be of type float");
    if (conv.alpha != 1 || conv.beta != 0) return refuse(NOT_SUPPORTED, "a convolution has alpha 1 and beta 0");
    if (!is_nhwc(conv.x) || !is_packed(conv.w) || !is_nhwc(p.result()))
        return refuse(NOT_SUPPORTED_LAYOUT, "tensors must be NHWC");
    if (slices_refused && !is_packed(p.result()))
        return refuse(NOT_SUPPORTED_LAYOUT, "the output must be fully packed");
    if (conv.x.is_virtual || conv.w.is_virtual || p.result().is_virtual)
        return refuse(NOT_SUPPORTED_GRAPH_PATTERN, "inputs and the output cannot be virtual");
    if (p.step_count == 0) return SUCCESS;

    bool wide = conv.x.type == DATA_FLOAT;
    if (!wide && (conv.w.dims[0] % 2 != 0 || conv.x.dims[1] % 2 != 0))
        return refuse(NOT_SUPPORTED_SHAPE, "a fused convolution of 16-bit inputs needs even channel counts");
    if (conv.w.dims[1] == 1 && conv.x.dims[1] > 1)
        return refuse(NOT_SUPPORTED_GRAPH_PATTERN, "a depthwise convolution is not fused");
    const Tensor* last = &conv.y;
    for (int i = 0; i < p.step_count; ++i) {
        const Step& step = p.steps[static_cast<size_t>(i)];
        if (!last->is_virtual) return refuse(NOT_SUPPORTED_GRAPH_PATTERN, "tensors between operations must be virtual");
        if (step.x.uid != last->uid)
            return refuse(NOT_SUPPORTED_GRAPH_PATTERN, "the first operand must be the convolution's result");
        if (step.alpha1 != 1 || step.alpha2 != 1) return refuse(NOT_SUPPORTED, "pointwise operations have alpha 1");
        if (step.binary && (!is_epilogue_operand(step.operand, step.y) || !is_nhwc(step.operand)))
            return refuse(NOT_SUPPORTED_SHAPE, "an operand must be [1,1,1,1], [N,1,P,Q], [1,K,1,1] or [N,K,P,Q], NHWC");
        if (step.binary && step.operand.is_virtual)
            return refuse(NOT_SUPPORTED_GRAPH_PATTERN, "the second operand cannot be virtual");
        last = &step.y;
    }
    return SUCCESS;
}

}  // namespace dnn
