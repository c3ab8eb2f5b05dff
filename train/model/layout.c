/* A model in memory: names and shapes of its parameters, the memory it needs, counted or allocated,
 * and its life. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/buf.h"
#include "train/minmax.h"
#include "train/model/internal.h"

const char *const tr_memory_names[TR_MEM_KINDS] = {
    "weights",
    "gradients",
    "optimizer state",
    "activations saved for backward",
    "saved attention outputs",
    "KV cache",
    "layer workspace",
    "chunked MLP and logits",
};

/* ---- memory ---------------------------------------------------------------------------- */

/* One walk over all buffers of a model either counts or allocates them. */
typedef struct arena {
    tr_plan plan;
    backend *b;  /* for the sizes of elements */
    tr_model *m; /* NULL: count only */
    int rc;
} arena;

/* Sums saturate: the plan is refused later. */
static void count_up(size_t *sum, size_t bytes)
{
    if (__builtin_add_overflow(*sum, bytes, sum)) *sum = SIZE_MAX;
}

static void *alloc_from(arena *t, bool host, enum tr_memory kind, size_t count, size_t width)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, width, &bytes)) bytes = SIZE_MAX;
    count_up(host ? &t->plan.host[kind] : &t->plan.bytes[kind], bytes);
    count_up(host ? &t->plan.host_total : &t->plan.total, bytes);
    if (!t->m || t->rc) return NULL;
    tr_model *m = t->m;
    if (m->n_blocks == m->cap_blocks) {
        void *p = lm_grow(m->blocks, &m->cap_blocks, sizeof *m->blocks, SIZE_MAX);
        if (!p) {
            t->rc = LM_ENOMEM;
            return NULL;
        }
        m->blocks = p;
    }
    void *p = NULL;
    t->rc = (host ? m->b->alloc_host : m->b->alloc)(m->b, &p, bytes);
    if (t->rc) return NULL;
    m->blocks[m->n_blocks].p = p;
    m->blocks[m->n_blocks].host = host;
    m->blocks[m->n_blocks++].bytes = bytes;
    return p;
}

static void *alloc(arena *t, enum tr_memory kind, size_t count, size_t width)
{
    return alloc_from(t, false, kind, count, width);
}

static bk_act *alloc_act(arena *t, enum tr_memory kind, size_t n)
{
    return alloc(t, kind, n, t->b->act_bytes);
}

static bk_acc *alloc_acc(arena *t, enum tr_memory kind, size_t n)
{
    return alloc(t, kind, n, t->b->acc_bytes);
}

/* The offset of each parameter in their concatenation, and the share of each rank. */
static void place_params(tr_model *m, const tr_layout *l)
{
    enum { ALIGN = 64 };                /* elements: for vector loads and matrix products */
    const size_t max = SIZE_MAX / 1024; /* more than any memory */
    size_t all = 0, ranks = (size_t)m->ranks->size;
    for (size_t i = 0; i < m->n_params; i++) {
        m->params[i].at = all;
        size_t n = tr_param_count(&m->params[i]);
        all = n > max - all ? max : all + (n + ALIGN - 1) / ALIGN * ALIGN;
    }
    m->share = l->train ? ((all + ranks - 1) / ranks + ALIGN - 1) / ALIGN * ALIGN : all;
}

static void alloc_state(arena *t, const tr_layout *l, tr_model *m)
{
    const size_t stage = l->stage ? l->stage : (size_t)4 << 20;
    m->staged = stage < m->share ? stage : m->share;
    for (size_t k = 0; k < (t->b->master ? TR_STATES : TR_STATE_MASTER); k++) {
        if (!l->offload_optimizer) {
            m->state[k] = alloc_acc(t, TR_MEM_OPTIMIZER, m->share);
            continue;
        }
        m->host_state[k] = alloc_from(t, true, TR_MEM_OPTIMIZER, m->share, t->b->acc_bytes);
        for (size_t i = 0; i < BK_LANES; i++)
            m->stage[i][k] = alloc_acc(t, TR_MEM_OPTIMIZER, m->staged);
    }
}

static enum bk_packing packing_of(const tr_layout *l)
{
    return l->weights == TR_WEIGHTS_BFLOAT16 ? BK_BFLOAT16 : BK_FLOAT32;
}

/* Matrices and the embedding as the backend packs them; vectors are plain. */
static void alloc_packed(arena *t, const tr_layout *l, tr_model *m)
{
    m->packing = packing_of(l);
    for (size_t i = 0; i < m->n_params; i++) {
        tr_param *p = &m->params[i];
        if (p->vector) p->w = alloc_act(t, TR_MEM_WEIGHTS, p->cols);
        else
            p->packed =
                alloc(t, TR_MEM_WEIGHTS, 1, t->b->packed_bytes(t->b, p->rows, p->cols, m->packing));
    }
}

