/* bench_attention.c -- time and memory of one layer's attention against the length of a prompt, as
 * in Figure 3 of An et al. 2024: dense (scores T x T), flash (tiles), and Dual Chunk Attention
 * for a model pretrained at 4,096. Includes RoPE; interleaved, best of three. The outputs of
 * dense and flash are compared. Prints result lines for lmplot speed.
 *
 * usage: bench_attention THREADS LENGTH... */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/progress.h"
#include "lib/base/rng.h"
#include "train/model/attn_map.h"
#include "train/model/config.h"

enum { HEADS = 4, DIM = 128, ROW = HEADS * DIM, TRAINED = 4096, RUNS = 3 };

typedef struct bench {
    backend *b;
    size_t n, bytes;
    float *x, *q, *k, *v, *o, *lse, *table, *scores;
    int32_t *at;
} bench;

static void *take(bench *z, size_t bytes)
{
    void *p = NULL;
    if (z->b->alloc(z->b, &p, bytes)) exit(1);
    z->bytes += bytes;
    return p;
}

/* Scores of all pairs, one head after the other: attention without tiling. */
static void dense(bench *z)
{
    size_t n = z->n;
    for (size_t h = 0; h < HEADS; h++) {
        float *s = z->scores;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, DIM,
                    1 / sqrtf((float)DIM), z->q + h * DIM, ROW, z->k + h * DIM, ROW, 0, s, (int)n);
#pragma omp parallel for schedule(dynamic, 16)
        for (size_t i = 0; i < n; i++) {
            float top = -INFINITY, sum = 0, *row = s + i * n;
            for (size_t j = 0; j <= i; j++) top = fmaxf(top, row[j]);
            for (size_t j = 0; j <= i; j++) sum += row[j] = expf(row[j] - top);
            for (size_t j = 0; j <= i; j++) row[j] /= sum;
            for (size_t j = i + 1; j < n; j++) row[j] = 0;
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, DIM, (int)n, 1, s, (int)n,
                    z->v + h * DIM, ROW, 0, z->o + h * DIM, ROW);
    }
}

static void tiles(bench *z, const attn_map *map)
{
    backend *b = z->b;
    for (size_t i = 0; i < map->parts; i++) {
        if (!map->spans[i].count) continue;
        memcpy(z->at, map->query[i], z->n * sizeof *z->at);
        b->rope(b, (bk_act *)z->q, (bk_act *)z->x, (bk_int *)z->at, (bk_acc *)z->table, z->n, HEADS,
                DIM, false, false);
        b->attention(b, (bk_act *)z->o, (bk_acc *)z->lse, (bk_act *)z->q, (bk_act *)z->k,
                     (bk_act *)z->v, &map->spans[i], HEADS, HEADS, DIM, 1 / sqrt(DIM), i > 0);
    }
}

enum { DENSE, FLASH, DCA, KINDS };
static const char *const names[KINDS] = { "dense", "flash", "dca" };

/* Seconds; *bytes: size of all arrays it needs. */
static double run(bench *z, int kind, int threads, size_t *bytes)
{
    attn_form f;
    attn_map map;
    tr_config c = { .head_dim = DIM, .positions = TRAINED, .rope = { .theta = 10000 } };
    size_t n = z->n, fixed = z->bytes;
    uint32_t starts[2] = { 0, (uint32_t)n };
    if (attn_form_parse(&f, kind == DCA ? "dca" : "rope", TRAINED) || attn_map_new(&map, &f, n))
        exit(1);
    size_t rows = attn_form_positions(&f, n);
    z->table = take(z, rows * DIM * 4);
    z->scores = kind == DENSE ? take(z, n * n * 4) : NULL;
    tr_rope_table(&c, n, z->table, rows);
    double start = lm_seconds();
    attn_map_fill(&map, &f, starts, 1, 0);
    memcpy(z->at, map.query[ATTN_INTRA], n * sizeof *z->at);
    z->b->rope(z->b, (bk_act *)z->k, (bk_act *)z->x, (bk_int *)z->at, (bk_acc *)z->table, n, HEADS,
               DIM, false, false);
    if (kind == DENSE) {
        z->b->rope(z->b, (bk_act *)z->q, (bk_act *)z->x, (bk_int *)z->at, (bk_acc *)z->table, n,
                   HEADS, DIM, false, false);
        openblas_set_num_threads(threads);
        dense(z);
        openblas_set_num_threads(1);
    } else {
        tiles(z, &map);
    }
    double took = lm_seconds() - start;
    *bytes = z->bytes;
    z->b->free(z->b, z->table, 0);
    if (z->scores) z->b->free(z->b, z->scores, 0);
    z->bytes = fixed;
    attn_map_free(&map);
    return took;
}

static double furthest(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

static void at_length(backend *b, size_t n, int threads)
{
    bench z = { .b = b, .n = n };
    float **arrays[] = { &z.x, &z.q, &z.k, &z.v, &z.o, &z.lse };
    for (size_t i = 0; i < 6; i++) *arrays[i] = take(&z, n * (i < 5 ? ROW : HEADS) * 4);
    z.at = take(&z, n * 4);
    for (size_t i = 0; i < n * ROW; i++) {
        z.x[i] = (float)lm_unit(lm_hash4(1, i, 0, 0)) - 0.5f;
        z.v[i] = (float)lm_unit(lm_hash4(2, i, 0, 0)) - 0.5f;
    }
    int first = n <= 16384 ? DENSE : FLASH; /* dense scores of a head: 1 GiB at this length */
    float *keep = calloc(n * ROW, 4);
    if (!keep) exit(1);
    double best[KINDS] = { 1e9, 1e9, 1e9 };
    size_t bytes[KINDS] = { 0 };
    for (int turn = 0; turn < RUNS; turn++)
        for (int kind = first; kind < KINDS; kind++) {
            double took = run(&z, kind, threads, &bytes[kind]);
            if (took < best[kind]) best[kind] = took;
            if (kind == DENSE) memcpy(keep, z.o, n * ROW * 4);
            if (kind != FLASH || first != DENSE) continue;
            double off = furthest(z.o, keep, n * ROW);
            if (off < 1e-4) continue;
            fprintf(stderr, "bench_attention: dense and flash differ by %g at %zu tokens\n", off,
                    n);
            exit(1);
        }
    for (int kind = first; kind < KINDS; kind++)
        printf("{\"eval\":\"speed\",\"model\":\"one layer, %d heads of %d\",\"attention\":\"%s\","
               "\"length\":%zu,\"value\":%.6f,\"seconds\":%.6f,\"memory_mib\":%.1f,"
               "\"threads\":%d}\n",
               HEADS, DIM, names[kind], n, best[kind], best[kind], (double)bytes[kind] / (1 << 20),
               threads);
    fflush(stdout);
    for (size_t i = 0; i < 6; i++) b->free(b, *arrays[i], 0);
    b->free(b, z.at, 0);
    free(keep);
}

int main(int argc, char **argv)
{
    backend *b = NULL;
    int threads = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0;
    if (threads < 1 || bk_cpu_open(&b, threads)) return 2;
    for (int i = 2; i < argc; i++) at_length(b, (size_t)strtoull(argv[i], NULL, 10), threads);
    b->close(b);
    return 0;
}
