#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "dispatch.h"
#include "environment.h"
#include "parallel.h"

namespace atrous {
namespace {

using tests::scoped_variable;

TEST(Engine, CreatesWithTheThreadsAskedForAndCountsItsHandle) {
    const int64_t before = atrous_live_handles();
    atrous_engine* engine = nullptr;
    ASSERT_EQ(atrous_engine_create(3, &engine), ATROUS_OK);
    EXPECT_EQ(atrous_engine_threads(engine), 3);
    EXPECT_EQ(atrous_live_handles(), before + 1);
    atrous_engine_destroy(engine);
    EXPECT_EQ(atrous_live_handles(), before);
    atrous_engine_destroy(nullptr);
    EXPECT_EQ(atrous_live_handles(), before);
}

TEST(Engine, RefusesBadThreadCountsAndNull) {
    atrous_engine* engine = nullptr;
    EXPECT_EQ(atrous_engine_create(-1, &engine), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "threads is -1; use 1 to 1024, or 0 for one per core");
    EXPECT_EQ(engine, nullptr);
    EXPECT_EQ(atrous_engine_create(1, nullptr), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "engine is null");
}

TEST(Engine, TakesTheIsaThatTheEnvironmentNames) {
    for (const kernel_table* table : available_kernels()) {
        const scoped_variable isa("ATROUS_ISA", table->isa);
        atrous_engine* engine = nullptr;
        ASSERT_EQ(atrous_engine_create(1, &engine), ATROUS_OK);
        EXPECT_STREQ(atrous_engine_isa(engine), table->isa);
        atrous_engine_destroy(engine);
    }
    const scoped_variable isa("ATROUS_ISA", "sse9");
    atrous_engine* engine = nullptr;
    EXPECT_EQ(atrous_engine_create(1, &engine), ATROUS_UNSUPPORTED);
    EXPECT_STREQ(atrous_last_error(),
                 "ATROUS_ISA=sse9 is not known; use "
#if defined(ATROUS_BASELINE_ONLY)
                 "baseline");
#elif defined(__x86_64__)
                 "baseline, avx2, avxvnni, avx512, avx512vnni or avx512bf16");
#else
                 "baseline, neon or neonbf16");
#endif
}

TEST(Status, GuardTurnsExceptionsIntoStatuses) {
    EXPECT_EQ(guard([] { throw fail(ATROUS_TOO_LARGE, "row %d is cut", 7); }), ATROUS_TOO_LARGE);
    EXPECT_STREQ(atrous_last_error(), "row 7 is cut");
    EXPECT_EQ(guard([] { throw std::bad_alloc(); }), ATROUS_OUT_OF_MEMORY);
    EXPECT_EQ(guard([] { throw std::runtime_error("odd"); }), ATROUS_INTERNAL);
    EXPECT_EQ(guard([] { throw 1; }), ATROUS_INTERNAL);
}

TEST(Status, LongMessagesAreCutBetweenCharacters) {
    const std::string message = std::string(510, 'a') + "\xC3\xA9tail";
    set_last_error(ATROUS_INTERNAL, message.c_str());
    EXPECT_EQ(std::string(atrous_last_error()), std::string(510, 'a'));
}

TEST(Status, MessagesBelongToTheirThread) {
    set_last_error(ATROUS_INTERNAL, "mine");
    std::thread([] { EXPECT_STREQ(atrous_last_error(), ""); }).join();
    EXPECT_STREQ(atrous_last_error(), "mine");
}

TEST(Parallel, VisitsEveryItemOnce) {
    for (int threads : {1, 2, 5}) {
        engine on(threads, *available_kernels().back());
        for (int64_t count : {0, 1, 2, 7, 1000}) {
            std::vector<std::atomic<int>> visits(count);
            parallel_for(on, count, [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; ++i) ++visits[i];
            });
            for (auto& n : visits) EXPECT_EQ(n, 1);
        }
    }
}

TEST(Parallel, ServesManyCallersAtOnce) {
    engine on(3, *available_kernels().back());
    std::atomic<int64_t> total{0};
    std::vector<std::thread> callers;
    for (int c = 0; c < 6; ++c) {
        callers.emplace_back([&] {
            for (int round = 0; round < 300; ++round) {
                std::atomic<int64_t> sum{0};
                parallel_for(on, 64, [&](int64_t begin, int64_t end, scratch& memory) {
                    float* own = memory.floats(64);
                    for (int64_t i = begin; i < end; ++i) own[i] = static_cast<float>(i);
                    for (int64_t i = begin; i < end; ++i) sum += static_cast<int64_t>(own[i]);
                });
                total += sum;
            }
        });
    }
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(total, 6 * 300 * (63 * 64 / 2));
}

TEST(Parallel, ARunOfManyIsItsCallersAlone) {
    engine on(3, *available_kernels().back());
    for (int i = 0; i < 3; ++i) atrous_engine_begin_run(&on);
    std::atomic<int> elsewhere{0};
    const auto caller = std::this_thread::get_id();
    for (int round = 0; round < 50; ++round) {
        parallel_for(on, 256, [&](int64_t, int64_t) { elsewhere += std::this_thread::get_id() != caller; });
    }
    EXPECT_EQ(elsewhere, 0);
    atrous_engine_end_run(&on);
    // One of the threads is nobody's now.
    std::atomic<bool> helped{false};
    for (int round = 0; round < 1000 && !helped; ++round) {
        parallel_for(on, 256, [&](int64_t, int64_t) {
            if (std::this_thread::get_id() != caller) helped = true;
            std::this_thread::sleep_for(std::chrono::microseconds(20));
        });
    }
    EXPECT_TRUE(helped);
    for (int i = 0; i < 2; ++i) atrous_engine_end_run(&on);
    atrous_engine_begin_run(nullptr);
    atrous_engine_end_run(nullptr);
}

TEST(Parallel, WakesSleepingWorkers) {
    engine on(2, *available_kernels().back());
    for (int round = 0; round < 20; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        std::atomic<int> done{0};
        parallel_for(on, 16, [&](int64_t begin, int64_t end) { done += static_cast<int>(end - begin); });
        EXPECT_EQ(done, 16);
    }
}

TEST(Parallel, ThrowsAWorkersExceptionAtTheCaller) {
    engine on(3, *available_kernels().back());
    const auto throws = [&] {
        parallel_for(on, 100, [](int64_t begin, int64_t) {
            if (begin > 50) throw fail(ATROUS_TOO_LARGE, "too much");
        });
    };
    EXPECT_EQ(guard(throws), ATROUS_TOO_LARGE);
    EXPECT_STREQ(atrous_last_error(), "too much");
    EXPECT_EQ(guard([&] { parallel_for(on, 10, [](int64_t, int64_t) {}); }), ATROUS_OK);
}

}  // namespace
}  // namespace atrous
