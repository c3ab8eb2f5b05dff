/* Dual Chunk Attention in the float64 build: the merged calls of attn_map.h compared with one
 * softmax over the matrix of relative positions of the paper, values and gradients. */
#include <math.h>

#include "check.h"
#include "lib/base/rng.h"
#include "train/model/model.h"

static backend *b;
static uint64_t drawn;

static void *block(size_t bytes)
{
    void *p = NULL;
    NEED(b->alloc(b, &p, bytes ? bytes : 1) == 0);
    return p;
}

static double *fresh(size_t n) { return block(n * sizeof(double)); }

static double *random_of(size_t n)
{
    double *x = fresh(n);
    drawn++;
    for (size_t i = 0; i < n; i++) x[i] = 2 * lm_unit(lm_hash4(17, drawn, i, 0)) - 1;
    return x;
}

static void release(void *p) { b->free(b, p, 0); }

#define ACT(p) ((bk_act *)(p))
#define ACC(p) ((bk_acc *)(p))
#define INT(p) ((bk_int *)(p))

/* ---- the definition -------------------------------------------------------------------- */

/* An et al. 2024, section 3: the relative position of key j as query i of one document sees it,
 * -1 where it does not. Chunks of s; c1 is the greatest position. */
static long relative(const attn_form *f, size_t i, size_t j)
{
    if (j > i) return -1;
    if (!f->stride) return (long)(i - j);
    size_t s = f->stride, c1 = f->clamp, chunks = i / s - j / s, key = j % s;
    if (chunks == 0) return (long)(i % s) - (long)key;
    if (chunks == 1 && f->successive) {
        /* The first c - s queries of a chunk keep the true distance, the others are at c1. */
        size_t at = i % s + s <= c1 ? i % s + s : c1;
        return (long)at - (long)key;
    }
    if (!f->inter) return -1;
    return (long)(c1 < 2 * s - 1 ? c1 : 2 * s - 1) - (long)key;
}

/* The data of a case. Documents are starts[0] .. starts[count]. */
static size_t N, H, K, D;
static double scale, base;
static double *q, *k, *v;
static const uint32_t *starts;
static size_t count;

/* The dot product of q and k at a relative position of `steps`, in pairs (i, i + d/2). */
static double rotated_dot(const double *x, const double *y, long steps)
{
    double sum = 0;
    for (size_t i = 0; i < D / 2; i++) {
        double angle = (double)steps * pow(base, -2 * (double)i / (double)D);
        double re = x[i] * y[i] + x[i + D / 2] * y[i + D / 2];
        double im = x[i + D / 2] * y[i] - x[i] * y[i + D / 2];
        sum += cos(angle) * re - sin(angle) * im;
    }
    return sum;
}

/* o[N, H, D] and lse[N, H], one softmax per query. */
static void dense(const attn_form *f, double *o, double *lse)
{
    for (size_t g = 0; g < count; g++)
        for (size_t i = starts[g]; i < starts[g + 1]; i++)
            for (size_t h = 0; h < H; h++) {
                double sum = 0, out[64] = { 0 };
                for (size_t j = starts[g]; j <= i; j++) {
                    long r = relative(f, i - starts[g], j - starts[g]);
                    if (r < 0) continue;
                    size_t at = (j * K + h / (H / K)) * D;
                    double e = exp(scale * rotated_dot(q + (i * H + h) * D, k + at, r));
                    sum += e;
                    for (size_t c = 0; c < D; c++) out[c] += e * v[at + c];
                }
                for (size_t c = 0; c < D; c++) o[(i * H + h) * D + c] = out[c] / sum;
                lse[i * H + h] = log(sum);
            }
}

/* ---- as a model uses the map ----------------------------------------------------------- */

static double *table(const attn_form *f, size_t length, size_t *positions)
{
    size_t p_max = *positions = attn_form_positions(f, length);
    double *t = fresh(p_max * D);
    for (size_t p = 0; p < p_max; p++)
        for (size_t i = 0; i < D / 2; i++) {
            double angle = (double)p * pow(base, -2 * (double)i / (double)D);
            t[p * D + i] = cos(angle);
            t[p * D + D / 2 + i] = sin(angle);
        }
    return t;
}