static void alloc_params(arena *t, const tr_layout *l, tr_model *m)
{
    m->ranks = l->ranks ? l->ranks : comm_alone();
    place_params(m, l);
    if (l->weights != TR_WEIGHTS_PLAIN && t->b->pack) {
        alloc_packed(t, l, m);
        return;
    }
    size_t all = m->share * (l->train ? (size_t)m->ranks->size : 1);
    m->weights = alloc_act(t, TR_MEM_WEIGHTS, all);
    if (l->train) m->gradients = alloc_acc(t, TR_MEM_GRADIENTS, all);
    for (size_t i = 0; i < m->n_params; i++) {
        tr_param *p = &m->params[i];
        if (m->weights) p->w = bk_at(t->b, m->weights, p->at);
        if (m->gradients) p->grad = bk_acc_at(t->b, m->gradients, p->at);
    }
    if (l->train) alloc_state(t, l, m);
}

/* In inference norms of heads are computed in place: no backward pass needs what was there. */
static void alloc_head_norms(arena *t, const tr_config *c, const tr_layout *l, layer *y,
                             enum tr_memory kind)
{
    size_t n = l->tokens;
    y->q_rstd = alloc_acc(t, kind, n * c->heads);
    y->k_rstd = alloc_acc(t, kind, n * c->kv_heads);
    if (!l->train) return;
    y->q_in = alloc_act(t, kind, n * c->heads * c->head_dim);
    y->k_in = alloc_act(t, kind, n * c->kv_heads * c->head_dim);
}

static void alloc_layers(arena *t, const tr_config *c, const tr_layout *l, layer *layers)
{
    size_t n = l->tokens, q = n * c->heads * c->head_dim, kv_row = c->kv_heads * c->head_dim;
    bool each = l->train && !l->recompute, attention = each || (l->train && l->keep_attention);
    for (size_t i = 0; i < c->layers; i++) {
        layer *y = &layers[i];
        bool own = each || i == 0;
        enum tr_memory kind = each ? TR_MEM_ACTIVATIONS : TR_MEM_WORK;
        if (!own) {
            layer of = *y;
            *y = layers[0];
            memcpy(y->w, of.w, sizeof y->w);
            y->host = NULL;
        }
        /* Two buffers alternate where inputs are not saved for backward, or on the host. */
        bool alternate = !l->train || l->offload_checkpoints;
        if (!alternate || i < 2) y->x = alloc_act(t, TR_MEM_ACTIVATIONS, n * c->dim);
        else y->x = layers[i - 2].x;
        if (l->train && l->offload_checkpoints && i + 2 < c->layers)
            y->host = alloc_from(t, true, TR_MEM_ACTIVATIONS, n * c->dim, t->b->act_bytes);
        if (own || attention) {
            enum tr_memory here = each        ? TR_MEM_ACTIVATIONS
                                  : attention ? TR_MEM_ATTENTION
                                              : TR_MEM_WORK;
            y->o = alloc_act(t, here, q);
            y->lse = alloc_acc(t, here, n * c->heads);
        }
        if (own || l->cache) {
            size_t rows = l->cache ? l->cache : n;
            y->k = alloc_act(t, l->cache ? TR_MEM_KV_CACHE : kind, rows * kv_row);
            y->v = alloc_act(t, l->cache ? TR_MEM_KV_CACHE : kind, rows * kv_row);
        }
        if (!own) continue;
        y->h = alloc_act(t, kind, n * c->dim);
        y->q = alloc_act(t, kind, q);
        y->mid = alloc_act(t, kind, n * c->dim);
        y->h2 = alloc_act(t, kind, n * c->dim);
        y->rstd = alloc_acc(t, kind, n);
        y->rstd2 = alloc_acc(t, kind, n);
        if (c->head_norm) alloc_head_norms(t, c, l, y, kind);
        y->gate = alloc_act(t, each ? kind : TR_MEM_CHUNK, (each ? n : l->slice) * c->mlp);
        y->up = alloc_act(t, each ? kind : TR_MEM_CHUNK, (each ? n : l->slice) * c->mlp);
    }
}

/* Positions of queries and keys. With one part both are rotated in place, at the same positions. */
static void alloc_positions(arena *t, const tr_config *c, const tr_layout *l, tr_model *m)
{
    size_t n = l->tokens, q = n * c->heads * c->head_dim;
    size_t rows = attn_form_positions(&l->attention, l->length);
    if (l->any_form) rows = size_max(l->length, tr_config_trained(c) + 1);
    m->rope = alloc_acc(t, TR_MEM_WORK, rows * c->head_dim);
    m->at_query[ATTN_INTRA] = alloc(t, TR_MEM_WORK, n, 4);
    if (!l->attention.stride && !l->any_form) return;
    m->at_query[ATTN_SUCCESSIVE] = alloc(t, TR_MEM_WORK, n, 4);
    m->at_query[ATTN_INTER] = alloc(t, TR_MEM_WORK, n, 4);
    m->q_rot = alloc_act(t, TR_MEM_WORK, q);
    if (l->train) m->dq_rot = alloc_act(t, TR_MEM_WORK, q);
}

