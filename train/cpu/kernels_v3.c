/* The inner loops of reading with AVX2 and FMA. */
#include "train/cpu/kernels.h"

#ifdef __x86_64__
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define SET cpu_kernels_v3
#define SET1(x) _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MAX(a, b) _mm256_max_ps(a, b)
enum { LANES = 8 };
#define WIDE 2
#include "train/cpu/kernels_body.h"
#endif
