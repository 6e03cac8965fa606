// Arrays as large as the picture: uninitialised, aligned, on huge pages where the system gives them.
#ifndef ATROUS_CRF_BIG_ARRAY_H
#define ATROUS_CRF_BIG_ARRAY_H

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace atrous {

template <class T>
class big_array {
    static_assert(std::is_trivially_copyable_v<T>);

 public:
    big_array() = default;
    explicit big_array(int64_t size) : size_(size) {
        const size_t bytes = static_cast<size_t>(size) * sizeof(T);
        huge_ = bytes >= huge_page;
        data_ = static_cast<T*>(::operator new[](bytes, alignment()));
        // Lattice rows are read in no order that a processor foresees; 4 KiB pages would miss the TLB at every one.
        if (huge_) ::madvise(data_, bytes, MADV_HUGEPAGE);
    }
    big_array(int64_t size, T value) : big_array(size) {
        for (int64_t i = 0; i < size; ++i) data_[i] = value;
    }
    big_array(big_array&& other) noexcept { swap(other); }
    big_array& operator=(big_array&& other) noexcept {
        big_array(std::move(other)).swap(*this);
        return *this;
    }
    ~big_array() {
        if (data_ != nullptr) ::operator delete[](data_, alignment());
    }

    T* data() { return data_; }
    const T* data() const { return data_; }
    int64_t size() const { return size_; }
    T& operator[](int64_t i) { return data_[i]; }
    const T& operator[](int64_t i) const { return data_[i]; }

 private:
    static constexpr size_t huge_page = size_t{1} << 21;

    std::align_val_t alignment() const { return std::align_val_t(huge_ ? huge_page : 64); }
    void swap(big_array& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(huge_, other.huge_);
    }

    T* data_ = nullptr;
    int64_t size_ = 0;
    bool huge_ = false;
};

}  // namespace atrous

#endif  // ATROUS_CRF_BIG_ARRAY_H
