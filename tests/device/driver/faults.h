// What went wrong, what shall go wrong, and what is alive.
#pragma once
#include <string>

#include "../include/atrous_device.h"
#include "types.h"

namespace device {

// A live object of a kind: counted as long as it lives.
template <atrous_device_object Kind>
struct Counted {
    Counted();
    ~Counted();
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
};
void count(atrous_device_object kind, int64_t change);

template <atrous_device_object Kind>
Counted<Kind>::Counted() {
    count(Kind, 1);
}
template <atrous_device_object Kind>
Counted<Kind>::~Counted() {
    count(Kind, -1);
}

void report(const std::string& text);
// An error of work that ran later: every call to the device fails with it from then on, as on a real one. The device is
// the one whose context is current, or whose work the thread runs.
void set_sticky(CUresult error);
CUresult sticky();

bool allocation_fails();
// The log of the compilation that shall fail; empty when none shall.
std::string failing_jit();
int driver_version();
int capability();
int device_count();
// Whether a call is to fail, so that what frees cannot rely on a context that is current.
bool expects_failure();
void delay_work();
// Whether work is only counted.
bool idles();
// Counts a piece of the device's work, after which the device may be lost.
void count_executed();

}  // namespace device
