#include "block_cache.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <utility>

#include "atrous.h"
#include "crf/big_array.h"

namespace atrous {
namespace {

constexpr int64_t large = int64_t{3} << 20;  // bytes: two huge pages

TEST(BlockCache, GivesABlockBackToTheNextThatFits) {
    const uint8_t* first = nullptr;
    {
        big_array<uint8_t> a(large);
        first = a.data();
    }
    const big_array<uint8_t> b(large + 1000);
    EXPECT_EQ(b.data(), first);
}

TEST(BlockCache, NeverGivesLessThanAskedFor) {
    { const big_array<uint8_t> small(large); }
    big_array<uint8_t> big(large * 4);
    std::memset(big.data(), 1, large * 4);
    const memory_block block = take_block(large * 2, pages::huge);
    EXPECT_GE(block.bytes, static_cast<size_t>(large) * 2);
    give_back_block(block);
}

TEST(BlockCache, GivesItsMemoryBackWhenAskedTo) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ATROUS_TESTS_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(ATROUS_TESTS_ASAN)
    GTEST_SKIP() << "AddressSanitizer keeps what is freed";
#endif
    { const big_array<uint8_t> kept(large); }
    atrous_release_idle_memory();
    const auto resident = [] {
        std::ifstream file("/proc/self/statm");
        int64_t all = 0, pages = 0;
        file >> all >> pages;
        return pages * 4096;
    };
    constexpr int64_t much = int64_t{48} << 20;
    const int64_t before = resident();
    { big_array<uint8_t> used(much, 1); }
    if (before == 0) GTEST_SKIP() << "resident memory is read from /proc";
    EXPECT_GE(resident() - before, much / 2);
    atrous_release_idle_memory();
    EXPECT_LE(resident() - before, much / 2);
    atrous_release_idle_memory();
}

TEST(BlockCache, IsTheCallersTooThroughTheAbi) {
    void *first = nullptr, *second = nullptr;
    int64_t size = 0;
    ASSERT_EQ(atrous_take_block(large, &first, &size), ATROUS_OK);
    EXPECT_GE(size, large);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % huge_page, 0u);
    std::memset(first, 1, static_cast<size_t>(size));
    atrous_give_back_block(first, size);
    ASSERT_EQ(atrous_take_block(large, &second, &size), ATROUS_OK);
    EXPECT_EQ(second, first);
    atrous_give_back_block(second, size);
    atrous_give_back_block(nullptr, 0);
    EXPECT_EQ(atrous_take_block(0, &first, &size), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_take_block(large, nullptr, &size), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_take_block(INT64_MAX, &first, &size), ATROUS_OUT_OF_MEMORY);
    atrous_release_idle_memory();
}

TEST(BlockCache, BlocksInUseAreDistinct) {
    big_array<uint8_t> a(large, 1), b(large, 2);
    EXPECT_EQ(a[large - 1], 1);
    EXPECT_EQ(b[0], 2);
    a = std::move(b);
    EXPECT_EQ(a[0], 2);
}

}  // namespace
}  // namespace atrous
