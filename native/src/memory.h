// Memory of one element type, aligned to a cache line.
#ifndef ATROUS_MEMORY_H
#define ATROUS_MEMORY_H

#include <algorithm>
#include <cstdint>
#include <new>

#include "bfloat16.h"

namespace atrous {

// Owns elements. Grows only when asked for more than it has, and then forgets what it held.
template <class T>
class aligned_buffer {
 public:
    aligned_buffer() = default;
    explicit aligned_buffer(int64_t count) { reserve(count); }
    aligned_buffer(const aligned_buffer&) = delete;
    aligned_buffer& operator=(const aligned_buffer&) = delete;
    ~aligned_buffer() { release(); }

    // Of unspecified value. Throws std::bad_alloc.
    T* reserve(int64_t count) {
        if (count > capacity_) {
            release();
            data_ = nullptr;
            capacity_ = 0;
            if (count > INT64_MAX / int64_t{sizeof(T)}) throw std::bad_alloc();
            data_ = static_cast<T*>(::operator new[](static_cast<size_t>(count) * sizeof(T), cache_line));
            capacity_ = count;
        }
        return data_;
    }
    void fill_with_zeros() { std::fill_n(data_, capacity_, T{}); }

    T* data() { return data_; }
    const T* data() const { return data_; }
    int64_t capacity() const { return capacity_; }

 private:
    static constexpr std::align_val_t cache_line{64};

    void release() { ::operator delete[](data_, cache_line); }

    T* data_ = nullptr;
    int64_t capacity_ = 0;
};

using float_buffer = aligned_buffer<float>;

}  // namespace atrous

#endif  // ATROUS_MEMORY_H
