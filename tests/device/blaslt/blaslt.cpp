// cuBLASLt's matmul as the bindings use it: column-major matrices, bias and ReLU epilogues, three "algorithms" that
// differ in the workspace they ask for, and one that adds up parts of a sum in the type of the result. Sums in double
// precision.
#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "../include/atrous_device.h"
#include "../include/atrous_numbers.h"
#include "product.h"

#define BLAS_API extern "C" __attribute__((visibility("default")))

using namespace device;
using blaslt::Product;

// Every call that can fail is counted, and fails when it is told to; one that frees does so first.
#define CALL() \
    if (atrous_device_call_fails()) return INTERNAL_ERROR

namespace {

enum Status : int {
    SUCCESS = 0,
    NOT_INITIALIZED = 1,
    ALLOC_FAILED = 3,
    INVALID_VALUE = 7,
    EXECUTION_FAILED = 13,
    INTERNAL_ERROR = 14,
    NOT_SUPPORTED = 15
};
enum Type : int { REAL_32F = 0, REAL_16F = 2, REAL_16BF = 14 };
enum Compute : int { COMPUTE_32F = 68, COMPUTE_32F_FAST_TF32 = 77 };
enum DescAttribute : int { TRANSA = 3, TRANSB = 4, EPILOGUE = 7, BIAS_POINTER = 8 };
enum Epilogue : int { DEFAULT = 1, RELU = 2, BIAS = 4, RELU_BIAS = 6 };

constexpr uint64_t ALGORITHM_MARK = 0x6174726F75734C74, VERSION = 130000;
constexpr size_t WORKSPACES[] = {0, 256 * 1024, 4 * 1024 * 1024, 0};

// Splits a sum and rounds its parts; offered first, as an algorithm that is fast would be, to who does not forbid it.
constexpr uint64_t ROUNDING_ALGORITHM = 3;
enum ReductionScheme : uint32_t { REDUCTION_INPLACE = 1, REDUCTION_COMPUTE_TYPE = 2, REDUCTION_OUTPUT_TYPE = 4 };

struct Object {
    Object() { atrous_device_count_library_object(1); }
    ~Object() { atrous_device_count_library_object(-1); }
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
};
struct Handle : Object {};
struct Desc : Object {
    int compute = COMPUTE_32F, transpose_a = 0, transpose_b = 0, epilogue = DEFAULT;
    const void* bias = nullptr;
};
struct Layout : Object {
    int type = 0;
    uint64_t rows = 0, columns = 0;
    int64_t leading = 0;

    size_t bytes() const {
        size_t element = type == REAL_32F ? 4 : 2;
        return ((columns - 1) * static_cast<size_t>(leading) + rows) * element;
    }
};
struct Preference : Object {
    uint64_t workspace = 0;
    uint32_t alignments[4] = {256, 256, 256, 256};
    uint32_t reductions = REDUCTION_INPLACE | REDUCTION_COMPUTE_TYPE | REDUCTION_OUTPUT_TYPE;
};

struct Algorithm {
    uint64_t data[8];
};
struct HeuristicResult {
    Algorithm algorithm;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

// Live objects of a kind: a stale or foreign pointer is refused instead of read.
template <class T>
struct Live {
    static bool has(const T* object) {
        std::lock_guard lock(mutex());
        return objects().count(object) != 0;
    }
    static Status create(T** object, std::unique_ptr<T> made) {
        if (object == nullptr) return INVALID_VALUE;
        std::lock_guard lock(mutex());
        *object = made.release();
        objects().insert(*object);
        return SUCCESS;
    }
    static Status destroy(T* object) {
        std::lock_guard lock(mutex());
        if (objects().erase(object) == 0) return INVALID_VALUE;
        delete object;
        return SUCCESS;
    }

