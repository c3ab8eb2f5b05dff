#include "train/optimizer.h"

#include <math.h>

#include "train/model_internal.h"

double tr_learning_rate(const tr_optimizer *o, double done, double batch)
{
    if (done + batch < o->warmup) return o->lr * (done + batch) / o->warmup;
    if (o->schedule == TR_CONSTANT || o->total <= o->warmup) return o->lr;
    double share = fmin(fmax((done - o->warmup) / (o->total - o->warmup), 0), 1);
    if (o->schedule == TR_COSINE) share = (1 - cos(M_PI * share)) / 2;
    return o->lr + (o->min_lr - o->lr) * share;
}

double tr_gradient_norm(tr_model *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->n_params; i++)
        sum += m->b->sum_squares(m->b, m->params[i].grad, tr_param_count(&m->params[i]));
    return sqrt(sum);
}

int tr_step(tr_model *m, const tr_optimizer *o, uint64_t step, double lr, double norm)
{
    bk_adamw how = { .lr = lr, .beta1 = o->beta1, .beta2 = o->beta2, .eps = o->eps, .scale = 1,
        .step = step };
    if (o->clip > 0 && norm > o->clip) how.scale = o->clip / (norm + 1e-6); /* as PyTorch does */
    for (size_t i = 0; i < m->n_params; i++) {
        tr_param *p = &m->params[i];
        size_t n = tr_param_count(p);
        how.decay = tr_param_is_norm(p) ? 0 : o->decay;
        m->b->adamw(m->b, p->w, p->master, p->m, p->v, p->grad, n, &how);
        m->b->zero_acc(m->b, p->grad, n);
    }
    return m->b->finish(m->b);
}
