// How an error travels: thrown as atrous::error inside, turned into an atrous_status and a message at the ABI wall.
#ifndef ATROUS_STATUS_H
#define ATROUS_STATUS_H

#include <atomic>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "atrous.h"

namespace atrous {

class error : public std::exception {
 public:
    error(atrous_status status, std::string message) : status_(status), message_(std::move(message)) {}
    atrous_status status() const { return status_; }
    const char* what() const noexcept override { return message_.c_str(); }

 private:
    atrous_status status_;
    std::string message_;
};

// printf-style, for messages that name the numbers: throw fail(ATROUS_INVALID_ARGUMENT, "height is %d", height).
[[nodiscard]] error fail(atrous_status status, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Throws ATROUS_INVALID_ARGUMENT naming the argument when it is null.
void require_not_null(const void* pointer, const char* name);

// Handles created and not yet destroyed, of all kinds. Whoever creates or destroys one counts it here.
extern std::atomic<int64_t> handle_count;

// Remembers the message of a failure for atrous_last_error on this thread, and hands the status back. Allocates
// nothing.
atrous_status set_last_error(atrous_status status, const char* message) noexcept;

// Turns the exception in flight into a status. Only from a catch block.
atrous_status status_of_current_exception() noexcept;

// The ABI wall: no exception passes it.
template <class Body>
atrous_status guard(Body&& body) noexcept {
    try {
        std::forward<Body>(body)();
        return ATROUS_OK;
    } catch (...) {
        return status_of_current_exception();
    }
}

}  // namespace atrous

#endif  // ATROUS_STATUS_H