static void alloc_all(arena *t, const tr_config *c, const tr_layout *l, tr_model *m)
{
    size_t n = l->tokens, q = n * c->heads * c->head_dim, kv = n * c->kv_heads * c->head_dim;
    alloc_params(t, l, m);
    alloc_layers(t, c, l, m->layers);
    m->out = alloc_act(t, TR_MEM_ACTIVATIONS, n * c->dim);
    m->norm = alloc_act(t, TR_MEM_WORK, n * c->dim);
    m->rstd = alloc_acc(t, TR_MEM_WORK, n);
    m->loss = alloc_acc(t, TR_MEM_WORK, n);
    m->ids = alloc(t, TR_MEM_WORK, n, 4);
    m->targets = alloc(t, TR_MEM_WORK, n, 4);
    alloc_positions(t, c, l, m);
    m->act = alloc_act(t, TR_MEM_CHUNK, l->slice * c->mlp);
    m->logits = alloc_act(t, TR_MEM_CHUNK, l->slice * c->vocab);
    if (!l->train) return;
    m->dx = alloc_act(t, TR_MEM_WORK, n * c->dim);
    m->dh = alloc_act(t, TR_MEM_WORK, n * c->dim);
    m->dout = alloc_act(t, TR_MEM_WORK, q);
    m->dq = alloc_act(t, TR_MEM_WORK, q);
    m->dk = alloc_act(t, TR_MEM_WORK, kv);
    m->dv = alloc_act(t, TR_MEM_WORK, kv);
    m->delta = alloc_acc(t, TR_MEM_WORK, n * c->heads);
    m->dact = alloc_act(t, TR_MEM_CHUNK, l->slice * c->mlp);
    m->dup = alloc_act(t, TR_MEM_CHUNK, l->slice * c->mlp);
}

/* What a layer may have; rows 0: a vector. */
typedef struct kind {
    const char *name; /* in "model.layers.N." */
    size_t rows, cols;
    bool absent, bias;
} kind;

static void kinds_of(kind all[LAYER_PARAMS], const tr_config *c)
{
    size_t d = c->dim, q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim, f = c->mlp;
    bool in = !c->qkv_bias, out = !c->out_bias, mlp = !c->mlp_bias, norm = !c->head_norm;
    const kind list[LAYER_PARAMS] = {
        [ATTN_NORM] = { "input_layernorm.weight", 0, d, false, false },
        [WQ] = { "self_attn.q_proj.weight", q, d, false, false },
        [BIAS_Q] = { "self_attn.q_proj.bias", 0, q, in, true },
        [WK] = { "self_attn.k_proj.weight", kv, d, false, false },
        [BIAS_K] = { "self_attn.k_proj.bias", 0, kv, in, true },
        [WV] = { "self_attn.v_proj.weight", kv, d, false, false },
        [BIAS_V] = { "self_attn.v_proj.bias", 0, kv, in, true },
        [WO] = { "self_attn.o_proj.weight", d, q, false, false },
        [BIAS_O] = { "self_attn.o_proj.bias", 0, d, out, true },
        [Q_NORM] = { "self_attn.q_norm.weight", 0, c->head_dim, norm, false },
        [K_NORM] = { "self_attn.k_norm.weight", 0, c->head_dim, norm, false },
        [MLP_NORM] = { "post_attention_layernorm.weight", 0, d, false, false },
        [GATE] = { "mlp.gate_proj.weight", f, d, false, false },
        [BIAS_GATE] = { "mlp.gate_proj.bias", 0, f, mlp, true },
        [UP] = { "mlp.up_proj.weight", f, d, false, false },
        [BIAS_UP] = { "mlp.up_proj.bias", 0, f, mlp, true },
        [DOWN] = { "mlp.down_proj.weight", d, f, false, false },
        [BIAS_DOWN] = { "mlp.down_proj.bias", 0, d, mlp, true },
    };
    memcpy(all, list, sizeof list);
}

static size_t count_params(const tr_config *c)
{
    kind all[LAYER_PARAMS];
    size_t each = 0;
    kinds_of(all, c);
    for (size_t k = 0; k < LAYER_PARAMS; k++) each += !all[k].absent;
    return 1 + c->layers * each + 1 + (c->tied ? 0 : 1);
}

