#include "parallel.h"

#include <chrono>

namespace atrous {

namespace {

using clock = std::chrono::steady_clock;

// Layers follow each other within microseconds; a thread that slept in between would cost a wake-up each time.
constexpr auto spin_time = std::chrono::microseconds(40);

// Tells the processor that this thread only waits.
void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

template <class Done>
bool spin_until(Done&& done) {
    const auto end = clock::now() + spin_time;
    do {
        for (int i = 0; i < 16; ++i) {
            if (done()) return true;
            pause();
        }
    } while (clock::now() < end);
    return false;
}

}  // namespace

// Lives on the stack of the thread that called run(); workers may look at it only between joining (under the mutex,
// while it is open) and leaving.
struct thread_pool::job {
    chunk_body body;
    void* context;
    int64_t chunks;
    std::atomic<int64_t> next{0};
    std::atomic<int> helpers{0};
    std::exception_ptr failure;
};

thread_pool::thread_pool(int threads) {
    try {
        for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
    } catch (...) {
        stop();
        throw;
    }
}

thread_pool::~thread_pool() {
    stop();
}

void thread_pool::stop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        posts_.fetch_add(1, std::memory_order_release);
    }
    posted_.notify_all();
    for (auto& worker : workers_) worker.join();
}

thread_pool::lease::lease(thread_pool& pool) : pool_(pool) {
    {
        std::lock_guard lock(pool.mutex_);
        if (!pool.idle_scratch_.empty()) {
            memory_ = std::move(pool.idle_scratch_.back());
            pool.idle_scratch_.pop_back();
        }
    }
    if (memory_ == nullptr) memory_ = std::make_unique<scratch>();
}

thread_pool::lease::~lease() {
    if (memory_->is_large()) return;
    std::lock_guard lock(pool_.mutex_);
    try {
        pool_.idle_scratch_.push_back(std::move(memory_));
    } catch (const std::bad_alloc&) {
        memory_.reset();  // no room to keep it: the next lease allocates anew
    }
}

void thread_pool::run(int64_t chunks, chunk_body body, void* context) {
    lease memory(*this);
    if (chunks <= 1 || spare() <= 0) {
        for (int64_t i = 0; i < chunks; ++i) body(context, i, *memory);
        return;
    }
    job current{.body = body, .context = context, .chunks = chunks, .failure = nullptr};
    bool wake;
    {
        std::lock_guard lock(mutex_);
        open_.push_back(&current);
        posts_.fetch_add(1, std::memory_order_release);
        wake = sleepers_ > 0 && helping_ < spare();
    }
    if (wake) posted_.notify_all();
    take_chunks(current, *memory);
    {
        std::lock_guard lock(mutex_);
        close(current);
    }
    const auto left_alone = [&] { return current.helpers.load(std::memory_order_acquire) == 0; };
    if (!spin_until(left_alone)) {
        std::unique_lock lock(mutex_);
        finished_.wait(lock, left_alone);
    }
    if (current.failure) std::rethrow_exception(current.failure);
}

void thread_pool::take_chunks(job& current, scratch& memory) {
    for (;;) {
        const int64_t chunk = current.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= current.chunks) return;
        try {
            current.body(current.context, chunk, memory);
        } catch (...) {
            std::lock_guard lock(mutex_);
            if (!current.failure) current.failure = std::current_exception();
            current.next.store(current.chunks, std::memory_order_relaxed);
        }
    }
}

void thread_pool::close(job& current) {
    const auto place = std::find(open_.begin(), open_.end(), &current);
    if (place != open_.end()) open_.erase(place);
}

thread_pool::job* thread_pool::next_job(std::unique_lock<std::mutex>& lock) {
    while (!stopping_) {
        if (!open_.empty() && helping_ < spare()) {
            ++helping_;
            job* found = open_.front();
            found->helpers.fetch_add(1, std::memory_order_relaxed);
            return found;
        }
        const uint64_t seen = posts_.load(std::memory_order_relaxed);
        lock.unlock();
        const bool posted = spin_until([&] { return posts_.load(std::memory_order_acquire) != seen; });
        lock.lock();
        if (!posted && posts_.load(std::memory_order_relaxed) == seen) {
            ++sleepers_;
            posted_.wait(lock, [&] { return stopping_ || posts_.load(std::memory_order_relaxed) != seen; });
            --sleepers_;
        }
    }
    return nullptr;
}

void thread_pool::work() {
    scratch memory;
    std::unique_lock lock(mutex_);
    while (job* current = next_job(lock)) {
        lock.unlock();
        take_chunks(*current, memory);
        lock.lock();
        --helping_;
        close(*current);
        // Once the count is down the job may be gone from its caller's stack.
        if (current->helpers.fetch_sub(1, std::memory_order_release) == 1) finished_.notify_all();
    }
}

}  // namespace atrous
