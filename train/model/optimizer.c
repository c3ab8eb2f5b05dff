#include "train/model/optimizer.h"

#include <math.h>

#include "train/minmax.h"
#include "train/model/internal.h"

double tr_learning_rate(const tr_optimizer *o, double done, double batch)
{
    if (done + batch < o->warmup) return o->lr * (done + batch) / o->warmup;
    if (o->schedule == TR_CONSTANT || o->total <= o->warmup) return o->lr;
    double share = fmin(fmax((done - o->warmup) / (o->total - o->warmup), 0), 1);
    if (o->schedule == TR_COSINE) share = (1 - cos(M_PI * share)) / 2;
    return o->lr + (o->min_lr - o->lr) * share;
}

/* ---- this rank's share ------------------------------------------------------------------ */

static size_t share_start(const tr_model *m) { return (size_t)m->ranks->rank * m->share; }

/* The elements of parameter p among first .. first+n-1 of all: how many, and the first (*at). */
static size_t part_of(const tr_param *p, size_t first, size_t n, size_t *at)
{
    size_t end = size_min(first + n, p->at + tr_param_count(p));
    *at = size_max(first, p->at);
    return end > *at ? end - *at : 0;
}

int tr_reduce(tr_model *m, double *norm)
{
    double sum = 0;
    int rc = m->ranks->reduce_scatter(m->ranks, m->gradients, m->share);
    if (rc) return rc;
    for (size_t i = 0; i < m->n_params; i++) {
        size_t at = 0, n = part_of(&m->params[i], share_start(m), m->share, &at);
        if (n) sum += m->b->sum_squares(m->b, bk_acc_at(m->b, m->gradients, at), n);
    }
    rc = m->ranks->sum(m->ranks, &sum, 1);
    *norm = sqrt(sum);
    return rc;
}

/* ---- the step --------------------------------------------------------------------------- */

typedef struct stepper {
    tr_model *m;
    const tr_optimizer *o;
    bk_adamw how;
} stepper;

/* Update elements first .. first+n-1 of all; state[] is theirs. */
static void update(stepper *s, size_t first, size_t n, bk_acc *const state[TR_STATES])
{
    backend *b = s->m->b;
    for (size_t i = 0; i < s->m->n_params; i++) {
        const tr_param *p = &s->m->params[i];
        size_t at = 0, k = part_of(p, first, n, &at), off = at - first;
        if (!k) continue;
        s->how.decay = p->vector ? 0 : s->o->decay;
        b->adamw(b, bk_at(b, s->m->weights, at),
                 b->master ? bk_acc_at(b, state[TR_STATE_MASTER], off) : NULL,
                 bk_acc_at(b, state[TR_STATE_M], off), bk_acc_at(b, state[TR_STATE_V], off),
                 bk_acc_at(b, s->m->gradients, at), k, &s->how);
    }
}

/* State in host memory: transfers of the next and the previous stage overlap with the update. */
static void update_staged(stepper *s)
{
    tr_model *m = s->m;
    size_t n = m->staged;
    int lane = 0;
    tr_state_fetch(m, 0, size_min(n, m->share), lane);
    for (size_t at = 0; at < m->share; at += n, lane = !lane) {
        size_t now = size_min(n, m->share - at), next = at + now;
        if (next < m->share) tr_state_fetch(m, next, size_min(n, m->share - next), !lane);
        m->b->join(m->b, lane);
        update(s, share_start(m) + at, now, m->stage[lane]);
        tr_state_store(m, at, now, lane);
    }
}

int tr_step(tr_model *m, const tr_optimizer *o, uint64_t step, double lr, double norm)
{
    stepper s = {
        m,
        o,
        { .lr = lr, .beta1 = o->beta1, .beta2 = o->beta2, .eps = o->eps, .scale = 1, .step = step }
    };
    if (o->clip > 0 && norm > o->clip) s.how.scale = o->clip / (norm + 1e-6); /* as PyTorch does */
    if (m->l.offload_optimizer) update_staged(&s);
    else update(&s, share_start(m), m->share, m->state);
    m->b->zero_acc(m->b, m->gradients, m->share * (size_t)m->ranks->size);
    int rc = comm_agree(m->ranks, m->b->finish(m->b));
    return rc ? rc : m->ranks->all_gather(m->ranks, m->weights, m->share * m->b->act_bytes);
}