/* Spans meet the conditions of backend.h, and each position is in the table. */
static void check_map(const attn_map *m, size_t n, size_t keys, size_t positions)
{
    bool fine = m->parts == 1 || m->parts == ATTN_PARTS;
    for (size_t p = 0; p < m->parts; p++) {
        const bk_spans *s = &m->spans[p];
        fine = fine && s->causal == (p == ATTN_INTRA);
        fine = fine && (!s->count || (s->queries == n && s->keys == keys));
        for (size_t i = 0; i < s->count; i++) {
            const bk_span *e = &s->v[i];
            fine = fine && e->nq > 0 && e->nk > 0 && e->q + e->nq <= n && e->k + e->nk <= keys;
            fine = fine && (!s->causal || e->nq <= e->nk);
            fine = fine && (i == 0 || e->q >= e[-1].q + e[-1].nq);
        }
        for (size_t i = 0; i < n; i++)
            fine = fine && m->query[p][i] >= 0 && (size_t)m->query[p][i] < positions;
    }
    CHECK(fine);
    CHECK(m->spans[ATTN_INTRA].count > 0);
}

/* The queries of rows `from` .. from+n-1 over the rotated keys kr. */
static void merged(const attn_map *m, const double *turn, size_t from, size_t n, const double *kr,
                   double *o, double *lse)
{
    double *qr = fresh(n * H * D);
    for (size_t p = 0; p < m->parts; p++) {
        if (!m->spans[p].count) continue;
        b->rope(b, ACT(qr), ACT(q + from * H * D), INT(m->query[p]), ACC(turn), n, H, D, false,
                false);
        b->attention(b, ACT(o + from * H * D), ACC(lse + from * H), ACT(qr), ACT(kr), ACT(v),
                     &m->spans[p], H, K, D, scale, p > 0);
    }
    NEED(b->finish(b) == 0);
    release(qr);
}

static double largest(const double *x, const double *y, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs(x[i] - y[i]));
    return worst;
}

static void open_case(size_t n, size_t heads, size_t kv_heads, size_t d)
{
    N = n;
    H = heads;
    K = kv_heads;
    D = d;
    scale = 1.5 / sqrt((double)d);
    base = 50;
    q = random_of(n * H * D);
    k = random_of(n * K * D);
    v = random_of(n * K * D);
}

static void close_case(void)
{
    release(q);
    release(k);
    release(v);
}

static void say(const char *what, const attn_form *f, double off)
{
    static int said;
    if (said++ >= 20) return;
    fprintf(stderr,
            "%s: s %zu, c' %zu, parts %d%d, %zu tokens, %zu/%zu heads of %zu, "
            "%zu documents: off by %g\n",
            what, f->stride, f->clamp, f->successive, f->inter, N, H, K, D, count, off);
}

/* All tokens at once; then in pieces of `piece` tokens, each over the keys of the earlier ones. */
static void check_whole(const attn_form *f, const uint32_t *cuts, size_t documents, size_t heads,
                        size_t kv_heads, size_t d)
{
    starts = cuts;
    count = documents;
    open_case(cuts[documents], heads, kv_heads, d);
    size_t positions = 0;
    double *turn = table(f, N, &positions);
    double *o = fresh(N * H * D), *lse = fresh(N * H), *kr = fresh(N * K * D);
    double *want = fresh(N * H * D), *sum = fresh(N * H);
    attn_map m;
    NEED(attn_map_new(&m, f, N) == 0);
    attn_map_fill(&m, f, cuts, documents, 0);
    check_map(&m, N, N, positions);
    b->rope(b, ACT(kr), ACT(k), INT(m.query[ATTN_INTRA]), ACC(turn), N, K, D, false, false);
    merged(&m, turn, 0, N, kr, o, lse);
    dense(f, want, sum);
    double off = fmax(largest(o, want, N * H * D), largest(lse, sum, N * H));
    if (!(off < 1e-12)) say("at once", f, off);
    CHECK(off < 1e-12);
    attn_map_free(&m);
    release(turn);
    release(o);
    release(lse);
    release(want);
    release(sum);
    release(kr);
    close_case();
}

