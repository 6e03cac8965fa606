#include "block_cache.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <new>
#include <utility>

#include "platform/platform.h"
#include "status.h"

namespace atrous {

namespace {

constexpr size_t most_idle_bytes = size_t{256} << 20;

void free_block(const memory_block& block) {
    if (block.data != nullptr) ::operator delete[](block.data, static_cast<std::align_val_t>(huge_page));
}

class idle_blocks {
 public:
    ~idle_blocks() { clear(); }

    // The smallest that holds bytes and wastes less than half of itself, or an empty one.
    memory_block take(size_t bytes) {
        std::lock_guard lock(mutex_);
        memory_block* best = nullptr;
        for (memory_block& block : blocks_) {
            if (block.bytes < bytes || block.bytes > 2 * bytes) continue;
            if (best == nullptr || block.bytes < best->bytes) best = &block;
        }
        if (best == nullptr) return {};
        bytes_ -= best->bytes;
        return std::exchange(*best, {});
    }

    bool keep(const memory_block& block) {
        std::lock_guard lock(mutex_);
        const auto place = std::find_if(blocks_.begin(), blocks_.end(), [](auto& b) { return b.data == nullptr; });
        if (place == blocks_.end() || bytes_ + block.bytes > most_idle_bytes) return false;
        bytes_ += block.bytes;
        *place = block;
        return true;
    }

    void clear() {
        std::lock_guard lock(mutex_);
        for (memory_block& block : blocks_) free_block(std::exchange(block, {}));
        bytes_ = 0;
    }

 private:
    std::mutex mutex_;
    std::array<memory_block, most_idle_bytes / huge_page> blocks_;
    size_t bytes_ = 0;
};

idle_blocks& idle() {
    static idle_blocks blocks;
    return blocks;
}

void* allocate(size_t bytes) {
    const auto alignment = static_cast<std::align_val_t>(huge_page);
    if (void* data = ::operator new[](bytes, alignment, std::nothrow)) return data;
    idle().clear();
    return ::operator new[](bytes, alignment);
}

}  // namespace

memory_block take_block(size_t bytes, pages wanted) {
    bytes = (bytes + huge_page - 1) / huge_page * huge_page;
    memory_block block = idle().take(bytes);
    if (block.data != nullptr) return block;
    block = {allocate(bytes), bytes};
    if (wanted == pages::huge) platform::prefer_huge_pages(block.data, bytes);
    return block;
}

void give_back_block(memory_block block) noexcept {
    if (!idle().keep(block)) free_block(block);
}

void free_idle_blocks() noexcept {
    idle().clear();
}

}  // namespace atrous

using namespace atrous;

atrous_status atrous_take_block(int64_t bytes, void** block, int64_t* size) {
    return guard([&] {
        require_not_null(block, "block");
        require_not_null(size, "size");
        if (bytes < 1) throw fail(ATROUS_INVALID_ARGUMENT, "bytes is %lld", static_cast<long long>(bytes));
        if (bytes > INT64_MAX - int64_t{huge_page}) throw std::bad_alloc();
        const memory_block taken = take_block(static_cast<size_t>(bytes), pages::usual);
        *block = taken.data;
        *size = static_cast<int64_t>(taken.bytes);
    });
}

void atrous_give_back_block(void* block, int64_t size) {
    if (block != nullptr) give_back_block({block, static_cast<size_t>(size)});
}

void atrous_release_idle_memory(void) {
    free_idle_blocks();
}