 private:
    static std::mutex& mutex() {
        static auto& instance = *new std::mutex;
        return instance;
    }
    static std::unordered_set<const T*>& objects() {
        static auto& set = *new std::unordered_set<const T*>;
        return set;
    }
};

void drop(void* state) {
    delete static_cast<Product*>(state);
}

// What the real library refuses as well: types that differ, shapes that do not meet.
Status check(const Desc* desc, const Layout* a, const Layout* b, const Layout* c, const Layout* d) {
    if (!Live<Desc>::has(desc) || !Live<Layout>::has(a) || !Live<Layout>::has(b) || !Live<Layout>::has(c) ||
        !Live<Layout>::has(d))
        return INVALID_VALUE;
    uint64_t m = desc->transpose_a ? a->columns : a->rows, k = desc->transpose_a ? a->rows : a->columns;
    uint64_t n = desc->transpose_b ? b->rows : b->columns, inner = desc->transpose_b ? b->columns : b->rows;
    if (k != inner || m != d->rows || n != d->columns || c->rows != d->rows || c->columns != d->columns)
        return INVALID_VALUE;
    if (a->type != b->type || a->type != c->type || a->type != d->type) return NOT_SUPPORTED;
    return desc->compute == COMPUTE_32F_FAST_TF32 && a->type != REAL_32F ? NOT_SUPPORTED : SUCCESS;
}

// Columns begin where vectors of 16 bytes can be read, as far as the caller promised that the matrix does.
bool aligned(const Layout& layout, uint32_t promised) {
    size_t element = layout.type == REAL_32F ? 4 : 2;
    return static_cast<size_t>(layout.leading) * element % std::min<size_t>(promised, 16) == 0;
}

bool aligned(const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
}

HeuristicResult describe(uint64_t id) {
    HeuristicResult result{};
    result.algorithm.data[0] = ALGORITHM_MARK;
    result.algorithm.data[1] = id;
    result.workspace = WORKSPACES[id];
    result.waves = 1.0f;
    return result;
}

bool known(const Algorithm* algorithm) {
    return algorithm != nullptr && algorithm->data[0] == ALGORITHM_MARK && algorithm->data[1] < std::size(WORKSPACES);
}

template <class T>
Status read(T& target, const void* value, size_t bytes) {
    if (value == nullptr || bytes != sizeof(T)) return INVALID_VALUE;
    std::memcpy(&target, value, bytes);
    return SUCCESS;
}

}  // namespace

BLAS_API size_t cublasLtGetVersion() {
    return VERSION;
}

BLAS_API const char* cublasLtGetStatusName(Status status) {
    switch (status) {
        case SUCCESS:
            return "CUBLAS_STATUS_SUCCESS";
        case NOT_INITIALIZED:
            return "CUBLAS_STATUS_NOT_INITIALIZED";
        case ALLOC_FAILED:
            return "CUBLAS_STATUS_ALLOC_FAILED";
        case INVALID_VALUE:
            return "CUBLAS_STATUS_INVALID_VALUE";
        case EXECUTION_FAILED:
            return "CUBLAS_STATUS_EXECUTION_FAILED";
        case INTERNAL_ERROR:
            return "CUBLAS_STATUS_INTERNAL_ERROR";
        case NOT_SUPPORTED:
            return "CUBLAS_STATUS_NOT_SUPPORTED";
    }
    return "<unknown>";
}

BLAS_API const char* cublasLtGetStatusString(Status status) {
    switch (status) {
        case SUCCESS:
            return "success";
        case NOT_INITIALIZED:
            return "the library was not initialized";
        case ALLOC_FAILED:
            return "the resource allocation failed";
        case INVALID_VALUE:
            return "an unsupported value or parameter was passed to the function";
        case EXECUTION_FAILED:
            return "the function failed to launch on the GPU";
        case INTERNAL_ERROR:
            return "an internal operation failed";
        case NOT_SUPPORTED:
            return "the functionality requested is not supported";
    }
    return "<unknown>";
}

BLAS_API Status cublasLtCreate(Handle** handle) {
    return Live<Handle>::create(handle, std::make_unique<Handle>());
}
BLAS_API Status cublasLtDestroy(Handle* handle) {
    Status status = Live<Handle>::destroy(handle);
    CALL();
    return status;
}

BLAS_API Status cublasLtMatmulDescCreate(Desc** desc, int compute, int scale) {
    CALL();
    if ((compute != COMPUTE_32F && compute != COMPUTE_32F_FAST_TF32) || scale != REAL_32F) return INVALID_VALUE;
    auto made = std::make_unique<Desc>();
    made->compute = compute;
    return Live<Desc>::create(desc, std::move(made));
}
BLAS_API Status cublasLtMatmulDescDestroy(Desc* desc) {
    Status status = Live<Desc>::destroy(desc);
    CALL();
    return status;
}

BLAS_API Status cublasLtMatmulDescSetAttribute(Desc* desc, int attribute, const void* value, size_t bytes) {
    CALL();
    if (!Live<Desc>::has(desc)) return INVALID_VALUE;
    int number = 0;
    if (attribute == BIAS_POINTER) return read(desc->bias, value, bytes);
    if (read(number, value, bytes) != SUCCESS) return INVALID_VALUE;
    switch (attribute) {
        case TRANSA:
        case TRANSB:
            if (number != 0 && number != 1) return INVALID_VALUE;
            (attribute == TRANSA ? desc->transpose_a : desc->transpose_b) = number;
            return SUCCESS;
        case EPILOGUE:
            if (number != DEFAULT && number != RELU && number != BIAS && number != RELU_BIAS) return INVALID_VALUE;
            desc->epilogue = number;
            return SUCCESS;
        default:
            return INVALID_VALUE;
    }
}

BLAS_API Status cublasLtMatrixLayoutCreate(Layout** layout, int type, uint64_t rows, uint64_t columns,
                                           int64_t leading) {
    CALL();
    if (type != REAL_32F && type != REAL_16F && type != REAL_16BF) return INVALID_VALUE;
    if (rows == 0 || columns == 0 || leading < static_cast<int64_t>(rows)) return INVALID_VALUE;
    auto made = std::make_unique<Layout>();
    made->type = type;
    made->rows = rows;
    made->columns = columns;
    made->leading = leading;
    return Live<Layout>::create(layout, std::move(made));
}
BLAS_API Status cublasLtMatrixLayoutDestroy(Layout* layout) {
    Status status = Live<Layout>::destroy(layout);
    CALL();
    return status;
}

BLAS_API Status cublasLtMatmulPreferenceCreate(Preference** preference) {
    CALL();
    return Live<Preference>::create(preference, std::make_unique<Preference>());
}
BLAS_API Status cublasLtMatmulPreferenceDestroy(Preference* preference) {
    Status status = Live<Preference>::destroy(preference);
    CALL();
    return status;
}
BLAS_API Status cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute, const void* value,
                                                     size_t bytes) {
    CALL();
    if (!Live<Preference>::has(preference)) return INVALID_VALUE;
    if (attribute >= 5 && attribute <= 8) return read(preference->alignments[attribute - 5], value, bytes);
    if (attribute == 3) return read(preference->reductions, value, bytes);
    return attribute == 1 ? read(preference->workspace, value, bytes) : INVALID_VALUE;
}

