// What one thread's multiply-adds reach when nothing is read or written.
#ifndef ATROUS_BENCH_PEAK_H
#define ATROUS_BENCH_PEAK_H

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstring>

namespace atrous::bench {

template <class Step>
double best_rate(double flops_per_call, Step step) {
    double best = 0;
    for (int round = 0; round < 40; ++round) {
        const auto start = std::chrono::steady_clock::now();
        step();
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
        best = std::max(best, flops_per_call / spent.count());
    }
    return best;
}

constexpr int64_t peak_steps = 200000;

#if defined(__x86_64__)

__attribute__((target("avx512f"))) inline void multiply_avx512() {
    __m512 sum[16];
    for (auto& s : sum) s = _mm512_set1_ps(0.5f);
    const __m512 factor = _mm512_set1_ps(0.999f);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm512_fmadd_ps(s, factor, factor);
    for (auto& s : sum) __asm__ volatile("" ::"v"(s));
}

__attribute__((target("avx2,fma"))) inline void multiply_avx2() {
    __m256 sum[12];
    for (auto& s : sum) s = _mm256_set1_ps(0.5f);
    const __m256 factor = _mm256_set1_ps(0.999f);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm256_fmadd_ps(s, factor, factor);
    for (auto& s : sum) __asm__ volatile("" ::"x"(s));
}

inline void multiply_baseline() {
    __m128 sum[12];
    for (auto& s : sum) s = _mm_set1_ps(0.5f);
    const __m128 factor = _mm_set1_ps(0.999f);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm_add_ps(_mm_mul_ps(s, factor), factor);
    for (auto& s : sum) __asm__ volatile("" ::"x"(s));
}

inline double peak_flops(const char* isa) {
    if (std::strncmp(isa, "avx512", 6) == 0) return best_rate(2.0 * 16 * 16 * peak_steps, multiply_avx512);
    if (std::strncmp(isa, "avx", 3) == 0) return best_rate(2.0 * 8 * 12 * peak_steps, multiply_avx2);
    return best_rate(2.0 * 4 * 12 * peak_steps, multiply_baseline);
}

// The same of uint8 times int8, in int32: VPDPBUSD, or PMADDWD and a sum.
__attribute__((target("avx512f,avx512vnni"))) inline void multiply_bytes_avx512vnni() {
    __m512i sum[16];
    for (auto& s : sum) s = _mm512_set1_epi32(1);
    const __m512i factor = _mm512_set1_epi32(0x01020304);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm512_dpbusd_epi32(s, factor, factor);
    for (auto& s : sum) __asm__ volatile("" ::"v"(s));
}

__attribute__((target("avx2,avxvnni"))) inline void multiply_bytes_avxvnni() {
    __m256i sum[12];
    for (auto& s : sum) s = _mm256_set1_epi32(1);
    const __m256i factor = _mm256_set1_epi32(0x01020304);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 16
        for (auto& s : sum) s = _mm256_dpbusd_avx_epi32(s, factor, factor);
    for (auto& s : sum) __asm__ volatile("" ::"x"(s));
}

__attribute__((target("avx512f,avx512bw"))) inline void multiply_bytes_avx512() {
    __m512i sum[16];
    for (auto& s : sum) s = _mm512_set1_epi32(1);
    __m512i factor = _mm512_set1_epi32(0x00010002);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 16
        for (auto& s : sum) {
            __asm__ volatile("" : "+v"(factor));
            s = _mm512_add_epi32(s, _mm512_madd_epi16(factor, factor));
        }
    for (auto& s : sum) __asm__ volatile("" ::"v"(s));
}

__attribute__((target("avx2"))) inline void multiply_bytes_avx2() {
    __m256i sum[12];
    for (auto& s : sum) s = _mm256_set1_epi32(1);
    __m256i factor = _mm256_set1_epi32(0x00010002);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 16
        for (auto& s : sum) {
            __asm__ volatile("" : "+x"(factor));
            s = _mm256_add_epi32(s, _mm256_madd_epi16(factor, factor));
        }
    for (auto& s : sum) __asm__ volatile("" ::"x"(s));
}

inline void multiply_bytes_baseline() {
    __m128i sum[12];
    for (auto& s : sum) s = _mm_set1_epi32(1);
    __m128i factor = _mm_set1_epi32(0x00010002);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 16
        for (auto& s : sum) {
            __asm__ volatile("" : "+x"(factor));
            s = _mm_add_epi32(s, _mm_madd_epi16(factor, factor));
        }
    for (auto& s : sum) __asm__ volatile("" ::"x"(s));
}

// Products a second.
inline double peak_byte_products(const char* isa) {
    if (std::strcmp(isa, "avx512vnni") == 0 || std::strcmp(isa, "avx512bf16") == 0)
        return best_rate(64.0 * 16 * peak_steps, multiply_bytes_avx512vnni);
    if (std::strcmp(isa, "avxvnni") == 0) return best_rate(32.0 * 12 * peak_steps, multiply_bytes_avxvnni);
    if (std::strcmp(isa, "avx512") == 0) return best_rate(32.0 * 16 * peak_steps, multiply_bytes_avx512);
    if (std::strcmp(isa, "avx2") == 0) return best_rate(16.0 * 12 * peak_steps, multiply_bytes_avx2);
    return best_rate(8.0 * 12 * peak_steps, multiply_bytes_baseline);
}

#elif defined(__aarch64__)

inline void multiply_neon() {
    float32x4_t sum[24];
    for (auto& s : sum) s = vdupq_n_f32(0.5f);
    const float32x4_t factor = vdupq_n_f32(0.999f);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 24
        for (auto& s : sum) s = vfmaq_f32(factor, s, factor);
    for (auto& s : sum) __asm__ volatile("" ::"w"(s));
}

inline double peak_flops(const char*) {
    return best_rate(2.0 * 4 * 24 * peak_steps, multiply_neon);
}

inline void multiply_bytes_neon() {
    int32x4_t sum[24];
    for (auto& s : sum) s = vdupq_n_s32(1);
    const int16x4_t factor = vdup_n_s16(3);
    for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 24
        for (auto& s : sum) s = vmlal_s16(s, factor, factor);
    for (auto& s : sum) __asm__ volatile("" ::"w"(s));
}

inline double peak_byte_products(const char*) {
    return best_rate(4.0 * 24 * peak_steps, multiply_bytes_neon);
}

#endif

}  // namespace atrous::bench

#endif  // ATROUS_BENCH_PEAK_H
