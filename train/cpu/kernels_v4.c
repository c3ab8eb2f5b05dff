/* The inner loops of reading with AVX-512. */
#include "train/cpu/kernels.h"

#ifdef __x86_64__
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define SET cpu_kernels_v4
#define SET1(x) _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MAX(a, b) _mm512_max_ps(a, b)
enum { LANES = 16 };
#define WIDE 4
#include "train/cpu/kernels_body.h"
#endif
