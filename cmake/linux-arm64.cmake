# Linux on ARM64, from another Linux: clang with the C and C++ library of g++-aarch64-linux-gnu. GCC 12 would do, but it
# lays the sums of a convolution's inner loop on the stack.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(ATROUS_TARGET aarch64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/clang.cmake)
find_program(ATROUS_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(ATROUS_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${ATROUS_QEMU} -L /usr/aarch64-linux-gnu)
endif()