static void check_pieces(const attn_form *f, size_t n, size_t piece)
{
    const uint32_t cuts[] = { 0, (uint32_t)n };
    starts = cuts;
    count = 1;
    open_case(n, 4, 2, 4);
    size_t positions = 0;
    double *turn = table(f, N, &positions);
    double *o = fresh(N * H * D), *lse = fresh(N * H), *kr = fresh(N * K * D);
    double *want = fresh(N * H * D), *sum = fresh(N * H);
    attn_map m;
    NEED(attn_map_new(&m, f, piece) == 0);
    for (size_t past = 0; past < n; past += piece) {
        size_t now = n - past < piece ? n - past : piece;
        const uint32_t part[] = { 0, (uint32_t)now };
        attn_map_fill(&m, f, part, 1, past);
        check_map(&m, now, past + now, positions);
        b->rope(b, ACT(kr + past * K * D), ACT(k + past * K * D), INT(m.query[ATTN_INTRA]),
                ACC(turn), now, K, D, false, false);
        merged(&m, turn, past, now, kr, o, lse);
    }
    dense(f, want, sum);
    double off = fmax(largest(o, want, N * H * D), largest(lse, sum, N * H));
    if (!(off < 1e-12)) say("in pieces", f, off);
    CHECK(off < 1e-12);
    attn_map_free(&m);
    release(turn);
    release(o);
    release(lse);
    release(want);
    release(sum);
    release(kr);
    close_case();
}

/* Every boundary of one form: lengths, pieces, documents. */
static void check_form(attn_form f)
{
    size_t s = f.stride ? f.stride : 7, c = f.clamp + 1;
    size_t lengths[] = { 1,     s - 1,     s,     s + 1, 2 * s - 1, 2 * s,        2 * s + 1,
                         3 * s, 3 * s + 1, c - 1, c,     c + 1,     5 * s + s / 2 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        if (!lengths[i]) continue;
        const uint32_t one[] = { 0, (uint32_t)lengths[i] };
        check_whole(&f, one, 1, 2, 1, 4);
    }
    const uint32_t many[] = { 0, (uint32_t)s, (uint32_t)(s + 1), (uint32_t)(4 * s + 2),
                              (uint32_t)(6 * s + 1) };
    check_whole(&f, many, 4, 4, 2, 6);
    check_whole(&f, many, 4, 3, 3, 2);
    size_t n = 4 * s + 3, pieces[] = { 1, 2, 3, s - 1, s, s + 1, 2 * s + 1, n - 1 };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        if (pieces[i] && (pieces[i] > 2 || n < 300)) check_pieces(&f, n, pieces[i]);
}

static void test_forms(void)
{
    static const struct {
        const char *text;
        size_t trained;
    } named[] = { { "rope", 16 },
                  { "dca", 16 },
                  { "dca", 4 },
                  { "dca", 13 },
                  { "dca:chunkllama", 16 },
                  { "dca:chunkllama", 40 },
                  { "dca:12,4", 16 },
                  { "dca:16,8", 16 },
                  { "dca:5,1", 16 } };
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        attn_form f;
        NEED(attn_form_parse(&f, named[i].text, named[i].trained) == 0);
        check_form(f);
        if (!f.stride) continue;
        f.successive = false;
        check_form(f);
        f.inter = false;
        check_form(f);
        f.successive = true;
        check_form(f);
    }
    /* Chunks larger than the blocks of the backends. */
    check_form((attn_form){ .stride = 70, .clamp = 90, .successive = true, .inter = true });
    check_form((attn_form){ .stride = 260, .clamp = 300, .successive = true, .inter = true });
}

