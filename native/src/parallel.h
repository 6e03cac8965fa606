// Threads: a pool that several callers may use at once, and scratch memory that outlives a run.
#ifndef ATROUS_PARALLEL_H
#define ATROUS_PARALLEL_H

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "memory.h"
#include "status.h"

namespace atrous {

struct kernel_table;

// Memory of one participant that stays between runs, so that a warm run allocates nothing.
class scratch {
 public:
    // At least count floats of unspecified value. Invalidates what it returned before.
    float* floats(int64_t count) { return buffer_.reserve(count); }
    // What every run needs is little; one odd picture may need hundreds of megabytes, which are not worth keeping.
    bool is_large() const { return buffer_.capacity() > most_kept; }

 private:
    static constexpr int64_t most_kept = (int64_t{64} << 20) / int64_t{sizeof(float)};

    float_buffer buffer_;
};

// The caller of run() takes part in the work, so a pool of n threads owns n - 1. Idle workers sleep.
class thread_pool {
 public:
    using chunk_body = void (*)(void* context, int64_t chunk, scratch& memory);

    explicit thread_pool(int threads);
    ~thread_pool();

    int threads() const { return static_cast<int>(workers_.size()) + 1; }

    // Between them a caller holds a thread of its own, also where it is in none of the pool's functions.
    void begin_run() { runs_.fetch_add(1, std::memory_order_relaxed); }
    void end_run() { runs_.fetch_sub(1, std::memory_order_relaxed); }

    // Workers that may help: threads that no run has for itself.
    int spare() const { return threads() - std::max(1, runs_.load(std::memory_order_relaxed)); }

    // Calls body once for every chunk in [0, chunks), on any thread, in any order, and returns when all are done.
    // The first exception of a body stops the rest and is thrown here.
    void run(int64_t chunks, chunk_body body, void* context);

    // Scratch memory for a calling thread; goes back to the pool when the lease ends.
    class lease {
     public:
        explicit lease(thread_pool& pool);
        lease(const lease&) = delete;
        lease& operator=(const lease&) = delete;
        ~lease();
        scratch* operator->() { return memory_.get(); }
        scratch& operator*() { return *memory_; }

     private:
        thread_pool& pool_;
        std::unique_ptr<scratch> memory_;
    };

 private:
    struct job;

    void work();
    job* next_job(std::unique_lock<std::mutex>& lock);
    void take_chunks(job& current, scratch& memory);
    void close(job& current);
    void stop();

    std::mutex mutex_;
    std::condition_variable posted_;
    std::condition_variable finished_;
    std::deque<job*> open_;  // jobs that may still have chunks
    std::vector<std::unique_ptr<scratch>> idle_scratch_;
    std::atomic<uint64_t> posts_{0};
    std::atomic<int> runs_{0};
    int sleepers_ = 0;
    int helping_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> workers_;
};

}  // namespace atrous

struct atrous_engine {
    atrous_engine(int threads, const atrous::kernel_table& kernels) : kernels(kernels), pool(threads) {}

    const atrous::kernel_table& kernels;
    atrous::thread_pool pool;
};

namespace atrous {

using engine = atrous_engine;

// Splits [0, count) into runs of at least grain (the last may be shorter) and calls body(begin, end), or
// body(begin, end, scratch&), for each of them, on the engine's threads and this one.
template <class Body>
void parallel_for(engine& on, int64_t count, int64_t grain, Body&& body) {
    if (count <= 0) return;
    constexpr int64_t chunks_per_thread = 64;  // enough that the last ones end together
    const int64_t even = (count + on.pool.threads() * chunks_per_thread - 1) / (on.pool.threads() * chunks_per_thread);
    struct {
        std::remove_reference_t<Body>& body;
        int64_t count, chunk;
    } context{body, count, on.pool.spare() <= 0 ? count : std::max<int64_t>({even, grain, 1})};
    using context_type = decltype(context);
    on.pool.run((count + context.chunk - 1) / context.chunk,
                [](void* opaque, int64_t index, scratch& memory) {
                    auto& c = *static_cast<context_type*>(opaque);
                    const int64_t begin = index * c.chunk, end = std::min(begin + c.chunk, c.count);
                    if constexpr (std::is_invocable_v<Body, int64_t, int64_t, scratch&>) {
                        c.body(begin, end, memory);
                    } else {
                        (void)memory;
                        c.body(begin, end);
                    }
                },
                &context);
}

template <class Body>
void parallel_for(engine& on, int64_t count, Body&& body) {
    parallel_for(on, count, 1, std::forward<Body>(body));
}

}  // namespace atrous

#endif  // ATROUS_PARALLEL_H
