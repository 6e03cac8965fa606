#include "dispatch.h"

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "platform/platform.h"
#include "status.h"

namespace atrous {

// kernels/table.cpp, once for each.
#define ATROUS_TABLE_OF(isa)         \
    namespace isa {                  \
    extern const kernel_table table; \
    }
ATROUS_TABLE_OF(baseline)
#if defined(ATROUS_BASELINE_ONLY)
#elif defined(__x86_64__)
ATROUS_TABLE_OF(avx2)
ATROUS_TABLE_OF(avxvnni)
ATROUS_TABLE_OF(avx512)
ATROUS_TABLE_OF(avx512vnni)
ATROUS_TABLE_OF(avx512bf16)
#elif defined(__aarch64__)
ATROUS_TABLE_OF(neon)
ATROUS_TABLE_OF(neonbf16)
#endif
#undef ATROUS_TABLE_OF

namespace {

#if defined(__x86_64__) && !defined(ATROUS_BASELINE_ONLY)

struct x86_features {
    bool avx2 = false, avxvnni = false, avx512 = false, avx512vnni = false, avx512bf16 = false;
};

// Of the processor itself: not every compiler has a word for the newer ones, nor a library that knows them. Registers
// that the operating system does not save (XCR0) may not be used.
x86_features ask_processor() {
    const auto bit = [](unsigned bits, int place) { return (bits >> place & 1) != 0; };
    x86_features has;
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !bit(ecx, 27)) return has;  // OSXSAVE
    const bool fma_and_f16c = bit(ecx, 12) && bit(ecx, 29);
    unsigned saved;
    asm volatile("xgetbv" : "=a"(saved) : "c"(0) : "edx");
    unsigned subleaves;
    if (!__get_cpuid_count(7, 0, &subleaves, &ebx, &ecx, &edx)) return has;
    has.avx2 = fma_and_f16c && bit(ebx, 5) && (saved & 0x06) == 0x06;
    has.avx512 = has.avx2 && bit(ebx, 16) && bit(ebx, 17) && bit(ebx, 30) && bit(ebx, 31) && (saved & 0xe6) == 0xe6;
    has.avx512vnni = has.avx512 && bit(ecx, 11);
    if (subleaves < 1 || !__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) return has;
    has.avxvnni = has.avx2 && bit(eax, 4);
    // Its kernels use both: every processor with the one has the other.
    has.avx512bf16 = has.avx512vnni && bit(eax, 5);
    return has;
}

const x86_features& x86() {
    static const x86_features has = ask_processor();
    return has;
}

#endif

struct instruction_set {
    const kernel_table* table;
    bool (*is_supported)();
};

constexpr const char* bf16_instruction =
#if defined(__x86_64__)
    "VDPBF16PS (AVX512_BF16)";
#else
    "BFDOT (FEAT_BF16)";
#endif

// Slowest first. VNNI multiplies bytes (VPDPBUSD): avxvnni is for processors that have it without AVX-512, avx512vnni
// for those that lack bfloat16 beside it.
constexpr instruction_set instruction_sets[] = {
    {&baseline::table, [] { return true; }},
#if defined(ATROUS_BASELINE_ONLY)
#elif defined(__x86_64__)
    {&avx2::table, [] { return x86().avx2; }},
    {&avxvnni::table, [] { return x86().avxvnni; }},
    {&avx512::table, [] { return x86().avx512; }},
    {&avx512vnni::table, [] { return x86().avx512vnni; }},
    {&avx512bf16::table, [] { return x86().avx512bf16; }},
#elif defined(__aarch64__)
        {&neon::table, [] { return true; }},
        {&neonbf16::table, platform::has_arm_bf16_and_i8mm},
#endif
};

// "a, b or c"
std::string every_name() {
    std::string names;
    for (size_t i = 0; i < std::size(instruction_sets); ++i) {
        if (i > 0) names += i + 1 < std::size(instruction_sets) ? ", " : " or ";
        names += instruction_sets[i].table->isa;
    }
    return names;
}

}  // namespace

const std::vector<const kernel_table*>& available_kernels() {
    // Never destroyed: a thread may still start an engine while the process ends.
    static const auto& found = *new std::vector<const kernel_table*>([] {
        std::vector<const kernel_table*> tables;
        for (const instruction_set& set : instruction_sets) {
            if (set.is_supported()) tables.push_back(set.table);
        }
        return tables;
    }());
    return found;
}

const kernel_table& pick_kernels() {
    const auto& available = available_kernels();
    const char* wanted = std::getenv("ATROUS_ISA");
    if (wanted == nullptr || *wanted == '\0') return *available.back();
    for (const kernel_table* table : available) {
        if (std::strcmp(table->isa, wanted) == 0) return *table;
    }
    for (const instruction_set& set : instruction_sets) {
        if (std::strcmp(set.table->isa, wanted) == 0) {
            throw fail(ATROUS_UNSUPPORTED,
                       "ATROUS_ISA=%s: this processor lacks it, and %s is its best; unset it or name that", wanted,
                       available.back()->isa);
        }
    }
    throw fail(ATROUS_UNSUPPORTED, "ATROUS_ISA=%s is not known; use %s", wanted, every_name().c_str());
}

void require_bf16_products(const kernel_table& kernels) {
    if (kernels.bf16_products) return;
    throw fail(ATROUS_UNSUPPORTED, "bf16 takes the instruction %s, which %s; use fp32", bf16_instruction,
               available_kernels().back()->bf16_products ? "ATROUS_ISA rules out" : "this processor lacks");
}

}  // namespace atrous
