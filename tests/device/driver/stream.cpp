#include "stream.h"

#include <algorithm>

#include "context.h"
#include "objects.h"

namespace device {

Stream::~Stream() {
    if (!worker_.joinable()) return;
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    worker_.join();
}

void Stream::enqueue(std::function<void()> item) {
    {
        std::lock_guard lock(mutex_);
        items_.push_back(std::move(item));
        if (!worker_.joinable()) worker_ = std::thread(&Stream::work, this);
    }
    changed_.notify_all();
}

void Stream::drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return items_.empty() && !busy_; });
}

bool Stream::idle() {
    std::lock_guard lock(mutex_);
    return items_.empty() && !busy_;
}

// Runs until it is told to stop and nothing is left.
void Stream::work() {
    run_for(device);
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return stopping_ || !items_.empty(); });
        if (items_.empty()) return;
        {
            std::function<void()> item = std::move(items_.front());
            items_.pop_front();
            busy_ = true;
            lock.unlock();
            item();
        }
        lock.lock();
        busy_ = false;
        changed_.notify_all();
    }
}

void execute(const Work& work) {
    // As on a real device: after a fault nothing more runs in the context.
    if (sticky() != CUDA_SUCCESS) return;
    delay_work();
    CUresult result = idles() ? CUDA_SUCCESS : work.run();
    count_executed();
    if (result == CUDA_SUCCESS) return;
    report(work.label + " failed while it ran");
    set_sticky(result);
}

std::vector<std::shared_ptr<Stream>> all_streams() {
    return Objects<Stream>::all();
}

void drain_all(int device) {
    for (const auto& stream : all_streams())
        if (stream->device == device) stream->drain();
}

bool is_waitable(Event& event) {
    std::lock_guard lock(capture_mutex());
    return !event.captured;
}

CUresult record_now(const std::shared_ptr<Event>& event, Stream* stream) {
    uint64_t ticket;
    {
        std::lock_guard lock(event->mutex);
        ticket = ++event->recorded;
    }
    auto mark = [event, ticket] {
        {
            std::lock_guard lock(event->mutex);
            event->reached = std::max(event->reached, ticket);
            event->time = std::chrono::steady_clock::now();
        }
        event->changed.notify_all();
    };
    if (stream != nullptr) {
        stream->enqueue(mark);
        return CUDA_SUCCESS;
    }
    for (const auto& other : all_streams())
        if (other->blocking && other->device == current_device()) other->drain();
    mark();
    return CUDA_SUCCESS;
}

void wait_now(Stream* stream, const std::shared_ptr<Event>& event) {
    uint64_t ticket;
    {
        std::lock_guard lock(event->mutex);
        ticket = event->recorded;
    }
    auto wait = [event, ticket] {
        std::unique_lock lock(event->mutex);
        event->changed.wait(lock, [&] { return event->reached >= ticket; });
    };
    if (stream != nullptr)
        stream->enqueue(wait);
    else
        wait();
}

}  // namespace device
