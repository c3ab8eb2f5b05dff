#include "train/model/internal.h"

#include <inttypes.h>

backend *tr_model_backend(const tr_model *m) { return m->b; }
comm *tr_model_ranks(const tr_model *m) { return m->ranks; }
size_t tr_model_params(const tr_model *m) { return m->n_params; }
tr_param *tr_model_param(tr_model *m, size_t i) { return &m->params[i]; }

/* ---- layer inputs in host memory --------------------------------------------------------- */

/* With offload_checkpoints two buffers on the device alternate, each with a lane of its own. The
 * inputs of the last two layers are still on the device when the backward pass begins. */
static bool is_offloaded(const tr_model *m, size_t i) { return m->layers[i].host != NULL; }
static int lane_of(size_t i) { return (int)(i % BK_LANES); }

static size_t input_bytes(const tr_model *m, const tr_batch *t)
{
    return t->n * m->c->dim * m->b->act_bytes;
}

/* Start to copy layer i's input to the host; the layer's work overlaps with it. */
static void offload_input(tr_model *m, const tr_batch *t, size_t i)
{
    const layer *y = &m->layers[i];
    if (is_offloaded(m, i)) m->b->store(m->b, y->host, y->x, input_bytes(m, t), lane_of(i));
}

/* Start to copy it back; the work of the layer above overlaps with that. */
static void prefetch_input(tr_model *m, const tr_batch *t, size_t i)
{
    const layer *y = &m->layers[i];
    if (is_offloaded(m, i)) m->b->fetch(m->b, y->x, y->host, input_bytes(m, t), lane_of(i));
}

/* Before layer i's input is used, or its buffer written for layer i + 2. */
static void wait_transfer(tr_model *m, size_t i)
{
    if (is_offloaded(m, i)) m->b->join(m->b, lane_of(i));
}

/* ---- forward --------------------------------------------------------------------------- */

static bk_act *rows_at(const tr_model *m, const bk_act *p, size_t row, size_t cols)
{
    return bk_at(m->b, p, row * cols);
}

static void embed(tr_model *m, bk_act *x, size_t n)
{
    const tr_param *w = &m->params[0];
    backend *b = m->b;
    if (w->packed) b->packed_embed(b, x, w->packed, m->ids, n, w->cols, m->packing);
    else b->embed(b, x, w->w, m->ids, n, w->cols);
}

/* y->o and y->lse from rotated keys and from queries, which are rotated already with one part. */
static void attention_forward(tr_model *m, layer *y, size_t n)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    const attn_map *map = &m->map;
    for (size_t i = 0; i < map->parts; i++) {
        const bk_act *q = y->q;
        if (!map->spans[i].count) continue;
        if (map->parts > 1) {
            b->rope(b, m->q_rot, y->q, m->at_query[i], m->rope, n, c->heads, c->head_dim, false,
                    false);
            q = m->q_rot;
        }
        (m->params[0].packed ? b->read_attention : b->attention)(
            b, y->o, y->lse, q, y->k, y->v, &map->spans[i], c->heads, c->kv_heads, c->head_dim,
            m->score_scale, i > 0);
    }
}

/* y[n, rows] = x w^T, and a bias where the model has one; added to y when `add`. */
static void product(tr_model *m, bk_act *y, const bk_act *x, const tr_param *w,
                    const tr_param *bias, size_t n, bool add)
{
    backend *b = m->b;
    if (w->packed) b->packed_linear(b, y, x, w->packed, n, w->cols, w->rows, m->packing, add);
    else b->linear(b, y, x, w->w, n, w->cols, w->rows, add);
    if (bias) b->bias(b, y, bias->w, n, w->rows);
}

/* Gradients of the weight and the bias of such a product. */
static void product_back(tr_model *m, const tr_param *w, const tr_param *bias, const bk_act *dy,
                         const bk_act *x, size_t n)
{
    m->b->linear_dw(m->b, w->grad, dy, x, n, w->cols, w->rows);
    if (bias) m->b->bias_back(m->b, bias->grad, dy, n, w->rows);
}

/* q and k of all heads, normalized head by head where the model does that. */
static void queries_and_keys(tr_model *m, layer *y, bk_act *k, size_t n)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    tr_param *const *w = y->w;
    bk_act *q_in = y->q_in ? y->q_in : y->q, *k_in = y->k_in ? y->k_in : k;
    product(m, q_in, y->h, w[WQ], w[BIAS_Q], n, false);
    product(m, k_in, y->h, w[WK], w[BIAS_K], n, false);
    if (!c->head_norm) return;
    b->rmsnorm(b, y->q, y->q_rstd, q_in, w[Q_NORM]->w, n * c->heads, c->head_dim, c->norm_eps);
    b->rmsnorm(b, k, y->k_rstd, k_in, w[K_NORM]->w, n * c->kv_heads, c->head_dim, c->norm_eps);
}

