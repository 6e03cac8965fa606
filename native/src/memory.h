// Float memory aligned to a cache line.
#ifndef ATROUS_MEMORY_H
#define ATROUS_MEMORY_H

#include <cstdint>

namespace atrous {

// Owns floats. Grows only when asked for more than it has, and then forgets what it held.
class float_buffer {
 public:
    float_buffer() = default;
    explicit float_buffer(int64_t count) { reserve(count); }
    float_buffer(const float_buffer&) = delete;
    float_buffer& operator=(const float_buffer&) = delete;
    ~float_buffer();

    // Of unspecified value. Throws std::bad_alloc.
    float* reserve(int64_t count);
    void fill_with_zeros();

    float* data() { return data_; }
    const float* data() const { return data_; }
    int64_t capacity() const { return capacity_; }

 private:
    float* data_ = nullptr;
    int64_t capacity_ = 0;
};

}  // namespace atrous

#endif  // ATROUS_MEMORY_H
