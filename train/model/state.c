#include "train/model/state.h"

#include "train/minmax.h"
#include "train/model/internal.h"

/* ---- through the stages ----------------------------------------------------------------- */

static void *host_at(const tr_model *m, size_t kind, size_t at)
{
    return (char *)m->host_state[kind] + at * m->b->acc_bytes;
}

void tr_state_fetch(tr_model *m, size_t at, size_t n, int lane)
{
    for (size_t k = 0; k < TR_STATES; k++)
        if (m->host_state[k])
            m->b->fetch(m->b, m->stage[lane][k], host_at(m, k, at), n * m->b->acc_bytes, lane);
}

void tr_state_store(tr_model *m, size_t at, size_t n, int lane)
{
    for (size_t k = 0; k < TR_STATES; k++)
        if (m->host_state[k])
            m->b->store(m->b, host_at(m, k, at), m->stage[lane][k], n * m->b->acc_bytes, lane);
}

/* ---- this rank's own -------------------------------------------------------------------- */

static void read_own(tr_model *m, enum tr_state kind, size_t at, float *dst, size_t n)
{
    backend *b = m->b;
    if (m->state[kind]) {
        b->get_acc(b, dst, bk_acc_at(b, m->state[kind], at), n);
        return;
    }
    for (size_t k; n; at += k, dst += k, n -= k) {
        k = size_min(n, m->staged);
        b->fetch(b, m->stage[0][kind], host_at(m, kind, at), k * b->acc_bytes, 0);
        b->join(b, 0);
        b->get_acc(b, dst, m->stage[0][kind], k);
    }
}

static void write_own(tr_model *m, enum tr_state kind, size_t at, const float *src, size_t n)
{
    backend *b = m->b;
    if (m->state[kind]) {
        b->put_acc(b, bk_acc_at(b, m->state[kind], at), src, n);
        return;
    }
    for (size_t k; n; at += k, src += k, n -= k) {
        k = size_min(n, m->staged);
        b->put_acc(b, m->stage[0][kind], src, k);
        b->store(b, host_at(m, kind, at), m->stage[0][kind], k * b->acc_bytes, 0);
        b->join(b, 0);
    }
}

/* ---- of all ranks ----------------------------------------------------------------------- */

int tr_state_get(tr_model *m, enum tr_state kind, const tr_param *p, size_t at, float *dst,
                 size_t n)
{
    int rc = LM_OK;
    for (size_t from = p->at + at, k; !rc && n; from += k, dst += k, n -= k) {
        size_t owner = from / m->share, off = from % m->share;
        k = size_min(n, m->share - off);
        if ((size_t)m->ranks->rank == owner) read_own(m, kind, off, dst, k);
        rc = m->ranks->send(m->ranks, dst, k * sizeof *dst, (int)owner, 0);
    }
    return rc;
}

void tr_state_put(tr_model *m, enum tr_state kind, const tr_param *p, size_t at, const float *src,
                  size_t n)
{
    for (size_t to = p->at + at, k; n; to += k, src += k, n -= k) {
        size_t owner = to / m->share, off = to % m->share;
        k = size_min(n, m->share - off);
        if ((size_t)m->ranks->rank == owner) write_own(m, kind, off, src, k);
    }
}

static bool has_master(const tr_model *m) { return m->l.train && m->b->master; }

int tr_weights_get(tr_model *m, const tr_param *p, size_t at, float *dst, size_t n)
{
    if (p->packed) return lm_fail(LM_EUSAGE, "weights that are packed for reading are not written");
    if (has_master(m)) return tr_state_get(m, TR_STATE_MASTER, p, at, dst, n);
    m->b->get_act(m->b, dst, bk_at(m->b, p->w, at), n);
    return LM_OK;
}

void tr_weights_put(tr_model *m, tr_param *p, size_t at, const float *src, size_t n)
{
    if (p->packed) {
        m->b->pack(m->b, p->packed, src, at / p->cols, n / p->cols, p->cols, m->packing);
        return;
    }
    m->b->put_act(m->b, bk_at(m->b, p->w, at), src, n);
    if (has_master(m)) tr_state_put(m, TR_STATE_MASTER, p, at, src, n);
}
