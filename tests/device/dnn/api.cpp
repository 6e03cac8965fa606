// cuDNN 9's entry points.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_set>

#include "../include/atrous_device.h"
#include "descriptor.h"

#define DNN_API extern "C" __attribute__((visibility("default")))

using namespace dnn;

// Every call that can fail is counted, and fails when it is told to.
#define CALL() \
    if (atrous_device_call_fails()) return fail(INTERNAL_ERROR, "a failure that was asked for")

namespace {

struct Handles {
    std::mutex mutex;
    std::unordered_set<const void*> alive;
};
Handles& handles() {
    static auto& instance = *new Handles;
    return instance;
}

struct Execution {
    Program program;
    int64_t engine;
    Pointers pointers;
    const void* workspace;
};

bool run_execution(void* state) {
    auto* execution = static_cast<Execution*>(state);
    return run(execution->program, execution->engine, execution->pointers, execution->workspace);
}

void drop_execution(void* state) {
    delete static_cast<Execution*>(state);
}

// What only running an engine shows.
Status start(int64_t engine, void* stream) {
    if (engine == 2 && atrous_device_is_strict(ATROUS_STRICT_WRONG_RUNS))
        return fail(EXECUTION_FAILED, "the engine was planned, but does not run");
    if (engine == 1 && atrous_device_is_strict(ATROUS_STRICT_CAPTURE) && atrous_device_capture_of(stream) != 0)
        return fail(NOT_SUPPORTED, "the engine cannot be captured");
    take_host_time(engine);
    return SUCCESS;
}

// A handle has memory and streams of its own: it may take them when it runs first, and brings an order, or a race,
// into streams that it is captured in.
Status take_handle(Handle& handle) {
    uint64_t capture = atrous_device_capture_of(handle.stream);
    if (capture != 0 && atrous_device_is_strict(ATROUS_STRICT_HANDLES)) {
        if (!handle.has_run) return fail(NOT_SUPPORTED, "what a handle does when it runs first cannot be captured");
        if (handle.capture == capture && handle.captured_stream != handle.stream)
            return fail(NOT_SUPPORTED, "the handle is in another stream of the capture");
    }
    handle.has_run = true;
    handle.capture = capture;
    handle.captured_stream = handle.stream;
    return SUCCESS;
}

// Every tensor in memory has a pointer, aligned as the tensor says.
Status check_pointers(const Program& p, const Pointers& pointers) {
    std::vector<Tensor> tensors = {p.convolution.x, p.convolution.w, p.result()};
    for (int i = 0; i < p.step_count; ++i)
        if (p.steps[static_cast<size_t>(i)].binary) tensors.push_back(p.steps[static_cast<size_t>(i)].operand);
    for (const Tensor& tensor : tensors) {
        auto entry = pointers.find(tensor.uid);
        if (entry == pointers.end() || entry->second == nullptr)
            return fail(BAD_PARAM_NULL_POINTER, "no pointer for the tensor " + std::to_string(tensor.uid));
        if (reinterpret_cast<uintptr_t>(entry->second) % static_cast<uintptr_t>(tensor.alignment) != 0)
            return fail(BAD_PARAM_MISALIGNED_POINTER,
                        "the pointer of the tensor " + std::to_string(tensor.uid) + " is not aligned as it says");
    }
    return SUCCESS;
}

}  // namespace

bool dnn::is_handle(const void* handle) {
    std::lock_guard lock(handles().mutex);
    return handles().alive.count(handle) != 0;
}

DNN_API size_t cudnnGetVersion() {
    return 91301;
}
DNN_API size_t cudnnGetCudartVersion() {
    return 13000;
}

DNN_API const char* cudnnGetErrorString(Status status) {
    switch (status) {
        case SUCCESS:
            return "CUDNN_STATUS_SUCCESS";
        case NOT_INITIALIZED:
            return "CUDNN_STATUS_NOT_INITIALIZED";
        case BAD_PARAM:
            return "CUDNN_STATUS_BAD_PARAM";
        case BAD_PARAM_NULL_POINTER:
            return "CUDNN_STATUS_BAD_PARAM_NULL_POINTER";
        case BAD_PARAM_MISALIGNED_POINTER:
            return "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER";
        case BAD_PARAM_NOT_FINALIZED:
            return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
        case BAD_PARAM_OUT_OF_BOUND:
            return "CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND";
        case BAD_PARAM_SHAPE_MISMATCH:
            return "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH";
        case BAD_PARAM_DUPLICATED_ENTRIES:
            return "CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES";
        case BAD_PARAM_ATTRIBUTE_TYPE:
            return "CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE";
        case BAD_PARAM_DESCRIPTOR_TYPE:
            return "CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE";
        case NOT_SUPPORTED:
            return "CUDNN_STATUS_NOT_SUPPORTED";
        case NOT_SUPPORTED_GRAPH_PATTERN:
            return "CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN";
        case NOT_SUPPORTED_SHAPE:
            return "CUDNN_STATUS_NOT_SUPPORTED_SHAPE";
        case NOT_SUPPORTED_DATA_TYPE:
            return "CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE";
        case NOT_SUPPORTED_LAYOUT:
            return "CUDNN_STATUS_NOT_SUPPORTED_LAYOUT";
        case NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING:
            return "CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING";
        case NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE:
            return "CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE";
        case INTERNAL_ERROR:
            return "CUDNN_STATUS_INTERNAL_ERROR";
        case INTERNAL_ERROR_COMPILATION_FAILED:
            return "CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED";
        case EXECUTION_FAILED:
            return "CUDNN_STATUS_EXECUTION_FAILED";
    }
    return "CUDNN_UNKNOWN_STATUS";
}

