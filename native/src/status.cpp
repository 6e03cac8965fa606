#include "status.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace atrous {

std::atomic<int64_t> handle_count{0};

namespace {

// A fixed buffer, so that running out of memory can still be reported.
thread_local char last_error[512] = "";

}  // namespace

error fail(atrous_status status, const char* format, ...) {
    char message[sizeof(last_error)];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return error(status, message);
}

void require_not_null(const void* pointer, const char* name) {
    if (pointer == nullptr) throw fail(ATROUS_INVALID_ARGUMENT, "%s is null", name);
}

atrous_status set_last_error(atrous_status status, const char* message) noexcept {
    size_t length = strnlen(message, sizeof(last_error) - 1);
    // A cut must not split a UTF-8 sequence: step back over continuation bytes.
    if (message[length] != '\0') {
        while (length > 0 && (static_cast<unsigned char>(message[length]) & 0xC0) == 0x80) --length;
    }
    std::memcpy(last_error, message, length);
    last_error[length] = '\0';
    return status;
}

atrous_status status_of_current_exception() noexcept {
    try {
        throw;
    } catch (const error& e) {
        return set_last_error(e.status(), e.what());
    } catch (const std::bad_alloc&) {
        return set_last_error(ATROUS_OUT_OF_MEMORY, "out of memory");
    } catch (const std::system_error& e) {
        // Only starting a thread throws this: the system has no room for another.
        return set_last_error(ATROUS_OUT_OF_MEMORY, e.what());
    } catch (const std::exception& e) {
        return set_last_error(ATROUS_INTERNAL, e.what());
    } catch (...) {
        return set_last_error(ATROUS_INTERNAL, "unknown exception inside libatrous");
    }
}

}  // namespace atrous

const char* atrous_last_error(void) {
    return atrous::last_error;
}

int64_t atrous_live_handles(void) {
    return atrous::handle_count.load(std::memory_order_relaxed);
}
