#include <mutex>
#include <queue>
#include <vector>

#include "context.h"
#include "objects.h"
#include "stream.h"

using namespace device;

namespace {

struct UpdateResult {
    int result;
    void *error_node, *error_from_node;
};

enum Update : int { UPDATED = 0, TOPOLOGY_CHANGED = 2, NODE_TYPE_CHANGED = 3 };

Update compare(const std::vector<Node>& old, const std::vector<Node>& now) {
    if (old.size() != now.size()) return TOPOLOGY_CHANGED;
    for (size_t i = 0; i < old.size(); ++i) {
        if (old[i].after != now[i].after) return TOPOLOGY_CHANGED;
        if (old[i].work.kind != now[i].work.kind) return NODE_TYPE_CHANGED;
    }
    return UPDATED;
}

// Every node after those that it waits for; where there is a choice, the later recorded ones first.
std::vector<size_t> latest_first(const std::vector<Node>& nodes) {
    std::vector<size_t> missing(nodes.size()), order;
    std::vector<std::vector<size_t>> followers(nodes.size());
    std::priority_queue<size_t> ready;
    for (size_t i = 0; i < nodes.size(); ++i) {
        missing[i] = nodes[i].after.size();
        for (size_t other : nodes[i].after) followers[other].push_back(i);
        if (missing[i] == 0) ready.push(i);
    }
    while (!ready.empty()) {
        size_t next = ready.top();
        ready.pop();
        order.push_back(next);
        for (size_t follower : followers[next])
            if (--missing[follower] == 0) ready.push(follower);
    }
    return order;
}

}  // namespace

DRIVER_API cuGraphDestroy(Graph* graph) {
    return freed(Objects<Graph>::remove(graph) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE);
}

DRIVER_API cuGraphGetNodes(Graph* graph, void** nodes, size_t* count) {
    std::shared_ptr<Graph> alive = Objects<Graph>::find(graph);
    if (!alive || count == nullptr) return CUDA_ERROR_INVALID_VALUE;
    for (size_t i = 0; nodes != nullptr && i < *count; ++i)
        nodes[i] = i < alive->nodes.size() ? &alive->nodes[i] : nullptr;
    *count = alive->nodes.size();
    return CUDA_SUCCESS;
}

DRIVER_API cuGraphInstantiateWithFlags(GraphExec** executable, Graph* graph, unsigned long long flags) {
    READY();
    std::shared_ptr<Graph> alive = Objects<Graph>::find(graph);
    if (!alive || flags > 15) return CUDA_ERROR_INVALID_VALUE;
    auto made = std::make_shared<GraphExec>();
    made->nodes = std::make_shared<const std::vector<Node>>(alive->nodes);
    *executable = Objects<GraphExec>::add(made);
    return CUDA_SUCCESS;
}

DRIVER_API cuGraphExecUpdate_v2(GraphExec* executable, Graph* graph, UpdateResult* info) {
    READY();
    std::shared_ptr<GraphExec> alive = Objects<GraphExec>::find(executable);
    std::shared_ptr<Graph> source = Objects<Graph>::find(graph);
    if (!alive || !source) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(alive->mutex);
    *info = {compare(*alive->nodes, source->nodes), nullptr, nullptr};
    if (info->result != UPDATED) return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
    alive->nodes = std::make_shared<const std::vector<Node>>(source->nodes);
    return CUDA_SUCCESS;
}

DRIVER_API cuGraphUpload(GraphExec* executable, Stream* stream) {
    READY();
    if (!Objects<GraphExec>::find(executable) || (stream != nullptr && !Objects<Stream>::find(stream)))
        return CUDA_ERROR_INVALID_VALUE;
    return CUDA_SUCCESS;
}

DRIVER_API cuGraphLaunch(GraphExec* executable, Stream* stream) {
    READY();
    std::shared_ptr<GraphExec> alive = Objects<GraphExec>::find(executable);
    std::shared_ptr<Stream> kept = Objects<Stream>::find(stream);
    if (!alive || (stream != nullptr && (!kept || is_foreign(kept->device)))) return CUDA_ERROR_INVALID_VALUE;
    // The nodes as they are now: an update after this launch does not change it. Every node comes after those it waits
    // for.
    std::shared_ptr<const std::vector<Node>> nodes;
    {
        std::lock_guard lock(alive->mutex);
        nodes = alive->nodes;
    }
    return submit(stream, {NodeKind::GRAPH, "graph", [alive, nodes] {
                               std::lock_guard lock(alive->mutex);
                               if (atrous_device_is_strict(ATROUS_STRICT_BRANCHES)) {
                                   for (size_t i : latest_first(*nodes)) execute((*nodes)[i].work);
                                   return CUDA_SUCCESS;
                               }
                               for (const Node& node : *nodes) execute(node.work);
                               return CUDA_SUCCESS;
                           }});
}

DRIVER_API cuGraphExecDestroy(GraphExec* executable) {
    RELEASING();
    return freed(Objects<GraphExec>::remove(executable) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE);
}
