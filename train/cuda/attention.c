/* Attention: by cuDNN where it supports head size and GPU, else by own_attention.cu.
 *
 * cuDNN computes many spans of similar size in one call, and builds a plan for each set of sizes,
 * which is slow; so sizes are rounded up to few values, and offsets and lengths in device memory
 * give the actual ones. Such a list of calls (a program) depends on spans and shapes only, and is
 * cached: the layers of a step reuse it.
 *
 * In the backward pass cuDNN keeps the gradient of the scores in its workspace (see sdpa.c). A
 * program then computes some key heads at a time, and splits long spans by queries, so that the
 * workspace stays below BUDGET; gradients of keys that are in several calls, or accumulate, are
 * summed in float32 in the order of the calls. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/buf.h"
#include "train/cuda/cuda.h"
#include "train/cuda/sdpa.h"
#include "train/minmax.h"

enum { PROGRAMS = 24, BATCH = 256, MERGE_ROWS = 8192, CUT = 128 };

/* Bytes: of the gradient of scores in one call, and of gradients of keys summed in float32. */
static const size_t BUDGET = (size_t)3 << 29, SUMS = (size_t)1 << 29;

/* One call of cuDNN: `count` pieces of spans, and where its arguments are. */
typedef struct call {
    size_t count, batch;       /* pieces; rounded up */
    size_t queries, keys;      /* of a piece, at most, rounded up */
    size_t first, rows, parts; /* queries from the first on; rows of partial gradients */
    size_t numbers;            /* where its int64 begin: five offsets, two rows of keys */
    size_t lengths;            /* and its int32: queries, keys */
} call;

typedef struct list { /* a host array that grows */
    void *v;
    size_t count, cap;
} list;

typedef struct program {
    list spans; /* bk_span; with the fields below, the key */
    size_t queries, keys, heads, kv_heads, d;
    bool causal, back, merge, cudnn, add;
    list calls;        /* call */
    size_t some_heads; /* key heads that a call takes */
    bool direct;       /* cuDNN writes the gradients of keys in place */
    size_t parts, covered, all_tiles;
    cuda_room device; /* int64 numbers, then int32 lengths; or spans and tiles */
    size_t lengths_at;
    uint64_t used;
} program;

struct cuda_attention {
    sdpa *cudnn;
    program programs[PROGRAMS];
    uint64_t calls;
    cuda_room work, merged, part, sum; /* cuDNN's; o2 and lse2; partial gradients; their sums */
};

