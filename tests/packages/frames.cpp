// Whether this Wine forgets the frame of a handler that leaves an unwinding without returning, as .NET's do. Windows
// has no such frames on x86-64. Exits with 0 where it does, with 1 where the thread's list still has a frame that is
// gone.
#include <windows.h>

#include <cstdint>
#include <cstdio>

namespace {

void* back[5];

// The first word of a thread's block is its list of frames, all of which are in use: none lies below the stack's end.
bool keeps_what_is_gone() {
    uintptr_t list = 0;
    asm volatile("movq %%gs:0, %0" : "=r"(list));
    const auto end = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    std::printf("frames %p, stack %p\n", reinterpret_cast<void*>(list), reinterpret_cast<void*>(end));
    return list != 0 && list < end;
}

}  // namespace

extern "C" EXCEPTION_DISPOSITION leaves(EXCEPTION_RECORD* record, void* frame, CONTEXT*, void*) {
    constexpr DWORD second_pass = 2;
    if (record->ExceptionFlags & second_pass) __builtin_longjmp(back, 1);
    CONTEXT context;
    RtlUnwindEx(frame, nullptr, record, nullptr, &context, nullptr);
    return ExceptionContinueSearch;
}

extern "C" void raises();
asm(R"(
    .seh_proc raises
raises:
    subq $40, %rsp
    .seh_stackalloc 40
    .seh_endprologue
    .seh_handler leaves, @unwind, @except
    movl $0xe0000001, %ecx
    xorl %edx, %edx
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    call *__imp_RaiseException(%rip)
    nop
    addq $40, %rsp
    ret
    .seh_endproc
)");

int main() {
    if (keeps_what_is_gone()) return 2;
    if (__builtin_setjmp(back) == 0) raises();
    return keeps_what_is_gone() ? 1 : 0;
}
