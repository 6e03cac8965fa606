// What makes a descriptor complete, kind by kind.
#include <chrono>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "../include/atrous_device.h"
#include "descriptor.h"

namespace dnn {
namespace {

template <class T>
void put(Descriptor& descriptor, Attribute name, const std::vector<T>& values) {
    auto* first = reinterpret_cast<const char*>(values.data());
    descriptor.values[name].assign(first, first + values.size() * sizeof(T));
}

Status need(const Descriptor& descriptor, std::initializer_list<Attribute> names) {
    for (Attribute name : names)
        if (!descriptor.has(name)) return fail(BAD_PARAM, "attribute " + std::to_string(name) + " is not set");
    return SUCCESS;
}

#define NEED(...) \
    if (Status status = need(d, {__VA_ARGS__}); status != SUCCESS) return status

Tensor tensor_of(const Descriptor& d) {
    std::vector<int64_t> dims = d.all<int64_t>(TENSOR_DIMENSIONS), strides = d.all<int64_t>(TENSOR_STRIDES);
    Tensor t{d.one<int64_t>(TENSOR_UNIQUE_ID, 0),
             d.one<int>(TENSOR_DATA_TYPE, 0),
             d.one<char>(TENSOR_IS_VIRTUAL, 0) != 0,
             d.one<int64_t>(TENSOR_BYTE_ALIGNMENT, 16),
             {},
             {}};
    for (size_t i = 0; i < 4; ++i) {
        t.dims[i] = dims[i];
        t.strides[i] = strides[i];
    }
    return t;
}

Status finalize_tensor(Descriptor& d) {
    NEED(TENSOR_DATA_TYPE, TENSOR_DIMENSIONS, TENSOR_STRIDES, TENSOR_UNIQUE_ID, TENSOR_BYTE_ALIGNMENT);
    std::vector<int64_t> dims = d.all<int64_t>(TENSOR_DIMENSIONS), strides = d.all<int64_t>(TENSOR_STRIDES);
    if (dims.size() != strides.size()) return fail(BAD_PARAM, "a tensor has as many strides as dimensions");
    if (dims.size() != 4) return fail(NOT_SUPPORTED, "the software cuDNN has tensors of 4 dimensions only");
    for (size_t i = 0; i < 4; ++i)
        if (dims[i] <= 0 || strides[i] <= 0) return fail(BAD_PARAM_OUT_OF_BOUND, "dimensions and strides are positive");
    int64_t alignment = d.one<int64_t>(TENSOR_BYTE_ALIGNMENT, 0);
    bool power = alignment > 0 && (alignment & (alignment - 1)) == 0;
    return power ? SUCCESS : fail(BAD_PARAM_OUT_OF_BOUND, "an alignment is a power of two");
}

Status finalize_convolution(Descriptor& d) {
    NEED(CONVOLUTION_COMP_TYPE, CONVOLUTION_CONV_MODE, CONVOLUTION_SPATIAL_DIMS, CONVOLUTION_DILATIONS,
         CONVOLUTION_FILTER_STRIDES, CONVOLUTION_PRE_PADDINGS, CONVOLUTION_POST_PADDINGS);
    if (d.one<int64_t>(CONVOLUTION_SPATIAL_DIMS, 0) != 2)
        return fail(NOT_SUPPORTED, "the software cuDNN convolves in 2 dimensions only");
    if (d.one<int>(CONVOLUTION_CONV_MODE, 0) != 1)
        return fail(NOT_SUPPORTED, "the software cuDNN has cross-correlation only");
    for (Attribute name :
         {CONVOLUTION_DILATIONS, CONVOLUTION_FILTER_STRIDES, CONVOLUTION_PRE_PADDINGS, CONVOLUTION_POST_PADDINGS}) {
        std::vector<int64_t> numbers = d.all<int64_t>(name);
        if (numbers.size() != 2) return fail(BAD_PARAM, "there is one number for each spatial dimension");
        bool padding = name == CONVOLUTION_PRE_PADDINGS || name == CONVOLUTION_POST_PADDINGS;
        for (int64_t number : numbers)
            if (number < (padding ? 0 : 1))
                return fail(BAD_PARAM_OUT_OF_BOUND, "paddings are not negative, strides and dilations positive");
    }
    return SUCCESS;
}

Status finalize_operation_convolution(Descriptor& d) {
    NEED(CONVOLUTION_FORWARD_CONV_DESC, CONVOLUTION_FORWARD_X, CONVOLUTION_FORWARD_W, CONVOLUTION_FORWARD_Y,
         CONVOLUTION_FORWARD_ALPHA, CONVOLUTION_FORWARD_BETA);
    const Descriptor& desc = d.child(CONVOLUTION_FORWARD_CONV_DESC);
    Convolution& conv = d.program.convolution;
    auto pair = [&](Attribute name) {
        std::vector<int64_t> numbers = desc.all<int64_t>(name);
        return std::array<int64_t, 2>{numbers[0], numbers[1]};
    };
    conv = {desc.one<int>(CONVOLUTION_COMP_TYPE, 0),
            pair(CONVOLUTION_PRE_PADDINGS),
            pair(CONVOLUTION_POST_PADDINGS),
            pair(CONVOLUTION_FILTER_STRIDES),
            pair(CONVOLUTION_DILATIONS),
            tensor_of(d.child(CONVOLUTION_FORWARD_X)),
            tensor_of(d.child(CONVOLUTION_FORWARD_W)),
            tensor_of(d.child(CONVOLUTION_FORWARD_Y)),
            d.number(CONVOLUTION_FORWARD_ALPHA, 1),
            d.number(CONVOLUTION_FORWARD_BETA, 0)};
    const Tensor &x = conv.x, &w = conv.w, &y = conv.y;
    int64_t groups = x.dims[1] / w.dims[1];
    if (x.dims[1] % w.dims[1] != 0 || w.dims[0] % groups != 0)
        return fail(BAD_PARAM_SHAPE_MISMATCH, "channels of x and w do not meet");
    if (y.dims[0] != x.dims[0] || y.dims[1] != w.dims[0])
        return fail(BAD_PARAM_SHAPE_MISMATCH, "y has other images or channels");
    for (size_t i = 0; i < 2; ++i) {
        int64_t window = (w.dims[i + 2] - 1) * conv.dilations[i] + 1;
        int64_t room = x.dims[i + 2] + conv.pre_paddings[i] + conv.post_paddings[i] - window;
        if (room < 0 || y.dims[i + 2] != room / conv.strides[i] + 1)
            return fail(BAD_PARAM_SHAPE_MISMATCH, "y has another height or width");
    }
    d.program.has_convolution = true;
    return SUCCESS;
}

Status finalize_operation_pointwise(Descriptor& d) {
    NEED(POINTWISE_PW_DESCRIPTOR, POINTWISE_XDESC, POINTWISE_YDESC);
    const Descriptor& desc = d.child(POINTWISE_PW_DESCRIPTOR);
    int mode = desc.one<int>(POINTWISE_MODE, 0);
    bool binary = mode == ADD || mode == MUL || mode == MIN || mode == MAX || mode == SUB;
    if (binary != d.has(POINTWISE_BDESC))
        return fail(BAD_PARAM, binary ? "this mode takes a second operand" : "this mode takes one operand");
    Step& step = d.program.steps[0];
    step.mode = mode;
    step.binary = binary;
    step.keeps_nan = desc.one<int>(POINTWISE_NAN_PROPAGATION, 0) != 0;
    step.alpha1 = d.number(POINTWISE_ALPHA1, 1);
    step.alpha2 = d.number(POINTWISE_ALPHA2, 1);
    step.lower_clip = desc.number(POINTWISE_RELU_LOWER_CLIP, 0);
    step.upper_clip = desc.number(POINTWISE_RELU_UPPER_CLIP, std::numeric_limits<double>::max());
    step.lower_slope = desc.number(POINTWISE_RELU_LOWER_CLIP_SLOPE, 0);
    step.swish_beta = desc.number(POINTWISE_SWISH_BETA, 1);
    step.x = tensor_of(d.child(POINTWISE_XDESC));
    step.y = tensor_of(d.child(POINTWISE_YDESC));
    if (binary) step.operand = tensor_of(d.child(POINTWISE_BDESC));
    if (step.x.dims != step.y.dims)
        return fail(BAD_PARAM_SHAPE_MISMATCH, "x and y of a pointwise operation have one shape");
    for (size_t i = 0; binary && i < 4; ++i)
        if (step.operand.dims[i] != 1 && step.operand.dims[i] != step.y.dims[i])
            return fail(BAD_PARAM_SHAPE_MISMATCH, "an operand is broadcast along dimensions of 1 only");
    d.program.step_count = 1;
    return SUCCESS;
}

Status finalize_graph(Descriptor& d) {
    NEED(OPERATIONGRAPH_HANDLE, OPERATIONGRAPH_OPS);
    std::set<int64_t> written;
    for (const Child& operation : d.children[OPERATIONGRAPH_OPS]) {
        const Program& part = operation->program;
        if (part.has_convolution) {
            // A second convolution, or one behind pointwise operations, is a pattern that no engine here takes.
            if (d.program.has_convolution || d.program.step_count > 0)
                return fail(NOT_SUPPORTED_GRAPH_PATTERN, "one convolution, first");
            d.program.has_convolution = true;
            d.program.convolution = part.convolution;
        } else {
            if (d.program.step_count == MAX_STEPS)
                return fail(NOT_SUPPORTED_GRAPH_PATTERN, "too many pointwise operations");
            d.program.steps[static_cast<size_t>(d.program.step_count++)] = part.steps[0];
        }
        int64_t uid = part.has_convolution ? part.convolution.y.uid : part.steps[0].y.uid;
        if (!written.insert(uid).second)
            return fail(BAD_PARAM_DUPLICATED_ENTRIES, "two operations write the tensor " + std::to_string(uid));
    }
    put<int64_t>(d, OPERATIONGRAPH_ENGINE_GLOBAL_COUNT, {ENGINES});
    return SUCCESS;
}

Child make_engine(const Child& graph, int64_t index) {
    auto engine = std::make_shared<Descriptor>(ENGINE);
    engine->children[ENGINE_OPERATION_GRAPH] = {graph};
    put<int64_t>(*engine, ENGINE_GLOBAL_INDEX, {index});
    return finalize(*engine) == SUCCESS ? engine : nullptr;
}

Status finalize_heuristics(Descriptor& d) {
    NEED(ENGINEHEUR_MODE, ENGINEHEUR_OPERATION_GRAPH);
    int mode = d.one<int>(ENGINEHEUR_MODE, 0);
    if (mode < HEUR_INSTANT || mode > HEUR_A) return fail(BAD_PARAM_OUT_OF_BOUND, "no heuristics of this mode");
    const Program& program = d.child(ENGINEHEUR_OPERATION_GRAPH).program;
    if (mode == HEUR_A && program.step_count > 0 && atrous_device_is_strict(ATROUS_STRICT_HEURISTICS))
        return fail(INTERNAL_ERROR, "the heuristics failed");
    if (mode == HEUR_B && atrous_device_is_strict(ATROUS_STRICT_NO_PART))
        return fail(NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE, "libcudnn_engines_runtime_compiled.so.9 is not there");
    std::vector<int64_t> order = mode == HEUR_FALLBACK ? std::vector<int64_t>{0}
                                 : mode == HEUR_B      ? std::vector<int64_t>{1, 2, 0}
                                                       : std::vector<int64_t>{2, 1, 0};
    if (atrous_device_is_strict(ATROUS_STRICT_NOTES)) order.insert(order.begin(), WRONG_ENGINE);
    const Child& graph = d.children[ENGINEHEUR_OPERATION_GRAPH][0];
    d.children[ENGINEHEUR_RESULTS] = {};
    std::string why;
    for (int64_t index : order) {
        if (check_support(graph->program, index, why) != SUCCESS) continue;
        auto config = std::make_shared<Descriptor>(ENGINECFG);
        config->children[ENGINECFG_ENGINE] = {make_engine(graph, index)};
        auto knob = std::make_shared<Descriptor>(KNOB_CHOICE);
        put<int>(*knob, KNOB_CHOICE_KNOB_TYPE, {2});  // tile size
        put<int64_t>(*knob, KNOB_CHOICE_KNOB_VALUE, {index});
        if (finalize(*knob) != SUCCESS) continue;
        config->children[ENGINECFG_KNOB_CHOICES] = {knob};
        if (finalize(*config) == SUCCESS) d.children[ENGINEHEUR_RESULTS].push_back(config);
    }
    return SUCCESS;
}

Status finalize_engine(Descriptor& d) {
    NEED(ENGINE_OPERATION_GRAPH, ENGINE_GLOBAL_INDEX);
    d.engine = d.one<int64_t>(ENGINE_GLOBAL_INDEX, -1);
    if (d.engine < 0 || d.engine >= ENGINES) return fail(BAD_PARAM_OUT_OF_BOUND, "there is no engine of this index");
    d.program = d.child(ENGINE_OPERATION_GRAPH).program;
    std::string why;
    if (Status status = check_support(d.program, d.engine, why); status != SUCCESS) return fail(status, why);
    put<int>(d, ENGINE_NUMERICAL_NOTE,
             d.engine == WRONG_ENGINE      ? std::vector<int>{NUMERICAL_DOWN_CONVERT_INPUTS}
             : uses_tensor_cores(d.engine) ? std::vector<int>{NUMERICAL_TENSOR_CORE}
                                           : std::vector<int>{});
    put<int>(d, ENGINE_BEHAVIOR_NOTE,
             compiles_at_run_time(d.engine) ? std::vector<int>{BEHAVIOR_RUNTIME_COMPILATION} : std::vector<int>{});
    return SUCCESS;
}

std::string to_json(const Descriptor& plan) {
    static const char DIGITS[] = "0123456789abcdef";
    std::string text = "{\"software\": 1, \"engine\": " + std::to_string(plan.engine) + ", \"program\": \"";
    auto* bytes = reinterpret_cast<const unsigned char*>(&plan.program);
    for (size_t i = 0; i < sizeof plan.program; ++i) text += {DIGITS[bytes[i] >> 4], DIGITS[bytes[i] & 15]};
    text += "\"}";
    // What the real library may append to its text is taken back byte for byte.
    if (atrous_device_is_strict(ATROUS_STRICT_JSON)) text += std::string("\xFF\xFE\0", 3);
    return text;
}

bool from_json(const std::string& text, Descriptor& plan) {
    const std::string start = "{\"software\": 1, \"engine\": ", middle = ", \"program\": \"";
    size_t program = text.find(middle);
    if (text.compare(0, start.size(), start) != 0 || program == std::string::npos) return false;
    plan.engine = std::atoll(text.c_str() + start.size());
    program += middle.size();
    if (text.size() < program + 2 * sizeof plan.program) return false;
    if (atrous_device_is_strict(ATROUS_STRICT_JSON) && text.substr(text.size() - 3) != std::string("\xFF\xFE\0", 3))
        return false;
    auto* bytes = reinterpret_cast<unsigned char*>(&plan.program);
    for (size_t i = 0; i < sizeof plan.program; ++i)
        bytes[i] = static_cast<unsigned char>(std::stoi(text.substr(program + 2 * i, 2), nullptr, 16));
    return true;
}

Status finalize_plan(Descriptor& d) {
    NEED(EXECUTION_PLAN_HANDLE);
    if (d.has(EXECUTION_PLAN_JSON_REPRESENTATION)) {
        std::vector<char> json = d.all<char>(EXECUTION_PLAN_JSON_REPRESENTATION);
        if (!from_json({json.begin(), json.end()}, d)) return fail(BAD_PARAM, "no plan's JSON");
    } else {
        NEED(EXECUTION_PLAN_ENGINE_CONFIG);
        d.program = d.child(EXECUTION_PLAN_ENGINE_CONFIG).program;
        d.engine = d.child(EXECUTION_PLAN_ENGINE_CONFIG).engine;
    }
    std::string why;
    if (Status status = check_support(d.program, d.engine, why); status != SUCCESS) return fail(status, why);
    if (compiles_at_run_time(d.engine) && atrous_device_is_strict(ATROUS_STRICT_COMPILER))
        return fail(INTERNAL_ERROR_COMPILATION_FAILED, "nvrtc: error: failed to open libnvrtc-builtins.so.13.0");
    if (compiles_at_run_time(d.engine) && atrous_device_is_strict(ATROUS_STRICT_NO_COMPILER))
        return fail(NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING, "libnvrtc.so.13 cannot be found");
    if (compiles_at_run_time(d.engine) && atrous_device_is_strict(ATROUS_STRICT_NO_PART))
        return fail(NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE, "libcudnn_engines_runtime_compiled.so.9 is not there");
    if (compiles_at_run_time(d.engine) && atrous_device_is_strict(ATROUS_STRICT_SLOW_PLANS))
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
    put<int64_t>(d, EXECUTION_PLAN_WORKSPACE_SIZE, {static_cast<int64_t>(workspace_of(d.engine))});
    if (compiles_at_run_time(d.engine)) {
        std::string json = to_json(d);
        put<char>(d, EXECUTION_PLAN_JSON_REPRESENTATION, {json.begin(), json.end()});
    }
    return SUCCESS;
}

Status finalize_config(Descriptor& d) {
    NEED(ENGINECFG_ENGINE);
    d.program = d.child(ENGINECFG_ENGINE).program;
    d.engine = d.child(ENGINECFG_ENGINE).engine;
    return SUCCESS;
}

Status finalize_pack(Descriptor& d) {
    NEED(VARIANT_PACK_UNIQUE_IDS, VARIANT_PACK_DATA_POINTERS);
    std::vector<int64_t> ids = d.all<int64_t>(VARIANT_PACK_UNIQUE_IDS);
    if (ids.size() != d.all<void*>(VARIANT_PACK_DATA_POINTERS).size())
        return fail(BAD_PARAM, "one pointer for each id");
    std::set<int64_t> different(ids.begin(), ids.end());
    return different.size() == ids.size() ? SUCCESS : fail(BAD_PARAM_DUPLICATED_ENTRIES, "an id is named twice");
}

Status finalize_kind(Descriptor& d) {
    switch (d.type) {
        case TENSOR:
            return finalize_tensor(d);
        case CONVOLUTION:
            return finalize_convolution(d);
        case POINTWISE:
            NEED(POINTWISE_MODE, POINTWISE_MATH_PREC);
            return SUCCESS;
        case OPERATION_CONVOLUTION_FORWARD:
            return finalize_operation_convolution(d);
        case OPERATION_POINTWISE:
            return finalize_operation_pointwise(d);
        case OPERATIONGRAPH:
            return finalize_graph(d);
        case ENGINEHEUR:
            return finalize_heuristics(d);
        case ENGINE:
            return finalize_engine(d);
        case ENGINECFG:
            return finalize_config(d);
        case KNOB_CHOICE:
            NEED(KNOB_CHOICE_KNOB_TYPE, KNOB_CHOICE_KNOB_VALUE);
            return SUCCESS;
        case EXECUTION_PLAN:
            return finalize_plan(d);
        case VARIANT_PACK:
            return finalize_pack(d);
    }
    return BAD_PARAM;
}

}  // namespace

Status finalize(Descriptor& descriptor) {
    Status status = finalize_kind(descriptor);
    descriptor.finalized = status == SUCCESS;
    return status;
}

}  // namespace dnn