static size_t align(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* n rounded up to three significant bits, at least 64, so that few sizes occur. */
static size_t round_size(size_t n)
{
    size_t unit = 64;
    while (unit * 8 < n) unit *= 2;
    return align(n, unit);
}

/* Likewise; but one query of a forward pass stays one: cuDNN has kernels for decoding. */
static size_t round_queries(const program *p, size_t n)
{
    return n == 1 && !p->back ? 1 : round_size(n);
}

static size_t round_batch(size_t n)
{
    size_t b = 1;
    while (b < n) b *= 2;
    return b;
}

/* ---- lists ----------------------------------------------------------------------------- */

static void *push(list *l, size_t size)
{
    if (l->count == l->cap) {
        void *v = lm_grow(l->v, &l->cap, size, SIZE_MAX);
        if (!v) return NULL;
        l->v = v;
    }
    return (char *)l->v + size * l->count++;
}

static bool push_span(list *l, bk_span s)
{
    bk_span *to = push(l, sizeof s);
    if (to) *to = s;
    return to;
}

/* ---- from spans to calls --------------------------------------------------------------- */

/* Queries from .. from+n-1 of a span, and the keys they attend to. */
static bk_span piece_of(const bk_span *s, size_t from, size_t n, bool causal)
{
    size_t unseen = causal ? s->nq - from - n : 0;
    return (bk_span){ s->q + from, n, s->k, s->nk - unseen };
}

/* The number of queries of a span in one call. */
static size_t rows_at_once(const program *p, const bk_span *s)
{
    if (p->merge) return MERGE_ROWS;
    if (!p->back) return s->nq;
    size_t bytes = 2 * p->some_heads * (p->heads / p->kv_heads) * round_size(s->nk);
    size_t rows = size_max(CUT, BUDGET / bytes / CUT * CUT);
    while (round_size(rows) != rows) rows -= CUT;
    return rows;
}

static bool cut(const program *p, list *pieces)
{
    const bk_span *s = p->spans.v;
    for (size_t i = 0; i < p->spans.count; i++) {
        size_t step = rows_at_once(p, &s[i]);
        for (size_t at = 0; at < s[i].nq; at += step)
            if (!push_span(pieces, piece_of(&s[i], at, size_min(step, s[i].nq - at), p->causal)))
                return false;
    }
    return true;
}

/* Whether a piece may join a call whose pieces begin at v: none of them shares a key with it
 * (backward pass), and neither workspace nor padding become too large. */
static bool joins(const program *p, const call *c, const bk_span *v, const bk_span *next)
{
    size_t queries = size_max(c->queries, round_queries(p, next->nq)), sum = 0;
    size_t keys = size_max(c->keys, round_size(next->nk)), batch = round_batch(c->count + 1);
    if (c->count == BATCH || (c->queries == 1) != (round_queries(p, next->nq) == 1)) return false;
    if (p->merge && next->q + next->nq - c->first > MERGE_ROWS) return false;
    for (size_t i = 0; i < c->count; i++) {
        sum += v[i].nq;
        if (p->back && next->k < v[i].k + v[i].nk && v[i].k < next->k + next->nk) return false;
    }
    if (batch * queries > 4 * (sum + next->nq) + 4096) return false;
    return !p->back ||
           2 * batch * p->some_heads * (p->heads / p->kv_heads) * queries * keys <= BUDGET;
}

static bool group(program *p, const list *pieces)
{
    const bk_span *v = pieces->v;
    call *c = NULL;
    for (size_t i = 0; i < pieces->count; i++) {
        if (!c || !joins(p, c, &v[i - c->count], &v[i])) {
            if (!(c = push(&p->calls, sizeof *c))) return false;
            *c = (call){ .first = v[i].q };
        }
        c->count++;
        c->batch = round_batch(c->count);
        c->queries = size_max(c->queries, round_queries(p, v[i].nq));
        c->keys = size_max(c->keys, round_size(v[i].nk));
        c->rows = v[i].q + v[i].nq - c->first;
        c->parts += v[i].nk;
    }
    return true;
}

/* Whether the keys of pieces ascend with their queries, so that each key is in one at most. */
static bool apart(const list *pieces)
{
    const bk_span *v = pieces->v;
    for (size_t i = 1; i < pieces->count; i++)
        if (v[i].k < v[i - 1].k + v[i - 1].nk) return false;
    return true;
}

/* Key heads in one call: as many as the budgets allow, a divisor of all. */
static size_t heads_at_once(const program *p)
{
    const bk_span *s = p->spans.v;
    size_t scores = 0, group_size = p->heads / p->kv_heads, some = p->kv_heads;
    bool sums = p->add || !apart(&p->spans);
    for (size_t i = 0; i < p->spans.count; i++)
        scores = size_max(scores, round_size(s[i].nq) * round_size(s[i].nk));
    while (some > 1 && (p->kv_heads % some || 2 * some * group_size * scores > BUDGET ||
                        (sums && 8 * some * p->d * p->keys > SUMS)))
        some--;
    return some;
}

/* ---- arguments on the device ----------------------------------------------------------- */

/* The arguments of a call. Pieces past `count` are empty. */
static void fill(const program *p, const call *c, const bk_span *v, int64_t *numbers,
                 int32_t *lengths)
{
    size_t n = align(c->batch + 1, 2), part = 0, width = p->some_heads * p->d;
    int64_t *q = numbers, *k = q + n, *o = k + n, *stats = o + n, *grad = stats + n;
    int64_t *key = grad + n, *row = key + n;
    int32_t *q_len = lengths, *k_len = lengths + align(c->batch, 4);
    for (size_t i = 0; i <= c->batch; i++) {
        bool there = i < c->count;
        const bk_span *s = &v[there ? i : c->count - 1];
        size_t query = s->q + (there ? 0 : s->nq), keys = s->k + (there ? 0 : s->nk);
        size_t from = p->merge ? query - c->first : query;
        q[i] = (int64_t)(query * p->heads * p->d);
        k[i] = (int64_t)(keys * p->kv_heads * p->d);
        o[i] = (int64_t)(from * p->heads * p->d);
        stats[i] = (int64_t)(from * p->heads);
        grad[i] = (int64_t)(p->direct ? keys * p->kv_heads * p->d : part * width);
        key[i] = (int64_t)keys;
        row[i] = (int64_t)part;
        if (i == c->batch) break;
        q_len[i] = there ? (int32_t)s->nq : 0;
        k_len[i] = there ? (int32_t)s->nk : 0;
        part += there ? s->nk : 0;
    }
}

enum { OFFSETS = 7 };

static size_t numbers_of(const call *c) { return OFFSETS * align(c->batch + 1, 2); }
static size_t lengths_of(const call *c) { return 2 * align(c->batch, 4); }

static bool send(cuda_backend *b, program *p, const void *host, size_t bytes)
{
    return cuda_take(b, &p->device, bytes) &&
           cuda_check(b,
                      cudaMemcpyAsync(p->device.p, host, bytes, cudaMemcpyHostToDevice, b->stream),
                      "spans of attention");
}

static bool send_calls(cuda_backend *b, program *p, const list *pieces)
{
    size_t numbers = 0, lengths = 0, at = 0;
    call *calls = p->calls.v;
    for (size_t i = 0; i < p->calls.count; i++) {
        calls[i].numbers = numbers;
        calls[i].lengths = lengths;
        numbers += numbers_of(&calls[i]);
        lengths += lengths_of(&calls[i]);
    }
    p->lengths_at = numbers * sizeof(int64_t);
    size_t bytes = p->lengths_at + lengths * sizeof(int32_t);
    char *host = calloc(1, bytes);
    if (!host) return false;
    for (size_t i = 0; i < p->calls.count; i++) {
        fill(p, &calls[i], (const bk_span *)pieces->v + at,
             (int64_t *)(void *)host + calls[i].numbers,
             (int32_t *)(void *)(host + p->lengths_at) + calls[i].lengths);
        at += calls[i].count;
    }
    bool good = send(b, p, host, bytes);
    free(host);
    return good;
}

/* For own_attention.cu: the spans, and the number of query tiles before each. */
static bool send_spans(cuda_backend *b, program *p)
{
    const bk_span *s = p->spans.v;
    size_t n = p->spans.count, bytes = n * sizeof *s + (n + 1) * sizeof(int64_t);
    char *host = malloc(bytes);
    if (!host) return false;
    if (n) memcpy(host, s, n * sizeof *s);
    int64_t *tiles = (int64_t *)(void *)(host + n * sizeof *s);
    tiles[0] = 0;
    for (size_t i = 0; i < n; i++)
        tiles[i + 1] = tiles[i] + (int64_t)((s[i].nq + CUDA_ROWS - 1) / CUDA_ROWS);
    p->all_tiles = (size_t)tiles[n];
    bool good = send(b, p, host, bytes);
    free(host);
    return good;
}

/* ---- programs -------------------------------------------------------------------------- */

static bool build(cuda_backend *b, program *p)
{
    const bk_span *s = p->spans.v;
    for (size_t i = 0; i < p->spans.count; i++) p->covered += s[i].nq;
    if (!p->cudnn) return send_spans(b, p);
    list pieces = { 0 };
    p->some_heads = p->back ? heads_at_once(p) : p->kv_heads;
    bool good = cut(p, &pieces);
    p->direct = !p->add && apart(&pieces);
    good = good && group(p, &pieces) && send_calls(b, p, &pieces);
    const call *c = p->calls.v;
    for (size_t i = 0; i < p->calls.count; i++) p->parts = size_max(p->parts, c[i].parts);
    free(pieces.v);
    return good;
}

static bool fits(const program *p, const program *key, const bk_spans *s)
{
    return p->used && p->queries == key->queries && p->keys == key->keys && p->d == key->d &&
           p->heads == key->heads && p->kv_heads == key->kv_heads && p->causal == key->causal &&
           p->back == key->back && p->merge == key->merge && p->cudnn == key->cudnn &&
           p->add == key->add && p->spans.count == s->count &&
           (!s->count || !memcmp(p->spans.v, s->v, s->count * sizeof *s->v));
}

/* The program of a call, from the cache or new. NULL, with a sticky error, without memory. */
static program *program_of(cuda_backend *b, const program *key, const bk_spans *s)
{
    cuda_attention *a = b->attention;
    program *p = &a->programs[0];
    for (size_t i = 0; i < PROGRAMS; i++) {
        program *x = &a->programs[i];
        if (fits(x, key, s)) {
            x->used = ++a->calls;
            return x;
        }
        if (x->used < p->used) p = x;
    }
    list spans = p->spans, calls = p->calls;
    cuda_room device = p->device; /* kernels that read it are queued before the next copy into it */
    *p = *key;
    spans.count = calls.count = 0;
    p->spans = spans;
    p->calls = calls;
    p->device = device;
    bool good = true;
    for (size_t i = 0; good && i < s->count; i++) good = push_span(&p->spans, s->v[i]);
    if (good && build(b, p)) {
        p->used = ++a->calls;
        return p;
    }
    cuda_fault(b, LM_ENOMEM, "out of memory: the spans of a call of attention");
    return NULL;
}

/* ---- calls of cuDNN -------------------------------------------------------------------- */

static sdpa_shape shape_of(const program *p, const call *c)
{
    size_t heads = p->some_heads * (p->heads / p->kv_heads);
    return (sdpa_shape){ .back = p->back,
                         .causal = p->causal && c->queries > 1,
                         .batch = (int64_t)c->batch,
                         .heads = (int64_t)heads,
                         .kv_heads = (int64_t)p->some_heads,
                         .d = (int64_t)p->d,
                         .queries = (int64_t)c->queries,
                         .keys = (int64_t)c->keys,
                         .q_row = (int64_t)(p->heads * p->d),
                         .kv_row = (int64_t)(p->kv_heads * p->d),
                         .o_row = (int64_t)(p->heads * p->d),
                         .stats_row = (int64_t)p->heads,
                         .grad_row = (int64_t)((p->direct ? p->kv_heads : p->some_heads) * p->d) };
}

static sdpa_call arguments(const program *p, const call *c, double scale)
{
    size_t n = align(c->batch + 1, 2);
    const int64_t *at = (const int64_t *)p->device.p + c->numbers;
    const int32_t *length =
        (const int32_t *)(const void *)((const char *)p->device.p + p->lengths_at) + c->lengths;
    return (sdpa_call){ .q_at = at,
                        .kv_at = at + n,
                        .o_at = at + 2 * n,
                        .stats_at = at + 3 * n,
                        .grad_at = at + 4 * n,
                        .q_len = length,
                        .kv_len = length + align(c->batch, 4),
                        .scale = (float)scale };
}

static bool run(cuda_backend *b, const sdpa_shape *z, const sdpa_call *args)
{
    cuda_attention *a = b->attention;
    size_t bytes = 0;
    int rc = sdpa_workspace(a->cudnn, z, &bytes);
    void *work = rc ? NULL : cuda_take(b, &a->work, bytes);
    if (!rc && work) rc = sdpa_run(a->cudnn, z, args, work);
    if (rc) cuda_fault(b, rc, lm_err());
    return !rc && work;
}

static void forward_cudnn(cuda_backend *b, const program *p, bk_act *o, bk_acc *lse,
                          const bk_act *q, const bk_act *k, const bk_act *v, double scale)
{
    cuda_attention *a = b->attention;
    size_t width = p->heads * p->d, o_bytes = align(MERGE_ROWS * width * 2, 256);
    char *room = NULL;
    if (p->merge && !(room = cuda_take(b, &a->merged, o_bytes + MERGE_ROWS * p->heads * 4))) return;
    const call *c = p->calls.v;
    for (size_t i = 0; i < p->calls.count && !b->fault; i++, c++) {
        sdpa_shape z = shape_of(p, c);
        sdpa_call args = arguments(p, c, scale);
        bk_act *o2 = (bk_act *)room;
        float *lse2 = (float *)(void *)(room + o_bytes);
        args.q = q;
        args.k = k;
        args.v = v;
        args.o = p->merge ? o2 : o;
        args.stats = p->merge ? lse2 : (float *)lse;
        /* Queries between two spans have no result: their lse must be -infinity. */
        if (p->merge) cuda_fill_lowest(b, lse2, c->rows * p->heads);
        if (run(b, &z, &args) && p->merge)
            cuda_merge(b, bk_at(&b->table, o, c->first * width),
                       (float *)bk_acc_at(&b->table, lse, c->first * p->heads), o2, lse2, c->rows,
                       p->heads, p->d);
    }
}

typedef struct back_args {
    bk_act *dq, *dk, *dv;
    const bk_act *dout, *o, *q, *k, *v;
    const bk_acc *lse;
    double scale;
    bool add;
} back_args;

/* One call of a program, for the key heads from `head` on. */
static bool back_call(cuda_backend *b, const program *p, const call *c, const back_args *x,
                      size_t head, bk_act *part_k, bk_act *part_v)
{
    size_t group_size = p->heads / p->kv_heads, at = head * group_size * p->d, kv = head * p->d;
    backend *t = &b->table;
    sdpa_shape z = shape_of(p, c);
    sdpa_call args = arguments(p, c, x->scale);
    args.q = bk_at(t, x->q, at);
    args.k = bk_at(t, x->k, kv);
    args.v = bk_at(t, x->v, kv);
    args.o = bk_at(t, x->o, at);
    args.dout = bk_at(t, x->dout, at);
    args.stats = (float *)bk_acc_at(t, x->lse, head * group_size);
    args.dq = bk_at(t, x->dq, at);
    args.dk = p->direct ? bk_at(t, x->dk, kv) : part_k;
    args.dv = p->direct ? bk_at(t, x->dv, kv) : part_v;
    return run(b, &z, &args);
}

static void add_parts(cuda_backend *b, const program *p, const call *c, float *sum,
                      const bk_act *part)
{
    size_t n = align(c->batch + 1, 2), columns = p->some_heads * p->d;
    sdpa_call args = arguments(p, c, 0);
    cuda_gather_add(b, sum, part, args.q_at + 5 * n, args.q_at + 6 * n, args.kv_len, c->count,
                    c->keys, columns);
}

/* Gradients of the key heads from `head` on, by sums in float32. */
static void back_heads(cuda_backend *b, const program *p, const back_args *x, size_t head)
{
    cuda_attention *a = b->attention;
    size_t columns = p->some_heads * p->d, n = p->keys * columns;
    size_t part = align(p->parts * columns, 8);
    float *sum_k = cuda_take(b, &a->sum, 2 * n * sizeof(float));
    bk_act *part_k = cuda_take(b, &a->part, 2 * part * 2);
    if (!sum_k || !part_k) return;
    float *sum_v = sum_k + n;
    bk_act *part_v = bk_at(&b->table, part_k, part);
    b->table.zero_acc(&b->table, (bk_acc *)sum_k, 2 * n);
    const call *c = p->calls.v;
    for (size_t i = 0; i < p->calls.count; i++, c++) {
        if (!back_call(b, p, c, x, head, part_k, part_v)) return;
        add_parts(b, p, c, sum_k, part_k);
        add_parts(b, p, c, sum_v, part_v);
    }
    size_t row = p->kv_heads * p->d, at = head * p->d;
    cuda_put_sum(b, x->dk, sum_k, p->keys, row, at, columns, x->add);
    cuda_put_sum(b, x->dv, sum_v, p->keys, row, at, columns, x->add);
}

static void backward_cudnn(cuda_backend *b, const program *p, const back_args *x)
{
    size_t n = p->keys * p->kv_heads * p->d;
    if (p->direct) { /* keys in no span */
        b->table.zero_act(&b->table, x->dk, n);
        b->table.zero_act(&b->table, x->dv, n);
    }
    for (size_t head = 0; head < p->kv_heads && !b->fault; head += p->some_heads) {
        const call *c = p->calls.v;
        if (!p->direct) {
            back_heads(b, p, x, head);
            continue;
        }
        for (size_t i = 0; i < p->calls.count; i++, c++)
            if (!back_call(b, p, c, x, head, NULL, NULL)) return;
    }
}

/* ---- functions of the table --------------------------------------------------------------- */

/* Before Hopper cuDNN has no deterministic backward pass for ragged tensors. */
static bool by_cudnn(const cuda_backend *b, size_t d, bool back)
{
    if (b->attention_kind == CUDA_ATTENTION_OWN) return false;
    if (b->attention_kind == CUDA_ATTENTION_CUDNN) return true;
    return b->capability >= 90 && sdpa_takes(d, back);
}

static cuda_spans own_spans(const program *p)
{
    const bk_span *v = p->device.p;
    size_t n = p->spans.count;
    return (cuda_spans){ v,        (const int64_t *)(v + n), n, p->all_tiles, p->queries, p->keys,
                         p->causal };
}

static void attention(backend *t, bk_act *o, bk_acc *lse, const bk_act *q, const bk_act *k,
                      const bk_act *v, const bk_spans *spans, size_t heads, size_t kv_heads,
                      size_t d, double scale, bool merge)
{
    cuda_backend *b = cuda_of(t);
    program key = { .queries = spans->queries,
                    .keys = spans->keys,
                    .heads = heads,
                    .kv_heads = kv_heads,
                    .d = d,
                    .causal = spans->causal,
                    .merge = merge,
                    .cudnn = by_cudnn(b, d, false) };
    const program *p = b->fault ? NULL : program_of(b, &key, spans);
    if (!p) return;
    if (!merge && p->covered < spans->queries) {
        t->zero_act(t, o, spans->queries * heads * d);
        cuda_fill_lowest(b, (float *)lse, spans->queries * heads);
    }
    if (p->cudnn) {
        forward_cudnn(b, p, o, lse, q, k, v, scale);
    } else {
        cuda_spans s = own_spans(p);
        cuda_heads z = { heads, kv_heads, d, (float)scale };
        cuda_own_forward(b, o, lse, q, k, v, &s, &z, merge);
    }
}

static void attention_back(backend *t, bk_act *dq, bk_act *dk, bk_act *dv, bk_acc *delta,
                           const bk_act *dout, const bk_act *o, const bk_acc *lse, const bk_act *q,
                           const bk_act *k, const bk_act *v, const bk_spans *spans, size_t heads,
                           size_t kv_heads, size_t d, double scale, bool add)
{
    cuda_backend *b = cuda_of(t);
    program key = { .queries = spans->queries,
                    .keys = spans->keys,
                    .heads = heads,
                    .kv_heads = kv_heads,
                    .d = d,
                    .causal = spans->causal,
                    .back = true,
                    .add = add,
                    .cudnn = by_cudnn(b, d, true) };
    const program *p = b->fault ? NULL : program_of(b, &key, spans);
    if (!p) return;
    if (p->covered < spans->queries) t->zero_act(t, dq, spans->queries * heads * d);
    if (p->cudnn) {
        back_args x = { dq, dk, dv, dout, o, q, k, v, lse, scale, add };
        backward_cudnn(b, p, &x);
    } else {
        cuda_spans s = own_spans(p);
        cuda_heads z = { heads, kv_heads, d, (float)scale };
        cuda_own_backward(b, dq, dk, dv, delta, dout, o, lse, q, k, v, &s, &z, add);
    }
}

size_t cuda_attention_reserve(const cuda_backend *c)
{
    const cuda_attention *a = c->attention;
    size_t may = BUDGET + 2 * SUMS, has = 0;
    if (!a || !a->cudnn) return 0;
    has = a->work.bytes + a->merged.bytes + a->part.bytes + a->sum.bytes;
    return may > has ? may - has : 0;
}

int cuda_attention_open(cuda_backend *c)
{
    cuda_attention *a = calloc(1, sizeof *a);
    if (!a) return lm_fail_nomem(sizeof *a);
    c->attention = a;
    c->table.attention = attention;
    c->table.attention_back = attention_back;
    if (c->attention_kind == CUDA_ATTENTION_OWN) return LM_OK;
    if (c->attention_kind == CUDA_ATTENTION_AUTO && c->capability < 90) return LM_OK;
    return sdpa_open(&a->cudnn, c->stream);
}

void cuda_attention_close(cuda_backend *c)
{
    cuda_attention *a = c->attention;
    if (!a) return;
    for (size_t i = 0; i < PROGRAMS; i++) {
        free(a->programs[i].spans.v);
        free(a->programs[i].calls.v);
        cudaFree(a->programs[i].device.p);
    }
    sdpa_close(a->cudnn);
    cudaFree(a->work.p);
    cudaFree(a->merged.p);
    cudaFree(a->part.p);
    cudaFree(a->sum.p);
    free(a);
    c->attention = NULL;
}