static void test_random(void)
{
    for (uint64_t i = 0; i < 300; i++) {
        size_t s = 1 + lm_hash4(1, i, 0, 0) % 40;
        attn_form f = { .stride = s,
                        .clamp = s + lm_hash4(1, i, 1, 0) % (s + 1),
                        .successive = lm_hash4(1, i, 2, 0) % 4 > 0,
                        .inter = lm_hash4(1, i, 3, 0) % 4 > 0 };
        uint32_t cuts[6] = { 0 };
        size_t documents = 1 + lm_hash4(1, i, 4, 0) % 5;
        for (size_t g = 0; g < documents; g++)
            cuts[g + 1] = cuts[g] + 1 + (uint32_t)(lm_hash4(1, i, 5, g) % (4 * s));
        size_t kv = 1 + lm_hash4(1, i, 6, 0) % 3, heads = kv * (1 + lm_hash4(1, i, 7, 0) % 3);
        check_whole(&f, cuts, documents, heads, kv, 2 * (1 + lm_hash4(1, i, 8, 0) % 5));
        check_pieces(&f, 1 + lm_hash4(1, i, 9, 0) % (6 * s), 1 + lm_hash4(1, i, 10, 0) % (3 * s));
    }
}

/* ---- forms by name --------------------------------------------------------------------- */

static void test_parse(void)
{
    static const struct {
        const char *text;
        size_t trained, stride, clamp;
    } good[] = { { "rope", 4096, 0, 0 },
                 { "dca", 4096, 3072, 4095 },
                 { "dca", 512, 384, 511 },
                 { "dca:chunkllama", 4096, 2560, 3072 },
                 { "dca:chunkllama", 512, 320, 384 },
                 { "dca:262144,8192", 262144, 253952, 262144 },
                 { "dca:100,50", 100, 50, 100 } };
    attn_form f;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK_OK(attn_form_parse(&f, good[i].text, good[i].trained));
        CHECK_EQ(f.stride, good[i].stride);
        if (f.stride) CHECK_EQ(f.clamp, good[i].clamp);
        if (f.stride) CHECK(f.successive && f.inter);
    }
    static const struct {
        const char *text;
        size_t trained;
        const char *says;
    } bad[] = { { "", 4096, "" },
                { "dense", 4096, "dense" },
                { "rope:2", 4096, "rope:2" },
                { "dca:", 4096, "dca:" },
                { "dca:paper", 4096, "dca:paper" },
                { "dca:10", 4096, "dca:10" },
                { "dca:10,", 4096, "dca:10," },
                { "dca:10,2,3", 4096, "dca:10,2,3" },
                { "dca:-10,2", 4096, "-10" },
                { "dca:10,-2", 4096, "-2" },
                { "dca: 10,2", 4096, " 10" },
                { "dca:0,0", 4096, "0" },
                { "dca:4097,100", 4096, "4096" }, /* a chunk longer than the trained length */
                { "dca:100,100", 4096, "100" },   /* c = w */
                { "dca:100,200", 4096, "200" },   /* c < w */
                { "dca:100,51", 4096, "51" },     /* the window is longer than the stride, 49 */
                { "dca:99999999999999999999,1", 4096, "99999999999999999999" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int rc = attn_form_parse(&f, bad[i].text, bad[i].trained);
        if (rc != LM_EUSAGE) fprintf(stderr, "\"%s\" is taken\n", bad[i].text);
        CHECK(rc == LM_EUSAGE);
        if (rc == LM_EUSAGE && !strstr(lm_err(), bad[i].says)) fprintf(stderr, "%s\n", lm_err());
        CHECK(rc != LM_EUSAGE || strstr(lm_err(), bad[i].says));
    }
    /* A very short trained length leaves a chunk of 0; no form may divide by it. */
    for (size_t trained = 1; trained < 20; trained++)
        for (int i = 0; i < 2; i++)
            if (!attn_form_parse(&f, i ? "dca:chunkllama" : "dca", trained))
                CHECK(f.stride > 0 && f.clamp >= f.stride - 1 && f.clamp <= trained);
}

/* ---- gradients ------------------------------------------------------------------------- */

static attn_map grad_map;
static double *turn, *weigh;

