// Large blocks of memory that are used again: the system maps and clears every page that it hands out, and for what
// needs much memory for a short time, a CRF or the scores of a picture, that would be a good part of the work.
#ifndef ATROUS_BLOCK_CACHE_H
#define ATROUS_BLOCK_CACHE_H

#include <cstddef>

namespace atrous {

constexpr size_t huge_page = size_t{1} << 21;

struct memory_block {
    void* data = nullptr;
    size_t bytes = 0;
};

// Memory that is read in no order that a processor foresees, as rows of a CRF's lattice are, would miss the TLB at
// every one of its 4 KiB pages. What is read from end to end has no use for huge ones: convolutions were 6 % slower on
// them.
enum class pages { usual, huge };

// Room for as many bytes or more, of unspecified content, aligned to a huge page. Throws std::bad_alloc.
memory_block take_block(size_t bytes, pages wanted);

// Keeps the block for later, or frees it when enough is kept already (256 MiB in the process).
void give_back_block(memory_block block) noexcept;

// Frees what is kept.
void free_idle_blocks() noexcept;

}  // namespace atrous

#endif  // ATROUS_BLOCK_CACHE_H
