#include "lib/base/ids.h"

#include <stdbool.h>

/* Loops that compilers vectorize: without AVX2, x86-64 lacks the maximum of unsigned numbers. */
static inline uint32_t max16(const uint16_t *p, size_t n)
{
    uint16_t max = 0;
    for (size_t i = 0; i < n; i++) max = p[i] > max ? p[i] : max;
    return max;
}

static inline uint32_t max32(const uint32_t *p, size_t n)
{
    uint32_t max = 0;
    for (size_t i = 0; i < n; i++) max = p[i] > max ? p[i] : max;
    return max;
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#else
#define AVX2
static bool has_avx2(void) { return false; }
#endif

AVX2 static uint32_t max_avx2(const void *ids, size_t n, unsigned width)
{
    return width == 2 ? max16(ids, n) : max32(ids, n);
}

uint32_t lm_ids_max(const void *ids, size_t n, unsigned width)
{
    if (has_avx2()) return max_avx2(ids, n, width);
    return width == 2 ? max16(ids, n) : max32(ids, n);
}