static double forward(void)
{
    double *o = fresh(N * H * D), *lse = fresh(N * H), *kr = fresh(N * K * D), sum = 0;
    b->rope(b, ACT(kr), ACT(k), INT(grad_map.query[ATTN_INTRA]), ACC(turn), N, K, D, false, false);
    merged(&grad_map, turn, 0, N, kr, o, lse);
    for (size_t i = 0; i < N * H * D; i++) sum += o[i] * weigh[i];
    release(o);
    release(lse);
    release(kr);
    return sum;
}

static void compare(const char *what, double *x, const double *grad, size_t n)
{
    const double h = 1e-5;
    double worst = 0, size = 0;
    for (size_t i = n % 3; i < n; i += n / 40 + 1) {
        double keep = x[i];
        x[i] = keep + h;
        double up = forward();
        x[i] = keep - h;
        double down = forward();
        x[i] = keep;
        worst = fmax(worst, fabs((up - down) / (2 * h) - grad[i]));
        size = fmax(size, fabs(grad[i]));
    }
    if (!(worst <= 2e-8 * fmax(1, size)))
        fprintf(stderr, "%s: off by %g of %g\n", what, worst, size);
    CHECK(worst <= 2e-8 * fmax(1, size) && size > 0);
}

/* The gradient of the merged calls is the sum of the gradients of each call, given o and lse of
 * the full softmax. */
static void check_gradient(attn_form f, const uint32_t *cuts, size_t documents, size_t heads,
                           size_t kv_heads, size_t d)
{
    starts = cuts;
    count = documents;
    open_case(cuts[documents], heads, kv_heads, d);
    size_t positions = 0;
    turn = table(&f, N, &positions);
    weigh = random_of(N * H * D);
    NEED(attn_map_new(&grad_map, &f, N) == 0);
    attn_map_fill(&grad_map, &f, cuts, documents, 0);
    double *o = fresh(N * H * D), *lse = fresh(N * H), *kr = fresh(N * K * D),
           *qr = fresh(N * H * D), *dqr = random_of(N * H * D), *dkr = random_of(N * K * D),
           *dq = fresh(N * H * D), *dk = fresh(N * K * D), *dv = random_of(N * K * D),
           *delta = fresh(N * H);
    b->rope(b, ACT(kr), ACT(k), INT(grad_map.query[ATTN_INTRA]), ACC(turn), N, K, D, false, false);
    merged(&grad_map, turn, 0, N, kr, o, lse);
    for (size_t p = 0; p < grad_map.parts; p++) {
        if (!grad_map.spans[p].count) continue;
        b->rope(b, ACT(qr), ACT(q), INT(grad_map.query[p]), ACC(turn), N, H, D, false, false);
        b->attention_back(b, ACT(dqr), ACT(dkr), ACT(dv), ACC(delta), ACT(weigh), ACT(o), ACC(lse),
                          ACT(qr), ACT(kr), ACT(v), &grad_map.spans[p], H, K, D, scale, p > 0);
        b->rope(b, ACT(dq), ACT(dqr), INT(grad_map.query[p]), ACC(turn), N, H, D, true, p > 0);
    }
    b->rope(b, ACT(dk), ACT(dkr), INT(grad_map.query[ATTN_INTRA]), ACC(turn), N, K, D, true, false);
    compare("dq", q, dq, N * H * D);
    compare("dk", k, dk, N * K * D);
    compare("dv", v, dv, N * K * D);
    attn_map_free(&grad_map);
    release(o);
    release(lse);
    release(kr);
    release(qr);
    release(dqr);
    release(dkr);
    release(dq);
    release(dk);
    release(dv);
    release(delta);
    release(turn);
    release(weigh);
    close_case();
}

static void test_gradients(void)
{
    const uint32_t one[] = { 0, 61 }, three[] = { 0, 30, 31, 75 }, wide[] = { 0, 280 };
    attn_form f = { .stride = 8, .clamp = 11, .successive = true, .inter = true };
    check_gradient(f, one, 1, 4, 2, 4);
    check_gradient(f, three, 3, 3, 1, 6);
    f.successive = false;
    check_gradient(f, three, 3, 2, 2, 2);
    f.inter = false;
    check_gradient(f, one, 1, 2, 1, 4);
    f.successive = true;
    check_gradient(f, one, 1, 2, 1, 4);
    f = (attn_form){ .stride = 70, .clamp = 90, .successive = true, .inter = true };
    check_gradient(f, wide, 1, 2, 1, 4);
    check_gradient((attn_form){ 0 }, three, 3, 4, 2, 4);
}