/* The attention block: norm, projections, attention, residual (y->mid) and its norm. With
 * `have_attention` the attention output was saved. */
static void attn_block_forward(tr_model *m, layer *y, const tr_batch *t, bool have_attention)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    tr_param *const *w = y->w;
    size_t n = t->n, kv = c->kv_heads * c->head_dim;
    bk_act *k = rows_at(m, y->k, t->past, kv), *v = rows_at(m, y->v, t->past, kv);
    b->rmsnorm(b, y->h, y->rstd, y->x, w[ATTN_NORM]->w, n, c->dim, c->norm_eps);
    queries_and_keys(m, y, k, n);
    product(m, v, y->h, w[WV], w[BIAS_V], n, false);
    b->rope(b, k, k, m->at_query[ATTN_INTRA], m->rope, n, c->kv_heads, c->head_dim, false, false);
    if (m->map.parts == 1)
        b->rope(b, y->q, y->q, m->at_query[ATTN_INTRA], m->rope, n, c->heads, c->head_dim, false,
                false);
    if (!have_attention) attention_forward(m, y, n);
    b->copy_act(b, y->mid, y->x, n * c->dim);
    product(m, y->mid, y->o, w[WO], w[BIAS_O], n, true);
    b->rmsnorm(b, y->h2, y->rstd2, y->mid, w[MLP_NORM]->w, n, c->dim, c->norm_eps);
}

/* The row of gate and up for token `at`. */
static size_t mlp_row(const tr_model *m, size_t at)
{
    return m->l.train && !m->l.recompute ? at : 0;
}

static void gate_and_up(tr_model *m, layer *y, size_t at, size_t n)
{
    const tr_config *c = m->c;
    tr_param *const *w = y->w;
    const bk_act *h = rows_at(m, y->h2, at, c->dim);
    size_t row = mlp_row(m, at);
    product(m, rows_at(m, y->gate, row, c->mlp), h, w[GATE], w[BIAS_GATE], n, false);
    product(m, rows_at(m, y->up, row, c->mlp), h, w[UP], w[BIAS_UP], n, false);
}

static void swiglu(tr_model *m, layer *y, size_t at, size_t n)
{
    size_t mlp = m->c->mlp, row = mlp_row(m, at);
    m->b->swiglu(m->b, m->act, rows_at(m, y->gate, row, mlp), rows_at(m, y->up, row, mlp), n * mlp);
}

/* out = mid + MLP(h2), chunk by chunk. */
static void mlp_forward(tr_model *m, layer *y, bk_act *out, size_t n)
{
    const tr_config *c = m->c;
    m->b->copy_act(m->b, out, y->mid, n * c->dim);
    for (size_t at = 0; at < n; at += m->l.slice) {
        size_t s = n - at < m->l.slice ? n - at : m->l.slice;
        gate_and_up(m, y, at, s);
        swiglu(m, y, at, s);
        product(m, rows_at(m, out, at, c->dim), m->act, y->w[DOWN], y->w[BIAS_DOWN], s, true);
    }
}

static const tr_param *head_of(const tr_model *m)
{
    return m->c->tied ? &m->params[0] : &m->params[m->n_params - 1];
}

static const tr_param *last_norm(const tr_model *m)
{
    return &m->params[m->n_params - (m->c->tied ? 1 : 2)];
}

static int check_batch(const tr_model *m, const tr_batch *t)
{
    size_t vocab = m->c->vocab;
    if (!t->n || t->n > m->l.tokens)
        return lm_fail(LM_EUSAGE, "a batch of %zu tokens for a model with room for %zu", t->n,
                       m->l.tokens);
    if (m->l.cache ? t->count != 1 || t->past + t->n > m->l.cache : t->past > 0)
        return lm_fail(LM_EUSAGE,
                       "a batch of %zu tokens in %zu documents after %zu cached tokens, with "
                       "room for %zu",
                       t->n, t->count, t->past, m->l.cache);
    for (size_t i = 0; i < t->n; i++)
        if (t->ids[i] < 0 || (size_t)t->ids[i] >= vocab || t->targets[i] >= (int64_t)vocab)
            return lm_fail(LM_EDATA,
                           "token %zu of the batch: id %" PRId32 " (target %" PRId32
                           ") is outside the model's vocabulary of %zu",
                           i, t->ids[i], t->targets[i], vocab);
    if (!t->count || t->starts[0] || t->starts[t->count] != t->n)
        return lm_fail(LM_EUSAGE, "the documents of a batch do not cover its %zu tokens", t->n);
    for (size_t i = 0; i < t->count; i++) {
        if (t->starts[i] >= t->starts[i + 1])
            return lm_fail(LM_EUSAGE, "document %zu of a batch is empty", i);
        if (t->past + t->starts[i + 1] - t->starts[i] > m->l.length)
            return lm_fail(LM_EUSAGE,
                           "document %zu of a batch has %zu tokens, in a model with room "
                           "for %zu",
                           i, t->past + t->starts[i + 1] - t->starts[i], m->l.length);
    }
    return LM_OK;
}

