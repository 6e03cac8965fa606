// Modules: PTX is parsed for its entries and their parameters; what runs is the kernel of that name compiled for the
// host.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../../../native/cuda/host/host_kernels.h"
#include "context.h"
#include "faults.h"
#include "types.h"

namespace device {

struct Parameter {
    size_t offset, bytes;
};

struct Function {
    std::string name;
    std::vector<Parameter> parameters;
    const atrous_host_kernel* host;  // null when nobody compiled it for the host
    unsigned dynamic_shared_limit = SHARED_PER_BLOCK;
};

struct Module : Counted<ATROUS_DEVICE_MODULES> {
    const int device = current_device();
    std::map<std::string, std::unique_ptr<Function>> functions;
};

// Null after writing what is wrong into the log.
std::shared_ptr<Module> parse_ptx(const std::string& text, std::string& log, CUresult& error);

// By name, among the kernels of libatrous_kernels_host.so and the tests' own.
const atrous_host_kernel* find_host_kernel(const std::string& name);

}  // namespace device
