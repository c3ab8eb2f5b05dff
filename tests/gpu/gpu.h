/* gpu.h -- for the check of the CUDA backend: two backends, and tensors that are on both.
 *
 * The rule: the CPU backend gets the numbers of the GPU (rounded to bfloat16), and the norm of the
 * difference of each result over its norm must be within BOUND. Results are poisoned first, so that
 * a result that is not written fails, as NaN does. */
#ifndef LM_TEST_GPU_H
#define LM_TEST_GPU_H

#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/backend.h"

#define BOUND 1e-2

/* The counters of check.h are per file: all these checks are counted in check_gpu.c. */
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
/* Uniform in +-size, from a seed; the same on CPU and GPU. */
pair pair_random(const two *b, size_t n, bool act, double size, uint64_t seed);
/* Numbers that no test expects. */
void pair_poison(const two *b, const pair *p);
/* Copy from the GPU to the CPU, or in the other direction. */
void pair_from_cpu(const two *b, const pair *p);

float *gpu_numbers(const two *b, const pair *p); /* malloc'ed */
float *cpu_numbers(const two *b, const pair *p);

/* Norm of the difference over the norm of `want`, where a number counts as at least `least` in the
 * mean of squares (what is zero but for rounding has no direction); minus infinity equals itself;
 * NaN counts as infinitely far. */
double distance(const float *got, const float *want, size_t n, double least);
/* Check a tensor against the bound, and print the difference. */
void compare(const two *b, const pair *p, double bound, const char *what);
void compare_least(const two *b, const pair *p, double bound, double least, const char *what);
/* Bit-identical? */
bool same_bits(const float *a, const float *b, size_t n);

#define ACT(x) ((bk_act *)(x).gpu)
#define ACC(x) ((bk_acc *)(x).gpu)
#define ACT0(x) ((bk_act *)(x).cpu)
#define ACC0(x) ((bk_acc *)(x).cpu)

void check_operations(const two *b);
void check_attention(const two *b, const char *kind);
void check_models(const two *b, const char *kind);

#endif