static void put_batch(tr_model *m, const tr_batch *t)
{
    backend *b = m->b;
    b->put_int(b, m->ids, t->ids, t->n);
    b->put_int(b, m->targets, t->targets, t->n);
    attn_map_fill(&m->map, &m->l.attention, t->starts, t->count, t->past);
    for (size_t i = 0; i < m->map.parts; i++) b->put_int(b, m->at_query[i], m->map.query[i], t->n);
}

/* Forward pass up to the last norm. */
static int forward(tr_model *m, const tr_batch *t)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    int rc = check_batch(m, t);
    if (rc) return rc;
    put_batch(m, t);
    embed(m, m->layers[0].x, t->n);
    for (size_t i = 0; i < c->layers; i++) {
        layer *y = &m->layers[i];
        offload_input(m, t, i);
        attn_block_forward(m, y, t, false);
        if (i) wait_transfer(m, i - 1);
        mlp_forward(m, y, i + 1 < c->layers ? m->layers[i + 1].x : m->out, t->n);
    }
    b->rmsnorm(b, m->norm, m->rstd, m->out, last_norm(m)->w, t->n, c->dim, c->norm_eps);
    return LM_OK;
}

/* ---- backward -------------------------------------------------------------------------- */

/* Loss, chunk by chunk; with `scale` > 0 also gradients of the head and the last norm (m->dh). */
static void losses_of(tr_model *m, size_t n, double scale)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    const tr_param *head = head_of(m);
    for (size_t at = 0; at < n; at += m->l.slice) {
        size_t s = n - at < m->l.slice ? n - at : m->l.slice;
        const bk_act *h = rows_at(m, m->norm, at, c->dim);
        product(m, m->logits, h, head, NULL, s, false);
        b->cross_entropy(b, bk_acc_at(b, m->loss, at), m->logits, bk_int_at(m->targets, at), s,
                         c->vocab, scale, scale > 0);
        if (!(scale > 0)) continue;
        b->linear_dx(b, rows_at(m, m->dh, at, c->dim), m->logits, head->w, s, c->dim, c->vocab,
                     false);
        b->linear_dw(b, head->grad, m->logits, h, s, c->dim, c->vocab);
    }
}

/* Backward pass of the MLP; m->dx is the gradient of the layer's output at first. */
static void mlp_backward(tr_model *m, layer *y, size_t n)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    tr_param *const *w = y->w;
    for (size_t at = 0; at < n; at += m->l.slice) {
        size_t s = n - at < m->l.slice ? n - at : m->l.slice, row = mlp_row(m, at);
        const bk_act *dy = rows_at(m, m->dx, at, c->dim), *h = rows_at(m, y->h2, at, c->dim);
        bk_act *dh = rows_at(m, m->dh, at, c->dim);
        if (m->l.recompute) gate_and_up(m, y, at, s);
        swiglu(m, y, at, s);
        product_back(m, w[DOWN], w[BIAS_DOWN], dy, m->act, s);
        b->linear_dx(b, m->dact, dy, w[DOWN]->w, s, c->mlp, c->dim, false);
        b->swiglu_back(b, m->dact, m->dup, m->dact, rows_at(m, y->gate, row, c->mlp),
                       rows_at(m, y->up, row, c->mlp), s * c->mlp);
        product_back(m, w[GATE], w[BIAS_GATE], m->dact, h, s);
        product_back(m, w[UP], w[BIAS_UP], m->dup, h, s);
        b->linear_dx(b, dh, m->dact, w[GATE]->w, s, c->dim, c->mlp, false);
        b->linear_dx(b, dh, m->dup, w[UP]->w, s, c->dim, c->mlp, true);
    }
    b->rmsnorm_back(b, m->dx, w[MLP_NORM]->grad, m->dh, y->mid, w[MLP_NORM]->w, y->rstd2, n,
                    c->dim);
}