BLAS_API Status cublasLtMatmulAlgoGetHeuristic(Handle* handle, Desc* desc, Layout* a, Layout* b, Layout* c, Layout* d,
                                               Preference* preference, int requested, HeuristicResult* results,
                                               int* returned) {
    CALL();
    if (!Live<Handle>::has(handle)) return NOT_INITIALIZED;
    if (!Live<Preference>::has(preference) || requested <= 0 || results == nullptr || returned == nullptr)
        return INVALID_VALUE;
    *returned = 0;
    if (Status status = check(desc, a, b, c, d); status != SUCCESS) return status;
    if (atrous_device_is_strict(ATROUS_STRICT_ALIGNMENT)) {
        if ((desc->epilogue & BIAS) != 0 && desc->bias == nullptr) return INVALID_VALUE;
        const Layout* layouts[] = {a, b, c, d};
        for (size_t i = 0; i < std::size(layouts); ++i)
            if (!aligned(*layouts[i], preference->alignments[i])) return SUCCESS;
    }
    if ((preference->reductions & (REDUCTION_INPLACE | REDUCTION_OUTPUT_TYPE)) != 0)
        results[(*returned)++] = describe(ROUNDING_ALGORITHM);
    for (uint64_t id = 0; id < ROUNDING_ALGORITHM && *returned < requested; ++id)
        if (WORKSPACES[id] <= preference->workspace) results[(*returned)++] = describe(id);
    return SUCCESS;
}

