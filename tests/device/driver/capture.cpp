// Capture: work of the origin stream, and of streams that joined it through events, becomes the nodes of a graph.
#include <algorithm>

#include "context.h"
#include "objects.h"
#include "stream.h"

namespace device {

namespace {

// The captures that go on, each once.
std::set<Capture*> ongoing() {
    std::set<Capture*> captures;
    for (const auto& stream : all_streams())
        if (stream->capture) captures.insert(stream->capture.get());
    return captures;
}

bool captures_blocking_stream() {
    bool found = false;
    for (const auto& stream : all_streams()) {
        if (!stream->capture || !stream->blocking) continue;
        stream->capture->invalidated = true;
        found = true;
    }
    return found;
}

void append(Stream* stream, Work work) {
    auto& nodes = stream->capture->graph->nodes;
    nodes.push_back({std::move(work), stream->tails});
    stream->tails = {nodes.size() - 1};
}

// Whether every node that some member still ends in comes before the origin's end.
bool all_joined(const Capture& capture) {
    const auto& nodes = capture.graph->nodes;
    std::vector<bool> before(nodes.size(), false);
    std::vector<size_t> open = capture.origin->tails;
    while (!open.empty()) {
        size_t node = open.back();
        open.pop_back();
        if (before[node]) continue;
        before[node] = true;
        open.insert(open.end(), nodes[node].after.begin(), nodes[node].after.end());
    }
    return std::all_of(capture.members.begin(), capture.members.end(), [&](Stream* member) {
        return std::all_of(member->tails.begin(), member->tails.end(), [&](size_t node) { return before[node]; });
    });
}

}  // namespace

CUresult submit(Stream* stream, Work work) {
    {
        std::lock_guard lock(capture_mutex());
        if (stream == nullptr) {
            if (captures_blocking_stream()) return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        } else if (stream->capture) {
            if (stream->capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
            append(stream, std::move(work));
            return CUDA_SUCCESS;
        }
    }
    if (stream != nullptr) {
        stream->enqueue([work = std::move(work)] { execute(work); });
        return CUDA_SUCCESS;
    }
    // The default stream is in order with every blocking stream; running at once keeps that order.
    arrive_late();
    for (const auto& other : all_streams())
        if (other->blocking && other->device == current_device()) other->drain();
    execute(work);
    return CUDA_SUCCESS;
}

CUresult record(const std::shared_ptr<Event>& event, Stream* stream) {
    {
        std::lock_guard lock(capture_mutex());
        if (stream == nullptr && captures_blocking_stream()) return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        if (stream != nullptr && stream->capture) {
            if (stream->capture->invalidated) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
            event->capture = stream->capture;
            event->captured = true;
            event->tails = stream->tails;
            return CUDA_SUCCESS;
        }
        event->captured = false;
        event->capture.reset();
    }
    return record_now(event, stream);
}

CUresult wait(Stream* stream, const std::shared_ptr<Event>& event) {
    {
        std::lock_guard lock(capture_mutex());
        std::shared_ptr<Capture> capture = event->capture.lock();
        bool active = capture && capture->origin->capture == capture;
        if (stream != nullptr && stream->capture && (!event->captured || !active)) {
            // Work from outside the capture cannot be waited for inside it.
            stream->capture->invalidated = true;
            return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
        }
        if (event->captured) {
            if (!active) return CUDA_ERROR_CAPTURED_EVENT;
            if (stream == nullptr) return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
            if (stream->capture && stream->capture != capture) return CUDA_ERROR_STREAM_CAPTURE_MERGE;
            if (!stream->capture && atrous_device_is_strict(ATROUS_STRICT_ONE_STREAM)) {
                capture->invalidated = true;
                return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
            }
            stream->capture = capture;
            capture->members.insert(stream);
            for (size_t tail : event->tails)
                if (std::find(stream->tails.begin(), stream->tails.end(), tail) == stream->tails.end())
                    stream->tails.push_back(tail);
            return CUDA_SUCCESS;
        }
    }
    wait_now(stream, event);
    return CUDA_SUCCESS;
}

CUresult begin_capture(Stream* stream, CaptureMode mode) {
    std::lock_guard lock(capture_mutex());
    if (stream == nullptr) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    if (stream->capture) return CUDA_ERROR_INVALID_VALUE;
    auto capture = std::make_shared<Capture>();
    static uint64_t captures = 0;
    capture->number = ++captures;
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->origin = stream;
    capture->members.insert(stream);
    stream->capture = capture;
    stream->tails.clear();
    return CUDA_SUCCESS;
}

CUresult end_capture(Stream* stream, std::shared_ptr<Graph>& graph) {
    std::lock_guard lock(capture_mutex());
    if (stream == nullptr || !stream->capture) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Capture> capture = stream->capture;
    if (capture->origin != stream) return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    if (capture->mode != RELAXED && capture->thread != std::this_thread::get_id())
        return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    CUresult result = capture->invalidated   ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED
                      : all_joined(*capture) ? CUDA_SUCCESS
                                             : CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    for (Stream* member : capture->members) {
        member->tails.clear();
        member->capture.reset();
    }
    if (result == CUDA_SUCCESS) graph = capture->graph;
    return result;
}

CaptureStatus capture_status(Stream* stream) {
    std::lock_guard lock(capture_mutex());
    if (stream == nullptr || !stream->capture) return NONE;
    return stream->capture->invalidated ? INVALIDATED : ACTIVE;
}

uint64_t capture_number(Stream* stream) {
    std::lock_guard lock(capture_mutex());
    return stream == nullptr || !stream->capture ? 0 : stream->capture->number;
}

CUresult refuse_if_captured(Stream* stream) {
    std::lock_guard lock(capture_mutex());
    if (stream == nullptr) return captures_blocking_stream() ? CUDA_ERROR_STREAM_CAPTURE_IMPLICIT : CUDA_SUCCESS;
    if (!stream->capture) return CUDA_SUCCESS;
    stream->capture->invalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

CUresult refuse_during_capture() {
    std::lock_guard lock(capture_mutex());
    bool refused = false;
    for (Capture* capture : ongoing()) {
        if (capture->mode == RELAXED) continue;
        if (capture->mode == THREAD_LOCAL && capture->thread != std::this_thread::get_id()) continue;
        capture->invalidated = refused = true;
    }
    return refused ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : CUDA_SUCCESS;
}

}  // namespace device