DNN_API void cudnnGetLastErrorString(char* text, size_t capacity) {
    if (capacity == 0) return;
    std::strncpy(text, last_failure().c_str(), capacity - 1);
    text[capacity - 1] = 0;
}

DNN_API Status cudnnCreate(Handle** handle) {
    CALL();
    std::lock_guard lock(handles().mutex);
    *handle = new Handle;
    handles().alive.insert(*handle);
    atrous_device_count_library_object(1);
    return SUCCESS;
}

DNN_API Status cudnnDestroy(Handle* handle) {
    std::lock_guard lock(handles().mutex);
    if (handles().alive.erase(handle) == 0) return BAD_PARAM;
    delete handle;
    atrous_device_count_library_object(-1);
    CALL();
    return SUCCESS;
}

DNN_API Status cudnnSetStream(Handle* handle, void* stream) {
    CALL();
    if (!is_handle(handle)) return BAD_PARAM;
    handle->stream = stream;
    return SUCCESS;
}

DNN_API Status cudnnBackendCreateDescriptor(DescriptorType type, void** descriptor) {
    CALL();
    static const DescriptorType KNOWN[] = {
        POINTWISE,           CONVOLUTION,    ENGINE,       ENGINECFG,
        ENGINEHEUR,          EXECUTION_PLAN, KNOB_CHOICE,  OPERATION_CONVOLUTION_FORWARD,
        OPERATION_POINTWISE, OPERATIONGRAPH, VARIANT_PACK, TENSOR};
    if (descriptor == nullptr) return fail(BAD_PARAM_NULL_POINTER, "no place for the descriptor");
    if (std::find(std::begin(KNOWN), std::end(KNOWN), type) == std::end(KNOWN))
        return fail(NOT_SUPPORTED, "the software cuDNN has no descriptor of this type");
    *descriptor = add(std::make_shared<Descriptor>(type));
    return SUCCESS;
}

DNN_API Status cudnnBackendDestroyDescriptor(void* descriptor) {
    bool removed = remove(descriptor);
    CALL();
    return removed ? SUCCESS : fail(BAD_PARAM, "no descriptor that is alive");
}

DNN_API Status cudnnBackendSetAttribute(void* descriptor, Attribute name, AttributeType type, int64_t count,
                                        const void* elements) {
    CALL();
    Child target = find(descriptor);
    return target ? set(*target, name, type, count, elements)
                  : fail(BAD_PARAM_NULL_POINTER, "no descriptor that is alive");
}

DNN_API Status cudnnBackendGetAttribute(void* descriptor, Attribute name, AttributeType type, int64_t requested,
                                        int64_t* count, void* elements) {
    CALL();
    Child source = find(descriptor);
    return source ? get(*source, name, type, requested, count, elements)
                  : fail(BAD_PARAM_NULL_POINTER, "no descriptor that is alive");
}

DNN_API Status cudnnBackendFinalize(void* descriptor) {
    CALL();
    Child target = find(descriptor);
    if (!target) return fail(BAD_PARAM_NULL_POINTER, "no descriptor that is alive");
    return target->finalized ? fail(BAD_PARAM, "the descriptor is finalized already") : finalize(*target);
}

DNN_API Status cudnnBackendExecute(Handle* handle, void* plan, void* pack) {
    CALL();
    Child planned = find(plan), given = find(pack);
    if (!is_handle(handle) || !planned || !given)
        return fail(BAD_PARAM_NULL_POINTER, "no handle, plan or variant pack that is alive");
    if (planned->type != EXECUTION_PLAN || given->type != VARIANT_PACK)
        return fail(BAD_PARAM_DESCRIPTOR_TYPE, "a plan and a variant pack are needed");
    if (!planned->finalized || !given->finalized)
        return fail(BAD_PARAM_NOT_FINALIZED, "the plan or the variant pack was not finalized");
    auto execution = std::make_unique<Execution>(
        Execution{planned->program, planned->engine, {}, given->one<void*>(VARIANT_PACK_WORKSPACE, nullptr)});
    std::vector<int64_t> ids = given->all<int64_t>(VARIANT_PACK_UNIQUE_IDS);
    std::vector<void*> pointers = given->all<void*>(VARIANT_PACK_DATA_POINTERS);
    for (size_t i = 0; i < ids.size(); ++i) execution->pointers[ids[i]] = pointers[i];
    if (Status status = check_pointers(execution->program, execution->pointers); status != SUCCESS) return status;
    if (workspace_of(execution->engine) > 0 && execution->workspace == nullptr)
        return fail(BAD_PARAM_NULL_POINTER, "the plan needs a workspace");
    if (Status status = take_handle(*handle); status != SUCCESS) return status;
    if (Status status = start(execution->engine, handle->stream); status != SUCCESS) return status;
    atrous_device_work work{run_execution, drop_execution, execution.release()};
    return atrous_device_submit(handle->stream, "cudnnBackendExecute", &work) == 0
               ? SUCCESS
               : fail(EXECUTION_FAILED, "the driver refused the launch");
}

// Test-only: see set_time.
DNN_API void atrous_dnn_set_time(int64_t engine, int host_microseconds, int device_microseconds) {
    set_time(engine, host_microseconds, device_microseconds);
}

// Test-only: see refuse_slices.
DNN_API void atrous_dnn_refuse_slices(int refuse) {
    refuse_slices(refuse != 0);
}