BLAS_API Status cublasLtMatmulAlgoCheck(Handle* handle, Desc* desc, Layout* a, Layout* b, Layout* c, Layout* d,
                                        const Algorithm* algorithm, HeuristicResult* result) {
    CALL();
    if (!Live<Handle>::has(handle)) return NOT_INITIALIZED;
    if (!known(algorithm) || result == nullptr) return INVALID_VALUE;
    if (Status status = check(desc, a, b, c, d); status != SUCCESS) return status;
    *result = describe(algorithm->data[1]);
    result->algorithm = Algorithm{};  // the caller has it
    return SUCCESS;
}

BLAS_API Status cublasLtMatmul(Handle* handle, Desc* desc, const void* alpha, const void* a, Layout* a_layout,
                               const void* b, Layout* b_layout, const void* beta, const void* c, Layout* c_layout,
                               void* d, Layout* d_layout, const Algorithm* algorithm, void* workspace,
                               size_t workspace_bytes, void* stream) {
    CALL();
    if (!Live<Handle>::has(handle)) return NOT_INITIALIZED;
    if (Status status = check(desc, a_layout, b_layout, c_layout, d_layout); status != SUCCESS) return status;
    bool with_bias = (desc->epilogue & BIAS) != 0;
    if (!known(algorithm) || alpha == nullptr || beta == nullptr || a == nullptr || b == nullptr || d == nullptr ||
        (with_bias && desc->bias == nullptr) || workspace_bytes < WORKSPACES[algorithm->data[1]])
        return INVALID_VALUE;
    if (atrous_device_is_strict(ATROUS_STRICT_ALIGNMENT) &&
        (!aligned(a) || !aligned(b) || !aligned(c) || !aligned(d) || !aligned(workspace) ||
         (with_bias && !aligned(desc->bias))))
        return INVALID_VALUE;
    if (algorithm->data[1] == 0 && atrous_device_is_strict(ATROUS_STRICT_WRONG_RUNS)) return EXECUTION_FAILED;
    auto product = std::make_unique<Product>();
    product->format = desc->compute == COMPUTE_32F_FAST_TF32 ? Format::TF32
                      : a_layout->type == REAL_32F           ? Format::FP32
                      : a_layout->type == REAL_16F           ? Format::FP16
                                                             : Format::BF16;
    product->m = static_cast<int64_t>(d_layout->rows);
    product->n = static_cast<int64_t>(d_layout->columns);
    product->k = static_cast<int64_t>(desc->transpose_a ? a_layout->rows : a_layout->columns);
    product->a_row = desc->transpose_a ? a_layout->leading : 1;
    product->a_inner = desc->transpose_a ? 1 : a_layout->leading;
    product->b_inner = desc->transpose_b ? b_layout->leading : 1;
    product->b_column = desc->transpose_b ? 1 : b_layout->leading;
    product->c_leading = c_layout->leading;
    product->d_leading = d_layout->leading;
    product->a = a;
    product->b = b;
    product->c = c;
    product->d = d;
    product->bias = with_bias ? desc->bias : nullptr;
    float factor;
    std::memcpy(&factor, alpha, sizeof factor);
    product->alpha = factor;
    std::memcpy(&factor, beta, sizeof factor);
    product->beta = factor;
    product->relu = (desc->epilogue & RELU) != 0;
    product->a_bytes = a_layout->bytes();
    product->b_bytes = b_layout->bytes();
    product->c_bytes = c_layout->bytes();
    product->d_bytes = d_layout->bytes();
    product->rounds_parts = algorithm->data[1] == ROUNDING_ALGORITHM;
    product->workspace = workspace;
    product->workspace_bytes = WORKSPACES[algorithm->data[1]];
    atrous_device_work work{blaslt::run, drop, product.release()};
    return atrous_device_submit(stream, "cublasLtMatmul", &work) == 0 ? SUCCESS : EXECUTION_FAILED;
}
