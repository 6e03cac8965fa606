#include "memory.h"

#include <algorithm>
#include <new>

namespace atrous {

namespace {

constexpr std::align_val_t cache_line{64};

}  // namespace

float_buffer::~float_buffer() {
    ::operator delete[](data_, cache_line);
}

float* float_buffer::reserve(int64_t count) {
    if (count > capacity_) {
        ::operator delete[](data_, cache_line);
        data_ = nullptr;
        capacity_ = 0;
        if (count > INT64_MAX / int64_t{sizeof(float)}) throw std::bad_alloc();
        data_ = static_cast<float*>(::operator new[](static_cast<size_t>(count) * sizeof(float), cache_line));
        capacity_ = count;
    }
    return data_;
}

void float_buffer::fill_with_zeros() {
    std::fill_n(data_, capacity_, 0.0f);
}

}  // namespace atrous
