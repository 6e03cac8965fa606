# Windows on x86-64, from Linux: clang with the headers and libraries of g++-mingw-w64-x86-64-posix. Not that g++, which
# keeps 32-byte vectors on stacks that Windows aligns to 16 bytes (GCC bug 54412).
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(ATROUS_TARGET x86_64-w64-mingw32)
include(${CMAKE_CURRENT_LIST_DIR}/clang.cmake)
# Debian has two of them, of which only this one's library has threads; clang before 16 finds neither by itself.
file(GLOB ATROUS_MINGW_GCC /usr/lib/gcc/x86_64-w64-mingw32/*-posix)
list(GET ATROUS_MINGW_GCC -1 ATROUS_MINGW_GCC)
# That library has its thread's variables emulated, as GCC does there: std::call_once would not link without.
set(CMAKE_CXX_FLAGS_INIT
    "-Wno-unused-command-line-argument -femulated-tls -nostdinc++ -nostdlibinc \
-isystem ${ATROUS_MINGW_GCC}/include/c++ -isystem ${ATROUS_MINGW_GCC}/include/c++/x86_64-w64-mingw32 \
-idirafter /usr/x86_64-w64-mingw32/include")
set(ATROUS_MINGW_LINK "-B${ATROUS_MINGW_GCC} -L${ATROUS_MINGW_GCC} -static -pthread")
set(CMAKE_C_FLAGS_INIT "-nostdlibinc -idirafter /usr/x86_64-w64-mingw32/include")
set(CMAKE_EXE_LINKER_FLAGS_INIT ${ATROUS_MINGW_LINK})
set(CMAKE_SHARED_LINKER_FLAGS_INIT ${ATROUS_MINGW_LINK})
find_program(ATROUS_WINE NAMES wine64 wine)
if(ATROUS_WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${ATROUS_WINE})
endif()
