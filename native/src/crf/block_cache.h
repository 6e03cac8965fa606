// Large blocks of memory that are used again: the system clears every page that it hands out, and for a CRF, which
// needs much memory for a short time, that would be a good part of the work.
#ifndef ATROUS_CRF_BLOCK_CACHE_H
#define ATROUS_CRF_BLOCK_CACHE_H

#include <cstddef>

namespace atrous {

constexpr size_t huge_page = size_t{1} << 21;

struct memory_block {
    void* data = nullptr;
    size_t bytes = 0;
};

// Whole huge pages of unspecified content, at least as many bytes. Throws std::bad_alloc.
memory_block take_block(size_t bytes);

// Keeps the block for later, or frees it when enough is kept already (256 MiB in the process).
void give_back_block(memory_block block) noexcept;

// Frees what is kept.
void free_idle_blocks() noexcept;

}  // namespace atrous

#endif  // ATROUS_CRF_BLOCK_CACHE_H
