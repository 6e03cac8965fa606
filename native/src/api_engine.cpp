#include "dispatch.h"
#include "parallel.h"
#include "platform/platform.h"

using namespace atrous;

namespace {

constexpr int32_t most_threads = 1024;

int usable_cores() {
    const int cores = platform::usable_cores();
    return std::clamp(cores > 0 ? cores : static_cast<int>(std::thread::hardware_concurrency()), 1, most_threads);
}

}  // namespace

atrous_status atrous_engine_create(int32_t threads, atrous_engine** engine) {
    return guard([&] {
        require_not_null(engine, "engine");
        *engine = nullptr;
        if (threads < 0 || threads > most_threads) {
            throw fail(ATROUS_INVALID_ARGUMENT, "threads is %d; use 1 to %d, or 0 for one per core", threads,
                       most_threads);
        }
        *engine = new atrous_engine(threads == 0 ? usable_cores() : threads, pick_kernels());
        ++handle_count;
    });
}

void atrous_engine_destroy(atrous_engine* engine) {
    if (engine == nullptr) return;
    delete engine;
    --handle_count;
}

const char* atrous_engine_isa(const atrous_engine* engine) {
    return engine == nullptr ? "" : engine->kernels.isa;
}

atrous_status atrous_engine_require_bfloat16(const atrous_engine* engine) {
    return guard([&] {
        require_not_null(engine, "engine");
        require_bf16_products(engine->kernels);
    });
}

int32_t atrous_engine_threads(const atrous_engine* engine) {
    return engine == nullptr ? 0 : engine->pool.threads();
}

void atrous_engine_begin_run(atrous_engine* engine) {
    if (engine != nullptr) engine->pool.begin_run();
}

void atrous_engine_end_run(atrous_engine* engine) {
    if (engine != nullptr) engine->pool.end_run();
}
