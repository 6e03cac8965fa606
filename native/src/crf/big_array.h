// Arrays as large as the picture: uninitialised, aligned, on huge pages where the system gives them.
#ifndef ATROUS_CRF_BIG_ARRAY_H
#define ATROUS_CRF_BIG_ARRAY_H

#include <algorithm>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "block_cache.h"

namespace atrous {

template <class T>
class big_array {
    static_assert(std::is_trivially_copyable_v<T>);

 public:
    big_array() = default;
    explicit big_array(int64_t size) : size_(size) {
        const size_t bytes = static_cast<size_t>(size) * sizeof(T);
        if (bytes >= huge_page) {
            block_ = take_block(bytes, pages::huge);
        } else {
            block_.data = ::operator new[](bytes, small_alignment);
        }
    }
    big_array(int64_t size, T value) : big_array(size) { std::fill_n(data(), size, value); }
    big_array(big_array&& other) noexcept { swap(other); }
    big_array& operator=(big_array&& other) noexcept {
        big_array(std::move(other)).swap(*this);
        return *this;
    }
    ~big_array() {
        if (block_.bytes > 0) {
            give_back_block(block_);
        } else if (block_.data != nullptr) {
            ::operator delete[](block_.data, small_alignment);
        }
    }

    T* data() { return static_cast<T*>(block_.data); }
    const T* data() const { return static_cast<const T*>(block_.data); }
    int64_t size() const { return size_; }
    T& operator[](int64_t i) { return data()[i]; }
    const T& operator[](int64_t i) const { return data()[i]; }

 private:
    static constexpr std::align_val_t small_alignment{64};

    void swap(big_array& other) noexcept {
        std::swap(block_, other.block_);
        std::swap(size_, other.size_);
    }

    memory_block block_;  // of no bytes where it is small and not from the cache
    int64_t size_ = 0;
};

}  // namespace atrous

#endif  // ATROUS_CRF_BIG_ARRAY_H
