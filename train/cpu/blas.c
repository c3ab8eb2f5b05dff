/* OpenBLAS chooses its kernels by the processor's model number. A release does not know later
 * processors and falls back to kernels of 2004, which are five times slower. On a processor with
 * AVX2 that fallback is replaced by the kernels of a family that it can run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "train/cpu/cpu.h"

/* Exported by an OpenBLAS that chooses kernels at run time. */
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

#if defined(__x86_64__) && defined(__GNUC__)
static const char *family(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "Haswell" : NULL;
}

static void choose_kernels(void)
{
    static const char *const old[] = { "Prescott",   "Core2",   "Penryn",
                                       "Dunnington", "Nehalem", "Generic" };
    const char *core = openblas_get_corename(), *better = family();
    if (!better || getenv("OPENBLAS_CORETYPE") || !gotoblas_dynamic_init || !gotoblas_dynamic_quit)
        return;
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (!strcasecmp(core, old[i]) && !setenv("OPENBLAS_CORETYPE", better, 1)) {
            gotoblas_dynamic_quit();
            gotoblas_dynamic_init();
        }
}
#else
static void choose_kernels(void) {}
#endif

void cpu_blas_prepare(void)
{
    choose_kernels();
    openblas_set_num_threads(1); /* threads work on blocks, not inside a product */
}

/* The set that CPU_CLONES has selected. */
static const char *clones(void)
{
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(TRAIN_NO_CLONES)
    if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
    if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#endif
    return "baseline";
}

const char *cpu_kernels(void)
{
    static char text[128];
    char version[32] = "";
    (void)sscanf(openblas_get_config(), "OpenBLAS %31s", version);
    snprintf(text, sizeof text, "OpenBLAS %s %.40s, %s", version, openblas_get_corename(),
             clones());
    return text;
}
