/* Attention for reading. Keys are cut into parts of PART from the span's first one, and a query's
 * result is that of its parts, merged in order. So it depends on neither the tile that the query is
 * in nor the threads; and the parts of a few queries after a long prompt, as in decoding, are work
 * for all threads. Those queries share a tile with the query heads of their key head, so that each
 * key is read once. */
#include <math.h>

#include "train/cpu/cpu.h"
#include "train/cpu/kernels.h"

#ifndef TRAIN_FLOAT64

enum { PART = 512, FEW = 8 };

typedef struct call {
    const cpu_kernel_set *wide, *narrow;
    size_t heads, kv_heads, d;
    float scale;
    bool merge;
    /* At the span's first query or key. */
    float *o, *lse;
    const float *q, *k, *v;
    cpu_window w;
} call;

/* Rows r < n of a tile: query q0 + r / across of head h + r % across. */
typedef struct tile {
    size_t q0, h, kv, n, across, rows; /* rows: n, padded */
    float q[HEAD_MAX * TILE_ROWS] __attribute__((aligned(64)));
} tile;

static size_t query_of(const tile *t, size_t r) { return t->q0 + r / t->across; }

/* Element 0 of row r's head in q or o. */
static size_t at(const call *z, const tile *t, size_t r)
{
    return (query_of(t, r) * z->heads + t->h + r % t->across) * z->d;
}

static void begin_tile(tile *t, const call *z, size_t q0, size_t h, size_t n, size_t across)
{
    t->q0 = q0;
    t->h = h;
    t->kv = h / (z->heads / z->kv_heads);
    t->n = n;
    t->across = across;
    t->rows = n <= 8 ? 8 : (n + 15) / 16 * 16;
    for (size_t r = 0; r < t->rows; r++)
        for (size_t c = 0; c < z->d; c++)
            t->q[c * t->rows + r] = r < n ? z->q[at(z, t, r) + c] * z->scale : 0;
}

/* Keys from the span's first that row r attends to. */
static size_t seen_by(const call *z, const tile *t, size_t r)
{
    return size_min(z->w.nk, query_of(t, r) + z->w.reach + 1);
}

static const cpu_kernel_set *kernels(const call *z, const tile *t)
{
    return t->rows == 8 ? z->narrow : z->wide;
}

static void attend_part(const cpu_softmax *out, const tile *t, const call *z, size_t k0)
{
    int32_t seen[TILE_ROWS];
    size_t stride = z->kv_heads * z->d;
    cpu_part part = { .d = z->d,
                      .rows = t->rows,
                      .cols = size_min(PART, seen_by(z, t, t->n - 1) - k0),
                      .stride = stride,
                      .q = t->q,
                      .k = z->k + k0 * stride + t->kv * z->d,
                      .v = z->v + k0 * stride + t->kv * z->d,
                      .seen = seen,
                      .least = PART };
    for (size_t r = 0; r < t->rows; r++) {
        size_t all = r < t->n ? seen_by(z, t, r) : k0 + PART;
        seen[r] = all < k0 ? 0 : (int32_t)size_min(PART, all - k0);
        if (seen[r] < part.least) part.least = seen[r];
    }
    kernels(z, t)->attend(out, &part);
}

static void end_tile(const tile *t, const call *z, const cpu_softmax *s)
{
    for (size_t r = 0; r < t->n; r++)
        cpu_put_row(z->o + at(z, t, r), z->lse + at(z, t, r) / z->d, s->acc + r, t->rows,
                    (double)s->top[r] * M_LN2, s->sum[r], z->d, z->merge);
}

/* Memory of a softmax. */
static size_t softmax_floats(size_t d, size_t rows) { return (d + 2) * rows; }

static cpu_softmax softmax_at(float *memory, size_t d, size_t rows)
{
    return (cpu_softmax){ memory, memory + d * rows, memory + (d + 1) * rows };
}

