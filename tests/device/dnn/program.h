// A convolution with what is done to its result, as plain data: checked once, run many times, written to JSON as it
// lies.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "types.h"

namespace dnn {

constexpr int MAX_STEPS = 8;

struct Tensor {
    int64_t uid;
    int type;
    bool is_virtual;
    int64_t alignment;
    std::array<int64_t, 4> dims, strides;  // N C H W; of a filter K C R S

    // From the first element to behind the last.
    size_t bytes() const;
};

struct Convolution {
    int compute_type;
    std::array<int64_t, 2> pre_paddings, post_paddings, strides, dilations;
    Tensor x, w, y;
    double alpha, beta;
};

// out = mode(in, operand) for every element; in is what the step before gave.
struct Step {
    int mode;
    bool binary, keeps_nan;
    double alpha1, alpha2, lower_clip, upper_clip, lower_slope, swish_beta;
    Tensor x, operand, y;
};

struct Program {
    bool has_convolution;
    Convolution convolution;
    int step_count;
    std::array<Step, MAX_STEPS> steps;

    const Tensor& result() const {
        return step_count > 0 ? steps[static_cast<size_t>(step_count) - 1].y : convolution.y;
    }
};

// What an engine does with it, after cuDNN's support surface for Hopper. Says why not in `why`.
Status check_support(const Program& program, int64_t engine, std::string& why);

// Engine 3 is there for what it says of itself.
constexpr int64_t ENGINES = 4, WRONG_ENGINE = 3;
size_t workspace_of(int64_t engine);
bool uses_tensor_cores(int64_t engine);
bool compiles_at_run_time(int64_t engine);

using Pointers = std::unordered_map<int64_t, void*>;

// False after a report, when a pointer is not good for what it shall hold.
bool run(const Program& program, int64_t engine, const Pointers& pointers, const void* workspace);

// For the tests: how long an engine takes the host before its work is in the stream, and the device for that work.
void set_time(int64_t engine, int host_microseconds, int device_microseconds);
void take_host_time(int64_t engine);
void take_device_time(int64_t engine);

// For the tests: refuse outputs that are slices of wider tensors, as the older wording of the support surface does.
void refuse_slices(bool refuse);

}  // namespace dnn
