// What the ABI asks of its arguments. Each of these throws ATROUS_INVALID_ARGUMENT with a sentence that names the
// culprit.
#ifndef ATROUS_CHECKS_H
#define ATROUS_CHECKS_H

#include <initializer_list>

#include "status.h"

namespace atrous {

// A tensor with data, positive sides, a pixel stride that holds its channels and a size that fits an int64.
void require_tensor(const atrous_tensor* tensor, const char* name);

// As messages name it.
const char* type_name(int32_t type);

// Both of one element type.
void require_same_type(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name);
// Of float32.
void require_float32(const atrous_tensor& tensor, const char* name);
// Of float32 or bfloat16.
void refuse_uint8(const atrous_tensor& tensor, const char* name);
// Two of one type: of uint8 their elements stand for the same numbers.
void require_same_step(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name);
void require_same_batch(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name);
void require_same_channels(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name);
// Batch, height, width and channels.
void require_same_shape(const atrous_tensor& a, const char* a_name, const atrous_tensor& b, const char* b_name);

// A picture's row stride: 0 for packed rows, or at least the bytes of a row; and a size that fits an int64.
void require_rows(const atrous_image& image, const char* name);

// An array of so many items along each of its axes, a stride apart: all of it, also counted in bytes, fits an int64
// with room for the arithmetic of who walks it.
struct axis {
    int64_t count, stride;
};
void require_extent(std::initializer_list<axis> axes, int64_t item_bytes, const char* name);

void require_range(int64_t value, int64_t least, int64_t most, const char* name);

void require_activation(int32_t activation);

inline int64_t rows_of(const atrous_tensor& t) {
    return static_cast<int64_t>(t.batch) * t.height;
}
inline int64_t pixels_of(const atrous_tensor& t) {
    return rows_of(t) * t.width;
}

// Items of work per thread and turn, where one item touches so many floats: a turn should outlast what handing it out
// costs.
inline int64_t grain_of(int64_t floats_per_item) {
    constexpr int64_t floats_per_turn = 16384;
    return floats_per_item >= floats_per_turn ? 1 : floats_per_turn / floats_per_item;
}

}  // namespace atrous

#endif  // ATROUS_CHECKS_H
