/* Products with packed weights: see kernels.h for their order in memory. Threads share out panels
 * and tokens; what is computed for one output of one token is the same in every division. */
#include <string.h>

#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

#ifndef TRAIN_FLOAT64

enum { TOKENS = 128 }; /* of a task: a multiple of what a kernel takes at once is not needed */

_Static_assert((int)BK_PACKED_ROWS == (int)PANEL, "rows of a panel");

static size_t panels_of(size_t out) { return (out + PANEL - 1) / PANEL; }

static size_t panel_bytes(size_t in, enum bk_packing how)
{
    return in * PANEL * (how == BK_BFLOAT16 ? 2 : 4);
}

static size_t packed_bytes(backend *b, size_t out, size_t in, enum bk_packing how)
{
    size_t bytes = 0;
    (void)b;
    /* Nothing has SIZE_MAX bytes: the plan of such a model is refused. */
    if (__builtin_mul_overflow(in, (size_t)PANEL * (how == BK_BFLOAT16 ? 2 : 4), &bytes) ||
        out > SIZE_MAX - PANEL || __builtin_mul_overflow(bytes, panels_of(out), &bytes))
        return SIZE_MAX;
    return bytes;
}

/* To the nearest, ties to even; a NaN stays one. */
static uint32_t to_bfloat(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    if ((u & 0x7fffffff) > 0x7f800000) return u >> 16 | 0x40;
    return (u + 0x7fff + (u >> 16 & 1)) >> 16;
}

/* One panel from src[rows, in], rows <= PANEL. */
static void pack_panel(char *to, const float *src, size_t rows, size_t in, enum bk_packing how)
{
    for (size_t i = 0; i < in; i++) {
        float v[PANEL] = { 0 };
        for (size_t j = 0; j < rows; j++) v[j] = src[j * in + i];
        if (how == BK_FLOAT32) {
            memcpy(to + i * sizeof v, v, sizeof v);
            continue;
        }
        uint32_t word[HALF_PANEL];
        for (size_t j = 0; j < HALF_PANEL; j++)
            word[j] = to_bfloat(v[j]) | to_bfloat(v[j + HALF_PANEL]) << 16;
        memcpy(to + i * sizeof word, word, sizeof word);
    }
}

static void pack(backend *b, bk_packed *w, const float *src, size_t first, size_t n, size_t in,
                 enum bk_packing how)
{
    char *to = (char *)w + first / PANEL * panel_bytes(in, how);
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n * in))
    for (size_t r = 0; r < n; r += PANEL)
        pack_panel(to + r / PANEL * panel_bytes(in, how), src + r * in, size_min(PANEL, n - r), in,
                   how);
}

static void packed_linear(backend *b, bk_act *y, const bk_act *x, const bk_packed *w, size_t n,
                          size_t in, size_t out, enum bk_packing how, bool add)
{
    const cpu_kernel_set *k = ((cpu_backend *)b)->wide;
    /* Of few tokens the product is bound by memory: small tasks divide it evenly. */
    size_t width = n > 8 ? 2 : 1, side = (panels_of(out) + width - 1) / width;
    size_t down = (n + TOKENS - 1) / TOKENS, all = side * down;
#pragma omp parallel for num_threads(cpu_threads(b)) schedule(dynamic) if (cpu_worth(n * in * out))
    for (size_t i = 0; i < all; i++) {
        size_t p = i / down * width, t = i % down * TOKENS, o = p * PANEL;
        cpu_panels z = { .w = (const char *)w + p * panel_bytes(in, how),
                         .in = in,
                         .outs = size_min(width * PANEL, out - o),
                         .bfloat16 = how == BK_BFLOAT16 };
        z.count = z.outs > PANEL ? 2 : 1;
        k->panels(wr(y) + t * out + o, out, rd(x) + t * in, size_min(TOKENS, n - t), &z, add);
    }
}

static void embed_row(float *x, const char *table, size_t id, size_t dim, enum bk_packing how)
{
    const char *panel = table + id / PANEL * panel_bytes(dim, how);
    size_t j = id % PANEL;
    for (size_t c = 0; c < dim; c++) {
        if (how == BK_FLOAT32) {
            memcpy(x + c, panel + (c * PANEL + j) * 4, 4);
            continue;
        }
        uint32_t word;
        memcpy(&word, panel + (c * HALF_PANEL + j % HALF_PANEL) * 4, 4);
        word = j < HALF_PANEL ? word << 16 : word & 0xffff0000u;
        memcpy(x + c, &word, 4);
    }
}

static void packed_embed(backend *b, bk_act *x, const bk_packed *table, const bk_int *ids, size_t n,
                         size_t dim, enum bk_packing how)
{
    const int32_t *id = (const int32_t *)ids;
#pragma omp parallel for num_threads(cpu_threads(b)) if (cpu_worth(n * dim))
    for (size_t t = 0; t < n; t++)
        embed_row(wr(x) + t * dim, (const char *)table, (size_t)id[t], dim, how);
}

void cpu_packed(backend *b)
{
    b->packed_bytes = packed_bytes;
    b->pack = pack;
    b->packed_linear = packed_linear;
    b->packed_embed = packed_embed;
}

#endif
