/* The CPU backend: its memory, and its table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

static void close_cpu(backend *b)
{
    free(((cpu_backend *)b)->partial);
    free(b);
}

static int alloc_cpu(backend *b, void **out, size_t bytes)
{
    (void)b;
    *out = NULL;
    size_t n = bytes ? (bytes + 63) / 64 * 64 : 64;
    if (n < bytes) return lm_fail_nomem(bytes);
    void *p = aligned_alloc(64, n);
    if (!p) return lm_fail_nomem(bytes);
    memset(p, 0, n);
    *out = p;
    return LM_OK;
}

static void free_cpu(backend *b, void *p, size_t bytes)
{
    (void)b;
    (void)bytes;
    free(p);
}

static size_t available_cpu(backend *b)
{
    (void)b;
    FILE *f = fopen("/proc/meminfo", "r");
    if (!f) return 0;
    char line[128];
    unsigned long long kib = 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) break;
    fclose(f);
    return (size_t)kib * 1024;
}

static void put_real(real *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) dst[i] = (real)src[i];
}

static void get_real(float *dst, const real *src, size_t n)
{
    for (size_t i = 0; i < n; i++) dst[i] = (float)src[i];
}

static void put_act(backend *b, bk_act *dst, const float *src, size_t n)
{
    (void)b;
    put_real(wr(dst), src, n);
}

static void put_acc(backend *b, bk_acc *dst, const float *src, size_t n)
{
    (void)b;
    put_real(wr(dst), src, n);
}

static void put_int(backend *b, bk_int *dst, const int32_t *src, size_t n)
{
    (void)b;
    memcpy(dst, src, n * sizeof *src);
}

static void get_act(backend *b, float *dst, const bk_act *src, size_t n)
{
    (void)b;
    get_real(dst, rd(src), n);
}

static void get_acc(backend *b, float *dst, const bk_acc *src, size_t n)
{
    (void)b;
    get_real(dst, rd(src), n);
}

static void copy_act(backend *b, bk_act *dst, const bk_act *src, size_t n)
{
    (void)b;
    memcpy(dst, src, n * sizeof(real));
}

static void zero_act(backend *b, bk_act *dst, size_t n)
{
    (void)b;
    memset(dst, 0, n * sizeof(real));
}

static void zero_acc(backend *b, bk_acc *dst, size_t n)
{
    (void)b;
    memset(dst, 0, n * sizeof(real));
}

/* Host memory is device memory, and a transfer is complete when it returns. */
static void store_cpu(backend *b, void *host, const void *dev, size_t bytes, int lane)
{
    (void)b;
    (void)lane;
    memcpy(host, dev, bytes);
}

static void fetch_cpu(backend *b, void *dev, const void *host, size_t bytes, int lane)
{
    (void)b;
    (void)lane;
    memcpy(dev, host, bytes);
}

static void join_cpu(backend *b, int lane)
{
    (void)b;
    (void)lane;
}

static int finish_cpu(backend *b)
{
    (void)b;
    return LM_OK;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* FLOP/s of this backend's own products, one block per thread; the best of three. */
static double peak_cpu(backend *b)
{
    enum { SIDE = 512 };
    size_t n = (size_t)cpu_threads(b) * BK_BLOCK, x = n * SIDE, w = (size_t)SIDE * SIDE;
    real *m = calloc(2 * x + w, sizeof *m);
    if (!m) return 0;
    for (size_t i = 0; i < x + w; i++) m[i] = (real)(i % 7) - 3;
    double best = 0;
    for (int i = 0; i < 3; i++) {
        double start = seconds();
        b->linear(b, (bk_act *)(m + x + w), (bk_act *)m, (bk_act *)(m + x), n, SIDE, SIDE, false);
        double rate = 2.0 * (double)x * SIDE / (seconds() - start);
        if (rate > best) best = rate;
    }
    free(m);
    return best;
}

#ifndef TRAIN_FLOAT64
enum { PARTIALS = 1 << 20 };

/* What only reads a model: its inner loops for this processor. */
static int open_reading(cpu_backend *c)
{
    c->wide = c->narrow = &cpu_kernels_plain;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        c->wide = c->narrow = &cpu_kernels_v3;
    if (c->wide == &cpu_kernels_v3 && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        c->wide = &cpu_kernels_v4;
#endif
    c->partials = PARTIALS;
    c->partial = aligned_alloc(64, PARTIALS * sizeof *c->partial);
    if (!c->partial) return lm_fail_nomem(PARTIALS * sizeof *c->partial);
    cpu_packed(&c->table);
    cpu_read_attention(&c->table);
    return LM_OK;
}
#endif

int bk_cpu_open(backend **out, int threads)
{
    *out = NULL;
    if (threads < 1) return lm_fail(LM_EUSAGE, "a backend of %d threads", threads);
    cpu_backend *c = calloc(1, sizeof *c);
    if (!c) return lm_fail_nomem(sizeof *c);
    c->threads = threads;
    backend *b = &c->table;
    b->name = "cpu";
    b->act_bytes = b->acc_bytes = sizeof(real);
    b->block = BK_BLOCK;
    b->unified = true;
    b->close = close_cpu;
    b->alloc = alloc_cpu;
    b->free = free_cpu;
    b->available = available_cpu;
    b->put_act = put_act;
    b->put_acc = put_acc;
    b->put_int = put_int;
    b->get_act = get_act;
    b->get_acc = get_acc;
    b->copy_act = copy_act;
    b->zero_act = zero_act;
    b->zero_acc = zero_acc;
    b->finish = finish_cpu;
    b->alloc_host = alloc_cpu;
    b->free_host = free_cpu;
    b->store = store_cpu;
    b->fetch = fetch_cpu;
    b->join = join_cpu;
    b->peak = peak_cpu;
    cpu_products(b);
    cpu_bias(b);
    cpu_attention(b);
    cpu_pointwise(b);
    cpu_update(b);
    cpu_blas_prepare();
    b->kernels = cpu_kernels();
#ifndef TRAIN_FLOAT64
    int rc = open_reading(c);
    if (rc) {
        close_cpu(b);
        return rc;
    }
#endif
    *out = b;
    return LM_OK;
}
