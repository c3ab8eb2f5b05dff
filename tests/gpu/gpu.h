/* gpu.h -- for the check of the CUDA backend: two backends, and numbers that both hold.
 *
 * The rule: the CPU backend is given the numbers that the GPU holds (rounded to bfloat16), and
 * each tensor that comes out must be within BOUND of it, as the norm of the difference over the
 * norm. Results are poisoned before, so that one which is not written fails, as NaN does. */
#ifndef LM_TEST_GPU_H
#define LM_TEST_GPU_H

#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/backend.h"

#define BOUND 1e-2

/* The counters of check.h are each file's own: these checks are all counted in check_gpu.c. */
void gpu_check(bool good, const char *what, const char *file, int line);
#undef CHECK
#define CHECK(x) gpu_check(!!(x), #x, __FILE__, __LINE__)

typedef struct two {
    backend *cpu, *gpu;
} two;

/* A tensor on both: `act` in each one's type, else float32 (acc). */
typedef struct pair {
    void *cpu, *gpu;
    size_t n;
    bool act;
} pair;

pair pair_new(const two *b, size_t n, bool act);
void pair_free(const two *b, pair *p);
/* Uniform in +-size, of a seed; the CPU holds what the GPU does. */
pair pair_random(const two *b, size_t n, bool act, double size, uint64_t seed);
/* Numbers that no test expects. */
void pair_poison(const two *b, const pair *p);
/* What the GPU holds goes to the CPU, or the other way. */
void pair_from_cpu(const two *b, const pair *p);

float *gpu_numbers(const two *b, const pair *p); /* malloc'ed */
float *cpu_numbers(const two *b, const pair *p);

/* Norm of the difference over the norm of `want`, where a number counts as at least `least` in the
 * mean of squares (what is zero but for rounding has no direction); minus infinity equals itself;
 * NaN counts as infinitely far. */
double distance(const float *got, const float *want, size_t n, double least);
/* Check a tensor against the bound, and say how far it is. */
void compare(const two *b, const pair *p, double bound, const char *what);
void compare_least(const two *b, const pair *p, double bound, double least, const char *what);
/* The same bits? */
bool same_bits(const float *a, const float *b, size_t n);

#define ACT(x) ((bk_act *)(x).gpu)
#define ACC(x) ((bk_acc *)(x).gpu)
#define ACT0(x) ((bk_act *)(x).cpu)
#define ACC0(x) ((bk_acc *)(x).cpu)

void check_operations(const two *b);
void check_attention(const two *b, const char *kind);
void check_models(const two *b, const char *kind);

#endif