/* ---- a model that trains with it ------------------------------------------------------- */

static double loss_of(tr_model *m, const tr_batch *t, float *losses)
{
    double sum = 0;
    NEED(tr_model_forward_backward(m, t, 0, losses) == 0);
    for (size_t i = 0; i < t->n; i++) sum += (double)losses[i];
    return sum;
}

/* Each weight's gradient compared with a finite difference along it. Losses are float32, so the
 * steps are large and extrapolated. */
static void check_model(attn_form f, double mscale, bool recompute, bool keep)
{
    enum { TOKENS = 70, VOCAB = 11 };
    tr_config c = { .dim = 12,
                    .mlp = 20,
                    .layers = 2,
                    .heads = 4,
                    .kv_heads = 2,
                    .head_dim = 4,
                    .vocab = VOCAB,
                    .positions = 16,
                    .norm_eps = 1e-5,
                    .init_std = 0.3,
                    .rope = { .theta = 100, .attention_factor = 1 } };
    tr_layout l = { .tokens = TOKENS,
                    .length = TOKENS,
                    .slice = BK_BLOCK,
                    .attention = f,
                    .mscale = mscale,
                    .train = true,
                    .recompute = recompute,
                    .keep_attention = keep };
    tr_model *m = NULL;
    NEED(tr_model_new(&m, &c, &l, b) == 0 && tr_model_init(m, 5) == 0);
    int32_t ids[TOKENS], targets[TOKENS];
    static const uint32_t two[] = { 0, 23, TOKENS };
    float losses[TOKENS];
    for (size_t i = 0; i < TOKENS; i++) {
        ids[i] = (int32_t)(lm_hash4(1, i, 0, 0) % VOCAB);
        targets[i] = i % 9 == 4 ? -1 : (int32_t)(lm_hash4(2, i, 0, 0) % VOCAB);
    }
    tr_batch t = { .n = TOKENS, .ids = ids, .targets = targets, .count = 2, .starts = two };
    NEED(tr_model_forward_backward(m, &t, 1, losses) == 0);
    for (size_t p = 0; p < tr_model_params(m); p++) {
        tr_param *w = tr_model_param(m, p);
        double *x = (double *)w->w, norm = 0, at[4], h = 1e-2;
        static const double moves[] = { 1, -2, 1.5, -1, 0.5 };
        const double *g = (const double *)w->grad;
        size_t n = tr_param_count(w);
        for (size_t i = 0; i < n; i++) norm += g[i] * g[i];
        norm = sqrt(norm);
        CHECK(norm > 0);
        for (size_t step = 0; step < 5; step++) {
            for (size_t i = 0; i < n; i++) x[i] += moves[step] * h * g[i] / norm;
            if (step < 4) at[step] = loss_of(m, &t, losses);
        }
        double wide = (at[0] - at[1]) / (2 * h), near = (at[2] - at[3]) / h;
        double slope = (4 * near - wide) / 3;
        if (!(fabs(slope - norm) <= 2e-4 * norm))
            fprintf(stderr, "%s: slope %.9g, gradient %.9g\n", w->name, slope, norm);
        CHECK(fabs(slope - norm) <= 2e-4 * norm);
    }
    tr_model_free(m);
}

int main(void)
{
    NEED(bk_cpu_open(&b, 1) == 0);
    test_parse();
    test_forms();
    test_random();
    test_gradients();
    attn_form f = { .stride = 9, .clamp = 12, .successive = true, .inter = true };
    check_model(f, 0, false, false);
    check_model(f, 0.1, true, false);
    check_model(f, 0, true, true);
    b->close(b);
    CHECK_END();
}