/* A tile of queries of one head, by one thread. */
static void whole_tile(const call *z, size_t q0, size_t h)
{
    enum { FLOATS = (HEAD_MAX + 2) * TILE_ROWS };
    tile t;
    float memory[2][FLOATS] __attribute__((aligned(64)));
    begin_tile(&t, z, q0, h, size_min(TILE_ROWS, z->w.nq - q0), 1);
    cpu_softmax all = softmax_at(memory[0], z->d, t.rows),
                part = softmax_at(memory[1], z->d, t.rows);
    size_t keys = seen_by(z, &t, t.n - 1);
    attend_part(&all, &t, z, 0);
    for (size_t k0 = PART; k0 < keys; k0 += PART) {
        attend_part(&part, &t, z, k0);
        kernels(z, &t)->merge(&all, &part, z->d, t.rows);
    }
    end_tile(&t, z, &all);
}

static void many_queries(backend *b, const call *z)
{
    size_t tiles = (z->w.nq + TILE_ROWS - 1) / TILE_ROWS, all = tiles * z->heads;
    /* The last tiles of a causal span have most keys: they are started first. */
#pragma omp parallel for num_threads(cpu_threads(b)) \
    schedule(dynamic) if (cpu_worth(z->w.nq * z->w.nk * z->heads * z->d))
    for (size_t i = 0; i < all; i++)
        whole_tile(z, (tiles - 1 - i / z->heads) * TILE_ROWS, i % z->heads);
}

/* All parts of a few queries. b->partial holds a softmax for each key head, and then one for each
 * part of `step` parts at a time. */
static void few_queries(backend *b, const call *z, size_t step, size_t each)
{
    float *memory = ((cpu_backend *)b)->partial;
    size_t group = z->heads / z->kv_heads, n = z->w.nq * group, d = z->d;
    size_t parts = (z->w.nk + PART - 1) / PART;
#pragma omp parallel num_threads(cpu_threads(b)) if (cpu_worth(z->w.nq * z->w.nk * z->heads * d))
    {
        tile t = { .kv = SIZE_MAX };
        for (size_t from = 0; from < parts; from += step) {
            size_t now = size_min(step, parts - from);
#pragma omp for schedule(dynamic)
            for (size_t i = 0; i < now * z->kv_heads; i++) {
                size_t kv = i % z->kv_heads, part = from + i / z->kv_heads;
                if (t.kv != kv) begin_tile(&t, z, 0, kv * group, n, group);
                cpu_softmax s =
                    softmax_at(memory + (part ? z->kv_heads + i : kv) * each, d, t.rows);
                attend_part(&s, &t, z, part * PART);
            }
#pragma omp for
            for (size_t kv = 0; kv < z->kv_heads; kv++) {
                begin_tile(&t, z, 0, kv * group, n, group);
                cpu_softmax all = softmax_at(memory + kv * each, d, t.rows);
                for (size_t p = from ? 0 : 1; p < now; p++) {
                    size_t i = z->kv_heads + p * z->kv_heads + kv;
                    cpu_softmax s = softmax_at(memory + i * each, d, t.rows);
                    kernels(z, &t)->merge(&all, &s, d, t.rows);
                }
                if (from + now == parts) end_tile(&t, z, &all);
            }
        }
    }
}

static void read_attention(backend *b, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                           const bk_act *v, const bk_spans *spans, size_t heads, size_t kv_heads,
                           size_t d, double scale, bool merge)
{
    const cpu_backend *c = (const cpu_backend *)b;
    size_t group = heads / kv_heads;
    if (!merge) cpu_see_nothing(b, o, lse, spans, heads, d);
    for (size_t g = 0; g < spans->count; g++) {
        const bk_span *x = &spans->v[g];
        call z = { .wide = c->wide,
                   .narrow = c->narrow,
                   .heads = heads,
                   .kv_heads = kv_heads,
                   .d = d,
                   .scale = (float)(scale * M_LOG2E),
                   .merge = merge,
                   .o = wr(o) + x->q * heads * d,
                   .lse = wr(lse) + x->q * heads,
                   .q = rd(q) + x->q * heads * d,
                   .k = rd(k) + x->k * kv_heads * d,
                   .v = rd(v) + x->k * kv_heads * d,
                   .w = cpu_window_of(spans, x) };
        size_t rows = (x->nq * group + 15) / 16 * 16, each = softmax_floats(d, rows);
        size_t room = x->nq <= FEW && rows <= TILE_ROWS ? c->partials / each / kv_heads : 0;
        if (room > 1) few_queries(b, &z, room - 1, each);
        else many_queries(b, &z);
    }
}

void cpu_read_attention(backend *b) { b->read_attention = read_attention; }

#endif
