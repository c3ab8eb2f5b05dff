/* The inner loops of reading for any processor with vectors of four floats. */
#include "train/cpu/kernels.h"

#define TARGET
#define SET cpu_kernels_plain
#define SET1(x) ((vec){ x, x, x, x })
enum { LANES = 4 };
#define WIDE 2
#ifdef __FP_FAST_FMAF
#define FMA(a, b, c)                                                                        \
    ((vec){ __builtin_fmaf((a)[0], (b)[0], (c)[0]), __builtin_fmaf((a)[1], (b)[1], (c)[1]), \
            __builtin_fmaf((a)[2], (b)[2], (c)[2]), __builtin_fmaf((a)[3], (b)[3], (c)[3]) })
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
#define MAX(a, b) ((vec)(((ivec)(a) & ((a) > (b))) | ((ivec)(b) & ~((a) > (b)))))
#include "train/cpu/kernels_body.h"