/* m->dq, m->dk (before rotation) and m->dv from m->dout. */
static void attention_backward(tr_model *m, layer *y, size_t n)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    const attn_map *map = &m->map;
    size_t heads = c->heads, d = c->head_dim;
    for (size_t i = 0; i < map->parts; i++) {
        const bk_act *q = y->q;
        bk_act *dq = i ? m->dq_rot : m->dq;
        if (!map->spans[i].count) continue;
        if (map->parts > 1) {
            b->rope(b, m->q_rot, y->q, m->at_query[i], m->rope, n, heads, d, false, false);
            q = m->q_rot;
        }
        b->attention_back(b, dq, m->dk, m->dv, m->delta, m->dout, y->o, y->lse, q, y->k, y->v,
                          &map->spans[i], heads, c->kv_heads, d, m->score_scale, i > 0);
        b->rope(b, m->dq, dq, m->at_query[i], m->rope, n, heads, d, true, i > 0);
    }
    b->rope(b, m->dk, m->dk, m->at_query[ATTN_INTRA], m->rope, n, c->kv_heads, d, true, false);
}

/* The gradient before the norm of n heads, from `dy` after it: in `dx`. */
static const bk_act *head_norm_back(tr_model *m, const tr_param *w, bk_act *dx, const bk_act *dy,
                                    const bk_act *x, const bk_acc *rstd, size_t n)
{
    size_t d = m->c->head_dim;
    m->b->zero_act(m->b, dx, n * d);
    m->b->rmsnorm_back(m->b, dx, w->grad, dy, x, w->w, rstd, n, d);
    return dx;
}

static void attn_block_backward(tr_model *m, layer *y, const tr_batch *t)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    tr_param *const *w = y->w;
    size_t n = t->n, q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
    const bk_act *dq = m->dq, *dk = m->dk;
    product_back(m, w[WO], w[BIAS_O], m->dx, y->o, n);
    b->linear_dx(b, m->dout, m->dx, w[WO]->w, n, q, c->dim, false);
    attention_backward(m, y, n);
    /* The norms of heads use m->dout, which is free now, first for q, then for k. */
    if (c->head_norm)
        dq = head_norm_back(m, w[Q_NORM], m->dout, dq, y->q_in, y->q_rstd, n * c->heads);
    product_back(m, w[WQ], w[BIAS_Q], dq, y->h, n);
    b->linear_dx(b, m->dh, dq, w[WQ]->w, n, c->dim, q, false);
    if (c->head_norm)
        dk = head_norm_back(m, w[K_NORM], m->dout, dk, y->k_in, y->k_rstd, n * c->kv_heads);
    product_back(m, w[WK], w[BIAS_K], dk, y->h, n);
    b->linear_dx(b, m->dh, dk, w[WK]->w, n, c->dim, kv, true);
    product_back(m, w[WV], w[BIAS_V], m->dv, y->h, n);
    b->linear_dx(b, m->dh, m->dv, w[WV]->w, n, c->dim, kv, true);
    b->rmsnorm_back(b, m->dx, w[ATTN_NORM]->grad, m->dh, y->x, w[ATTN_NORM]->w, y->rstd, n, c->dim);
}

static void backward(tr_model *m, const tr_batch *t)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    b->zero_act(b, m->dx, t->n * c->dim);
    b->rmsnorm_back(b, m->dx, last_norm(m)->grad, m->dh, m->out, last_norm(m)->w, m->rstd, t->n,
                    c->dim);
    for (size_t i = c->layers; i-- > 0;) {
        layer *y = &m->layers[i];
        wait_transfer(m, i);
        if (i) prefetch_input(m, t, i - 1);
        /* The last layer's activations are still valid. */
        if (m->l.recompute && i + 1 < c->layers) attn_block_forward(m, y, t, m->l.keep_attention);
        mlp_backward(m, y, t->n);
        attn_block_backward(m, y, t);
    }
    b->embed_back(b, m->params[0].grad, m->dx, m->ids, t->n, c->dim);
}

int tr_model_forward_backward(tr_model *m, const tr_batch *t, double scale, float *losses)
{
    if (scale > 0 && !m->l.train) return lm_fail(LM_EUSAGE, "a model without gradients");
    int rc = forward(m, t);
    if (rc) return rc;
    losses_of(m, t->n, scale);
    if (scale > 0) backward(m, t);
    if (losses) m->b->get_acc(m->b, losses, m->loss, t->n);
    return m->b->finish(m->b);
}

int tr_model_forward(tr_model *m, const tr_batch *t, bool all, float *logits, float *losses)
{
    const tr_config *c = m->c;
    backend *b = m->b;
    int rc = forward(m, t);
    if (rc) return rc;
    if (losses) losses_of(m, t->n, 0);
    size_t first = !logits ? t->n : all ? 0 : t->n - 1;
    for (size_t at = first; at < t->n; at += m->l.slice) {
        size_t s = t->n - at < m->l.slice ? t->n - at : m->l.slice;
        product(m, m->logits, rows_at(m, m->norm, at, c->dim), head_of(m), NULL, s, false);
        b->get_act(b, logits + (at - first) * c->vocab, m->logits, s * c->vocab);
    }
    if (losses) b->get_acc(b, losses, m->loss, t->n);
    return b->finish(b);
}
