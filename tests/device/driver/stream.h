// Streams and events, and the capture of work into graphs.
#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "faults.h"
#include "types.h"

namespace device {

enum class NodeKind { KERNEL, COPY, FILL, GRAPH };

// One piece of work. It is copied into graphs, so it may run many times.
struct Work {
    NodeKind kind;
    std::string label;
    std::function<CUresult()> run;
};

struct Node {
    Work work;
    std::vector<size_t> after;
};

struct Graph : Counted<ATROUS_DEVICE_GRAPHS> {
    std::vector<Node> nodes;
};

struct GraphExec : Counted<ATROUS_DEVICE_GRAPH_EXECS> {
    std::mutex mutex;  // launches of one executable run one after another
    std::shared_ptr<const std::vector<Node>> nodes;
};

// A recording that goes on: the origin stream and those that joined it through events.
struct Capture {
    std::shared_ptr<Graph> graph = std::make_shared<Graph>();
    CaptureMode mode;
    std::thread::id thread;
    Stream* origin;
    std::set<Stream*> members;
    uint64_t number = 0;
    bool invalidated = false;
};

struct Stream : Counted<ATROUS_DEVICE_STREAMS> {
    Stream(bool blocking, int device) : blocking(blocking), device(device) {}
    ~Stream();

    const bool blocking;
    const int device;
    // Under the capture mutex of stream.cpp:
    std::shared_ptr<Capture> capture;
    std::vector<size_t> tails;

    void enqueue(std::function<void()> item);
    void drain();
    bool idle();

 private:
    void work();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> items_;
    bool busy_ = false, stopping_ = false;
    std::thread worker_;  // started by the first item
};

struct Event : Counted<ATROUS_DEVICE_EVENTS> {
    explicit Event(unsigned flags) : timed((flags & EVENT_DISABLE_TIMING) == 0) {}

    const bool timed;
    std::mutex mutex;
    std::condition_variable changed;
    uint64_t recorded = 0, reached = 0;
    std::chrono::steady_clock::time_point time;
    // Under the capture mutex: where it was recorded last, if that was a capture.
    std::weak_ptr<Capture> capture;
    bool captured = false;
    std::vector<size_t> tails;
};

// Puts work into a stream (null: the default stream), or into its graph while it is captured.
CUresult submit(Stream* stream, Work work);
// Runs one piece of work now and makes its failure sticky.
void execute(const Work& work);

CUresult record(const std::shared_ptr<Event>& event, Stream* stream);
// The same outside a capture.
CUresult record_now(const std::shared_ptr<Event>& event, Stream* stream);
void wait_now(Stream* stream, const std::shared_ptr<Event>& event);
CUresult wait(Stream* stream, const std::shared_ptr<Event>& event);
// False while the event's last record is part of a capture.
bool is_waitable(Event& event);

CUresult begin_capture(Stream* stream, CaptureMode mode);
CUresult end_capture(Stream* stream, std::shared_ptr<Graph>& graph);
CaptureStatus capture_status(Stream* stream);
// Of the capture that a stream is part of, counted from 1; 0 for none.
uint64_t capture_number(Stream* stream);
// For calls that wait for a stream: captured work never ends. Invalidates the capture.
CUresult refuse_if_captured(Stream* stream);
// For calls that wait or allocate whatever the stream: refused while a capture of a strict mode goes on.
CUresult refuse_during_capture();

// Lets the copies from pageable memory that the default stream still owes come into memory.
void arrive_late();

std::vector<std::shared_ptr<Stream>> all_streams();
void drain_all(int device);

}  // namespace device
