// The table of attributes, and setting and getting by it.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "../include/atrous_device.h"
#include "descriptor.h"

namespace dnn {
namespace {

constexpr int64_t MANY = 64;

enum Access { SETTABLE, ONLY_GOT };

struct Rule {
    DescriptorType descriptor;
    Attribute name;
    AttributeType type;
    int64_t least, most;
    DescriptorType child;  // of TYPE_BACKEND_DESCRIPTOR
    Access access = SETTABLE;
};

// A number that may be FLOAT or DOUBLE is listed as DOUBLE.
const Rule RULES[] = {
    {TENSOR, TENSOR_DATA_TYPE, TYPE_DATA_TYPE, 1, 1, {}},
    {TENSOR, TENSOR_DIMENSIONS, TYPE_INT64, 1, 8, {}},
    {TENSOR, TENSOR_STRIDES, TYPE_INT64, 1, 8, {}},
    {TENSOR, TENSOR_UNIQUE_ID, TYPE_INT64, 1, 1, {}},
    {TENSOR, TENSOR_BYTE_ALIGNMENT, TYPE_INT64, 1, 1, {}},
    {TENSOR, TENSOR_IS_VIRTUAL, TYPE_BOOLEAN, 1, 1, {}},
    {CONVOLUTION, CONVOLUTION_COMP_TYPE, TYPE_DATA_TYPE, 1, 1, {}},
    {CONVOLUTION, CONVOLUTION_CONV_MODE, TYPE_CONVOLUTION_MODE, 1, 1, {}},
    {CONVOLUTION, CONVOLUTION_SPATIAL_DIMS, TYPE_INT64, 1, 1, {}},
    {CONVOLUTION, CONVOLUTION_DILATIONS, TYPE_INT64, 1, 3, {}},
    {CONVOLUTION, CONVOLUTION_FILTER_STRIDES, TYPE_INT64, 1, 3, {}},
    {CONVOLUTION, CONVOLUTION_PRE_PADDINGS, TYPE_INT64, 1, 3, {}},
    {CONVOLUTION, CONVOLUTION_POST_PADDINGS, TYPE_INT64, 1, 3, {}},
    {POINTWISE, POINTWISE_MODE, TYPE_POINTWISE_MODE, 1, 1, {}},
    {POINTWISE, POINTWISE_MATH_PREC, TYPE_DATA_TYPE, 1, 1, {}},
    {POINTWISE, POINTWISE_NAN_PROPAGATION, TYPE_NAN_PROPOGATION, 1, 1, {}},
    {POINTWISE, POINTWISE_RELU_LOWER_CLIP, TYPE_DOUBLE, 1, 1, {}},
    {POINTWISE, POINTWISE_RELU_UPPER_CLIP, TYPE_DOUBLE, 1, 1, {}},
    {POINTWISE, POINTWISE_RELU_LOWER_CLIP_SLOPE, TYPE_DOUBLE, 1, 1, {}},
    {POINTWISE, POINTWISE_SWISH_BETA, TYPE_DOUBLE, 1, 1, {}},
    {OPERATION_CONVOLUTION_FORWARD, CONVOLUTION_FORWARD_CONV_DESC, TYPE_BACKEND_DESCRIPTOR, 1, 1, CONVOLUTION},
    {OPERATION_CONVOLUTION_FORWARD, CONVOLUTION_FORWARD_X, TYPE_BACKEND_DESCRIPTOR, 1, 1, TENSOR},
    {OPERATION_CONVOLUTION_FORWARD, CONVOLUTION_FORWARD_W, TYPE_BACKEND_DESCRIPTOR, 1, 1, TENSOR},
    {OPERATION_CONVOLUTION_FORWARD, CONVOLUTION_FORWARD_Y, TYPE_BACKEND_DESCRIPTOR, 1, 1, TENSOR},
    {OPERATION_CONVOLUTION_FORWARD, CONVOLUTION_FORWARD_ALPHA, TYPE_DOUBLE, 1, 1, {}},
    {OPERATION_CONVOLUTION_FORWARD, CONVOLUTION_FORWARD_BETA, TYPE_DOUBLE, 1, 1, {}},
    {OPERATION_POINTWISE, POINTWISE_PW_DESCRIPTOR, TYPE_BACKEND_DESCRIPTOR, 1, 1, POINTWISE},
    {OPERATION_POINTWISE, POINTWISE_XDESC, TYPE_BACKEND_DESCRIPTOR, 1, 1, TENSOR},
    {OPERATION_POINTWISE, POINTWISE_BDESC, TYPE_BACKEND_DESCRIPTOR, 1, 1, TENSOR},
    {OPERATION_POINTWISE, POINTWISE_YDESC, TYPE_BACKEND_DESCRIPTOR, 1, 1, TENSOR},
    {OPERATION_POINTWISE, POINTWISE_ALPHA1, TYPE_DOUBLE, 1, 1, {}},
    {OPERATION_POINTWISE, POINTWISE_ALPHA2, TYPE_DOUBLE, 1, 1, {}},
    {OPERATIONGRAPH, OPERATIONGRAPH_HANDLE, TYPE_HANDLE, 1, 1, {}},
    // Operations of either kind; which one is looked at when the graph is finalised.
    {OPERATIONGRAPH, OPERATIONGRAPH_OPS, TYPE_BACKEND_DESCRIPTOR, 1, MANY, OPERATION_POINTWISE},
    {OPERATIONGRAPH, OPERATIONGRAPH_ENGINE_GLOBAL_COUNT, TYPE_INT64, 1, 1, {}, ONLY_GOT},
    {ENGINEHEUR, ENGINEHEUR_MODE, TYPE_HEUR_MODE, 1, 1, {}},
    {ENGINEHEUR, ENGINEHEUR_OPERATION_GRAPH, TYPE_BACKEND_DESCRIPTOR, 1, 1, OPERATIONGRAPH},
    {ENGINEHEUR, ENGINEHEUR_RESULTS, TYPE_BACKEND_DESCRIPTOR, 0, MANY, ENGINECFG, ONLY_GOT},
    {ENGINE, ENGINE_OPERATION_GRAPH, TYPE_BACKEND_DESCRIPTOR, 1, 1, OPERATIONGRAPH},
    {ENGINE, ENGINE_GLOBAL_INDEX, TYPE_INT64, 1, 1, {}},
    {ENGINE, ENGINE_NUMERICAL_NOTE, TYPE_NUMERICAL_NOTE, 0, MANY, {}, ONLY_GOT},
    {ENGINE, ENGINE_BEHAVIOR_NOTE, TYPE_BEHAVIOR_NOTE, 0, MANY, {}, ONLY_GOT},
    {ENGINECFG, ENGINECFG_ENGINE, TYPE_BACKEND_DESCRIPTOR, 1, 1, ENGINE},
    {ENGINECFG, ENGINECFG_KNOB_CHOICES, TYPE_BACKEND_DESCRIPTOR, 0, MANY, KNOB_CHOICE},
    {KNOB_CHOICE, KNOB_CHOICE_KNOB_TYPE, TYPE_KNOB_TYPE, 1, 1, {}},
    {KNOB_CHOICE, KNOB_CHOICE_KNOB_VALUE, TYPE_INT64, 1, 1, {}},
    {EXECUTION_PLAN, EXECUTION_PLAN_HANDLE, TYPE_HANDLE, 1, 1, {}},
    {EXECUTION_PLAN, EXECUTION_PLAN_ENGINE_CONFIG, TYPE_BACKEND_DESCRIPTOR, 1, 1, ENGINECFG},
    {EXECUTION_PLAN, EXECUTION_PLAN_JSON_REPRESENTATION, TYPE_CHAR, 1, 1 << 20, {}},
    {EXECUTION_PLAN, EXECUTION_PLAN_WORKSPACE_SIZE, TYPE_INT64, 1, 1, {}, ONLY_GOT},
    {VARIANT_PACK, VARIANT_PACK_UNIQUE_IDS, TYPE_INT64, 1, MANY, {}},
    {VARIANT_PACK, VARIANT_PACK_DATA_POINTERS, TYPE_VOID_PTR, 1, MANY, {}},
    {VARIANT_PACK, VARIANT_PACK_WORKSPACE, TYPE_VOID_PTR, 1, 1, {}},
};

const Rule* find_rule(DescriptorType descriptor, Attribute name) {
    for (const Rule& rule : RULES)
        if (rule.descriptor == descriptor && rule.name == name) return &rule;
    return nullptr;
}

size_t bytes_of(AttributeType type) {
    switch (type) {
        case TYPE_BOOLEAN:
        case TYPE_CHAR:
            return 1;
        case TYPE_HANDLE:
        case TYPE_INT64:
        case TYPE_DOUBLE:
        case TYPE_VOID_PTR:
        case TYPE_BACKEND_DESCRIPTOR:
            return 8;
        default:
            return 4;
    }
}

bool fits(const Rule& rule, AttributeType type) {
    bool double_only = rule.descriptor == POINTWISE && atrous_device_is_strict(ATROUS_STRICT_DOUBLES);
    return rule.type == type || (rule.type == TYPE_DOUBLE && type == TYPE_FLOAT && !double_only);
}

bool is_child(const Rule& rule, const Descriptor& child) {
    return child.type == rule.child || (rule.name == OPERATIONGRAPH_OPS && child.type == OPERATION_CONVOLUTION_FORWARD);
}

thread_local std::string last_text;

struct Table {
    std::mutex mutex;
    std::unordered_map<void*, Child> descriptors;
};
Table& table() {
    static auto& instance = *new Table;
    return instance;
}

}  // namespace

Descriptor::Descriptor(DescriptorType type) : type(type) {
    atrous_device_count_library_object(1);
}
Descriptor::~Descriptor() {
    atrous_device_count_library_object(-1);
}

double Descriptor::number(Attribute name, double otherwise) const {
    auto entry = values.find(name);
    if (entry == values.end()) return otherwise;
    return entry->second.size() == 4 ? one<float>(name, 0) : one<double>(name, 0);
}

Status fail(Status status, const std::string& why) {
    last_text = why;
    return status;
}
const std::string& last_failure() {
    return last_text;
}

Child find(void* handle) {
    std::lock_guard lock(table().mutex);
    auto entry = table().descriptors.find(handle);
    return entry == table().descriptors.end() ? nullptr : entry->second;
}

void* add(Child descriptor) {
    std::lock_guard lock(table().mutex);
    void* handle = descriptor.get();
    table().descriptors[handle] = std::move(descriptor);
    return handle;
}

bool remove(void* handle) {
    std::lock_guard lock(table().mutex);
    return table().descriptors.erase(handle) != 0;
}

Status set(Descriptor& descriptor, Attribute name, AttributeType type, int64_t count, const void* elements) {
    const Rule* rule = find_rule(descriptor.type, name);
    std::string attribute = "attribute " + std::to_string(name);
    if (descriptor.finalized) return fail(BAD_PARAM, "a finalized descriptor cannot be changed");
    if (rule == nullptr || rule->access == ONLY_GOT)
        return fail(BAD_PARAM, attribute + " cannot be set on this descriptor");
    if (!fits(*rule, type)) return fail(BAD_PARAM_ATTRIBUTE_TYPE, attribute + " has another type");
    if (count < rule->least || count > rule->most)
        return fail(BAD_PARAM, attribute + " has another number of elements");
    if (elements == nullptr && count > 0) return fail(BAD_PARAM_NULL_POINTER, attribute + " has no elements");
    if (type != TYPE_BACKEND_DESCRIPTOR) {
        auto* bytes = static_cast<const char*>(elements);
        descriptor.values[name].assign(bytes, bytes + static_cast<size_t>(count) * bytes_of(type));
        return type == TYPE_HANDLE && !is_handle(descriptor.one<void*>(name, nullptr))
                   ? fail(BAD_PARAM, "no cuDNN handle")
                   : SUCCESS;
    }
    std::vector<Child> children;
    for (int64_t i = 0; i < count; ++i) {
        Child child = find(static_cast<void* const*>(elements)[i]);
        if (!child) return fail(BAD_PARAM_NULL_POINTER, attribute + " names a descriptor that is not alive");
        if (!is_child(*rule, *child))
            return fail(BAD_PARAM_DESCRIPTOR_TYPE, attribute + " is a descriptor of another type");
        if (!child->finalized)
            return fail(BAD_PARAM_NOT_FINALIZED, attribute + " is a descriptor that was not finalized");
        children.push_back(child);
    }
    descriptor.children[name] = std::move(children);
    return SUCCESS;
}

Status get(Descriptor& descriptor, Attribute name, AttributeType type, int64_t requested, int64_t* count,
           void* elements) {
    const Rule* rule = find_rule(descriptor.type, name);
    if (!descriptor.finalized) return fail(BAD_PARAM_NOT_FINALIZED, "the descriptor was not finalized");
    if (rule == nullptr) return fail(BAD_PARAM, "this descriptor has no attribute " + std::to_string(name));
    if (!fits(*rule, type))
        return fail(BAD_PARAM_ATTRIBUTE_TYPE, "attribute " + std::to_string(name) + " has another type");
    if (type == TYPE_BACKEND_DESCRIPTOR) {
        const std::vector<Child>& children = descriptor.children[name];
        if (count != nullptr) *count = static_cast<int64_t>(children.size());
        for (size_t i = 0; elements != nullptr && i < children.size() && static_cast<int64_t>(i) < requested; ++i) {
            // The caller brings empty descriptors, which become what is asked for.
            Child given = find(static_cast<void**>(elements)[i]);
            if (!given || given->type != rule->child)
                return fail(BAD_PARAM_DESCRIPTOR_TYPE, "descriptors to fill must be of the attribute's type");
            given->values = children[i]->values;
            given->children = children[i]->children;
            given->program = children[i]->program;
            given->engine = children[i]->engine;
            given->finalized = true;
        }
        return SUCCESS;
    }
    auto entry = descriptor.values.find(name);
    if (entry == descriptor.values.end()) {
        if (name == EXECUTION_PLAN_JSON_REPRESENTATION) return fail(NOT_SUPPORTED, "plans of this engine have no JSON");
        return fail(BAD_PARAM, "attribute " + std::to_string(name) + " was never set");
    }
    size_t bytes = entry->second.size(), room = static_cast<size_t>(std::max<int64_t>(requested, 0)) * bytes_of(type);
    if (count != nullptr) *count = static_cast<int64_t>(bytes / bytes_of(type));
    if (elements != nullptr) std::memcpy(elements, entry->second.data(), std::min(bytes, room));
    return SUCCESS;
}

}  // namespace dnn
