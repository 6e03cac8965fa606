#include "context.h"
#include "faults.h"
#include "objects.h"
#include "stream.h"

using namespace device;

#define STREAM(handle)                                             \
    READY();                                                       \
    std::shared_ptr<Stream> alive = Objects<Stream>::find(handle); \
    if ((handle) != nullptr && (!alive || is_foreign(alive->device))) return CUDA_ERROR_INVALID_HANDLE
#define WAITED_STREAM(handle)                                      \
    RELEASING();                                                   \
    std::shared_ptr<Stream> alive = Objects<Stream>::find(handle); \
    if ((handle) != nullptr && !alive) return CUDA_ERROR_INVALID_HANDLE
#define EVENT(name, handle)                                     \
    std::shared_ptr<Event> name = Objects<Event>::find(handle); \
    if (!name) return CUDA_ERROR_INVALID_HANDLE

DRIVER_API cuStreamCreateWithPriority(Stream** stream, unsigned flags, int) {
    READY();
    if (flags > STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;
    *stream = Objects<Stream>::add(std::make_shared<Stream>(flags != STREAM_NON_BLOCKING, current_device()));
    return CUDA_SUCCESS;
}

DRIVER_API cuStreamDestroy_v2(Stream* stream) {
    RELEASING();
    std::shared_ptr<Stream> alive = Objects<Stream>::remove(stream);
    if (!alive) return CUDA_ERROR_INVALID_HANDLE;
    std::lock_guard lock(capture_mutex());
    std::shared_ptr<Capture> capture = alive->capture;
    if (!capture) return freed(CUDA_SUCCESS);
    capture->invalidated = true;
    capture->members.erase(stream);
    if (capture->origin != stream) return freed(CUDA_SUCCESS);
    // Nobody can end this capture any more.
    for (Stream* member : capture->members) member->capture.reset();
    alive->capture.reset();
    return freed(CUDA_SUCCESS);
}

DRIVER_API cuStreamSynchronize(Stream* stream) {
    WAITED_STREAM(stream);
    if (CUresult refused = refuse_if_captured(stream); refused != CUDA_SUCCESS) return refused;
    if (stream == nullptr) {
        arrive_late();
        for (const auto& other : all_streams())
            if (other->blocking && other->device == current_device()) other->drain();
    } else {
        stream->drain();
    }
    return freed(sticky());
}

DRIVER_API cuStreamQuery(Stream* stream) {
    STREAM(stream);
    if (CUresult refused = refuse_if_captured(stream); refused != CUDA_SUCCESS) return refused;
    if (stream != nullptr && !stream->idle()) return CUDA_ERROR_NOT_READY;
    return sticky();
}

DRIVER_API cuStreamWaitEvent(Stream* stream, Event* event, unsigned flags) {
    STREAM(stream);
    EVENT(awaited, event);
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    return wait(stream, awaited);
}

DRIVER_API cuStreamBeginCapture_v2(Stream* stream, int mode) {
    STREAM(stream);
    if (mode < GLOBAL || mode > RELAXED) return CUDA_ERROR_INVALID_VALUE;
    return begin_capture(stream, static_cast<CaptureMode>(mode));
}

DRIVER_API cuStreamEndCapture(Stream* stream, Graph** graph) {
    WAITED_STREAM(stream);
    *graph = nullptr;
    std::shared_ptr<Graph> captured;
    CUresult result = freed(end_capture(stream, captured));
    if (result == CUDA_SUCCESS) *graph = Objects<Graph>::add(captured);
    return result;
}

DRIVER_API cuStreamIsCapturing(Stream* stream, int* status) {
    STREAM(stream);
    *status = capture_status(stream);
    return CUDA_SUCCESS;
}

DRIVER_API cuEventCreate(Event** event, unsigned flags) {
    READY();
    if (flags > 3) return CUDA_ERROR_INVALID_VALUE;
    *event = Objects<Event>::add(std::make_shared<Event>(flags));
    return CUDA_SUCCESS;
}

DRIVER_API cuEventDestroy_v2(Event* event) {
    RELEASING();
    return freed(Objects<Event>::remove(event) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE);
}

DRIVER_API cuEventRecord(Event* event, Stream* stream) {
    STREAM(stream);
    EVENT(recorded, event);
    return record(recorded, stream);
}

DRIVER_API cuEventSynchronize(Event* event) {
    RELEASING();
    EVENT(awaited, event);
    if (!is_waitable(*awaited)) return CUDA_ERROR_CAPTURED_EVENT;
    std::unique_lock lock(awaited->mutex);
    uint64_t ticket = awaited->recorded;
    awaited->changed.wait(lock, [&] { return awaited->reached >= ticket; });
    return freed(sticky());
}

DRIVER_API cuEventQuery(Event* event) {
    READY();
    EVENT(queried, event);
    if (!is_waitable(*queried)) return CUDA_ERROR_CAPTURED_EVENT;
    std::lock_guard lock(queried->mutex);
    return queried->reached >= queried->recorded ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

DRIVER_API cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
    READY();
    EVENT(first, start);
    EVENT(last, end);
    if (!is_waitable(*first) || !is_waitable(*last)) return CUDA_ERROR_CAPTURED_EVENT;
    if (first == last) {
        *milliseconds = 0;
        return CUDA_SUCCESS;
    }
    std::scoped_lock lock(first->mutex, last->mutex);
    if (!first->timed || !last->timed || first->recorded == 0 || last->recorded == 0) return CUDA_ERROR_INVALID_HANDLE;
    if (first->reached < first->recorded || last->reached < last->recorded) return CUDA_ERROR_NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(last->time - first->time).count();
    return CUDA_SUCCESS;
}

DRIVER_API cuEventElapsedTime_v2(float* milliseconds, Event* start, Event* end) {
    return cuEventElapsedTime(milliseconds, start, end);
}

uint64_t atrous_device_capture_of(void* stream) {
    std::shared_ptr<Stream> alive = Objects<Stream>::find(static_cast<Stream*>(stream));
    return alive ? capture_number(alive.get()) : 0;
}

int atrous_device_submit(void* stream, const char* label, const atrous_device_work* work) {
    auto* handle = static_cast<Stream*>(stream);
    WAITED_STREAM(handle);
    // Shared by all copies of the work, so that the state goes exactly when the last graph does.
    std::shared_ptr<void> state(work->state, work->drop);
    auto* run = work->run;
    return submit(handle, {NodeKind::KERNEL, label,
                           [state, run] { return run(state.get()) ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS; }});
}