static tr_param *name_param(tr_param *p, const char *name, size_t rows, size_t cols)
{
    snprintf(p->name, sizeof p->name, "%s", name);
    p->rows = rows ? rows : 1;
    p->cols = cols;
    p->vector = !rows;
    return p;
}

static void name_params(tr_model *m, const tr_config *c)
{
    kind all[LAYER_PARAMS];
    char name[sizeof m->params->name];
    tr_param *p = m->params;
    kinds_of(all, c);
    name_param(p++, "model.embed_tokens.weight", c->vocab, c->dim);
    for (size_t i = 0; i < c->layers; i++)
        for (size_t k = 0; k < LAYER_PARAMS; k++) {
            if (all[k].absent) continue;
            snprintf(name, sizeof name, "model.layers.%zu.%s", i, all[k].name);
            m->layers[i].w[k] = name_param(p++, name, all[k].rows, all[k].cols);
            m->layers[i].w[k]->bias = all[k].bias;
        }
    name_param(p++, "model.norm.weight", 0, c->dim);
    if (!c->tied) name_param(p++, "lm_head.weight", c->vocab, c->dim);
}

void tr_model_free(tr_model *m)
{
    if (!m) return;
    for (size_t i = 0; i < m->n_blocks; i++)
        (m->blocks[i].host ? m->b->free_host : m->b->free)(m->b, m->blocks[i].p,
                                                           m->blocks[i].bytes);
    attn_map_free(&m->map);
    free(m->blocks);
    free(m->params);
    free(m->layers);
    free(m);
}

static int new_shapes(tr_model **out, const tr_config *c)
{
    tr_model *m = calloc(1, sizeof *m);
    if (m) {
        m->c = c;
        m->n_params = count_params(c);
        m->params = calloc(m->n_params, sizeof *m->params);
        m->layers = calloc(c->layers, sizeof *m->layers);
    }
    *out = m;
    if (!m || !m->params || !m->layers) {
        tr_model_free(m);
        *out = NULL;
        return lm_fail_nomem(c->layers * sizeof(layer));
    }
    name_params(m, c);
    return LM_OK;
}

int tr_model_plan(tr_plan *out, const tr_config *c, const tr_layout *l, backend *b)
{
    tr_model *m = NULL;
    int rc = new_shapes(&m, c);
    if (rc) return rc;
    arena t = { .b = b };
    alloc_all(&t, c, l, m);
    *out = t.plan;
    tr_model_free(m);
    return LM_OK;
}

/* ---- a model ---------------------------------------------------------------------------- */

static int check_layout(const tr_layout *l)
{
    if (!l->tokens || !l->length || !l->slice || l->slice % BK_BLOCK || l->tokens > INT32_MAX)
        return lm_fail(LM_EUSAGE,
                       "a layout of %zu tokens, sequences of %zu, chunks of %zu (a multiple of %d)",
                       l->tokens, l->length, l->slice, BK_BLOCK);
    if (l->weights != TR_WEIGHTS_PLAIN && l->train)
        return lm_fail(LM_EUSAGE, "a layout of packed weights that trains");
    if (l->cache && (l->train || l->cache > INT32_MAX))
        return lm_fail(LM_EUSAGE, "a layout that caches %zu tokens%s", l->cache,
                       l->train ? " and trains" : "");
    return LM_OK;
}

int tr_model_set_attention(tr_model *m, const tr_layout *l)
{
    const tr_config *c = m->c;
    size_t rows = attn_form_positions(&l->attention, l->length);
    float *table = malloc(rows * c->head_dim * sizeof *table);
    if (!table) return lm_fail_nomem(rows * c->head_dim * sizeof *table);
    attn_map_free(&m->map);
    int rc = attn_map_new(&m->map, &l->attention, m->l.tokens);
    if (!rc) {
        tr_rope_table(c, l->length, table, rows);
        m->b->put_acc(m->b, m->rope, table, rows * c->head_dim);
        rc = m->b->finish(m->b);
    }
    free(table);
    m->l.attention = l->attention;
    m->l.length = l->length;
    double grown = (double)l->length / (double)tr_config_trained(c);
    double factor = grown > 1 ? l->mscale * log(grown) + 1 : 1;
    m->score_scale = factor * factor / sqrt((double)c->head_dim);
    return rc;
}

int tr_model_new(tr_model **out, const tr_config *c, const tr_layout *l, backend *b)
{
    *out = NULL;
    tr_model *m = NULL;
    int rc = check_layout(l);
    if (!rc) rc = new_shapes(&m, c);
    if (rc) return rc;
    m->b = b;
    m->l = *l;
    arena t = { .b = b, .m = m };
    alloc_all(&t, c, l, m);
    rc = t.rc;
    if (!rc) rc = tr_model_set_attention(m, l);
    if (rc) tr_model_free(m);
    else *out = m;
    return rc;
}
