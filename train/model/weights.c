/* Weights of a model: random initialization, reading, writing. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/rng.h"
#include "train/files/model_dir.h"
#include "train/minmax.h"
#include "train/model/internal.h"

enum { CHUNK = 1 << 18 }; /* elements in host memory at a time */

/* Elements of p that are read and put at a time: whole panels where it is packed. */
static size_t step_of(const tr_param *p)
{
    size_t rows = CHUNK / p->cols / BK_PACKED_ROWS * BK_PACKED_ROWS;
    return p->packed ? (rows ? rows : BK_PACKED_ROWS) * p->cols : CHUNK;
}

/* Host memory for the longest step. */
static float *alloc_step(const tr_model *m)
{
    size_t most = CHUNK;
    for (size_t i = 0; i < m->n_params; i++)
        if (step_of(&m->params[i]) > most) most = step_of(&m->params[i]);
    float *p = malloc(most * sizeof *p);
    if (!p) (void)lm_fail_nomem(most * sizeof *p);
    return p;
}

/* Box and Muller's normal deviate of a counter. */
static double normal(uint64_t seed, uint64_t tensor, uint64_t i)
{
    double a = lm_unit(lm_hash4(seed, tensor, i, 1)), b = lm_unit(lm_hash4(seed, tensor, i, 2));
    return sqrt(-2 * log(1 - a)) * cos(2 * M_PI * b);
}

int tr_model_init(tr_model *m, uint64_t seed)
{
    float *part = alloc_step(m);
    if (!part) return LM_ENOMEM;
    for (size_t i = 0; i < m->n_params; i++) {
        tr_param *p = &m->params[i];
        for (size_t at = 0, n; at < tr_param_count(p); at += n) {
            n = size_min(tr_param_count(p) - at, step_of(p));
            for (size_t k = 0; k < n; k++)
                part[k] = p->bias     ? 0
                          : p->vector ? 1
                                      : (float)(m->c->init_std * normal(seed, i, at + k));
            tr_weights_put(m, p, at, part, n);
        }
    }
    free(part);
    return m->b->finish(m->b);
}

static void shape_text(char *out, size_t size, size_t rank, const uint64_t *shape)
{
    size_t n = (size_t)snprintf(out, size, "[");
    for (size_t i = 0; i < rank && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%" PRIu64, i ? ", " : "", shape[i]);
    if (n < size) snprintf(out + n, size - n, "]");
}

static void spec_of(st_spec *s, const tr_param *p)
{
    *s = (st_spec){ .name = p->name, .rank = p->vector ? 1 : 2 };
    s->shape[0] = p->vector ? p->cols : p->rows;
    s->shape[1] = p->cols;
}

/* The tensor of a parameter, with the right shape. */
static int find(const st_tensor **out, const st_reader *r, const tr_param *p, const char *path)
{
    st_spec want;
    spec_of(&want, p);
    const st_tensor *t = *out = st_find(r, p->name);
    if (!t) return lm_fail(LM_EDATA, "%s: tensor %s is missing", path, p->name);
    bool same = t->rank == want.rank;
    for (size_t i = 0; same && i < want.rank; i++) same = t->shape[i] == want.shape[i];
    if (same) return LM_OK;
    char is[128], should[128];
    shape_text(is, sizeof is, t->rank, t->shape);
    shape_text(should, sizeof should, want.rank, want.shape);
    return lm_fail(LM_EDATA, "%s: tensor %s has shape %s, config.json asks for %s", t->file,
                   p->name, is, should);
}

/* Unknown tensors are an error, except those that old versions of transformers wrote: rotary
 * frequencies, and the head of a tied model. */
static int check_extra(const tr_model *m, const st_reader *r)
{
    for (size_t i = 0; i < st_count(r); i++) {
        const st_tensor *t = st_at(r, i);
        size_t k = 0;
        while (k < m->n_params && strcmp(t->name, m->params[k].name)) k++;
        if (k < m->n_params || strstr(t->name, "rotary_emb.inv_freq")) continue;
        if (m->c->tied && !strcmp(t->name, "lm_head.weight")) continue;
        return lm_fail(LM_EDATA, "%s: tensor %s is not part of a model of this config.json",
                       t->file, t->name);
    }
    return LM_OK;
}

int tr_model_load(tr_model *m, const char *path, enum st_dtype *dtype)
{
    st_reader *r = NULL;
    float *part = alloc_step(m);
    int rc = part ? st_open(&r, path) : LM_ENOMEM;
    if (!rc) rc = check_extra(m, r);
    for (size_t i = 0; !rc && i < m->n_params; i++) {
        tr_param *p = &m->params[i];
        const st_tensor *t = NULL;
        rc = find(&t, r, p, path);
        if (!rc && dtype && i == 0) *dtype = st_at(r, 0)->dtype;
        for (size_t at = 0, n; !rc && at < tr_param_count(p); at += n) {
            n = size_min(tr_param_count(p) - at, step_of(p));
            rc = st_read(r, t, at, part, n);
            if (!rc) tr_weights_put(m, p, at, part, n);
        }
    }
    if (!rc) rc = m->b->finish(m->b);
    st_close(r);
    free(part);
    return rc;
}

int tr_model_dtype(const char *dir, enum st_dtype *dtype)
{
    st_reader *r = NULL;
    char one[MODEL_PATH];
    int rc = model_dir_path(one, dir, MODEL_WEIGHTS);
    /* A run that was killed while it replaced this model left one or the other, of one type. */
    if (!rc) rc = st_open(&r, access(one, F_OK) ? dir : one);
    if (!rc) *dtype = st_at(r, 0)->dtype;
    st_close(r);
    return rc;
}

int tr_model_is_bfloat16(const char *dir, bool *is)
{
    st_reader *r = NULL;
    int rc = st_open(&r, dir);
    *is = !rc;
    for (size_t i = 0; *is && i < st_count(r); i++) *is = st_at(r, i)->dtype == ST_BF16;
    st_close(r);
    return rc;
}

int tr_model_save(tr_model *m, const char *path, enum st_dtype dtype)
{
    st_writer *w = NULL;
    bool writes = m->ranks->rank == 0;
    st_spec *specs = calloc(m->n_params, sizeof *specs);
    float *part = malloc(CHUNK * sizeof *part);
    int rc = comm_agree(m->ranks, specs && part ? LM_OK : lm_fail_nomem(CHUNK * sizeof *part)),
        got = rc;
    for (size_t i = 0; !rc && i < m->n_params; i++) spec_of(&specs[i], &m->params[i]);
    if (!rc && writes) rc = st_create(&w, path, specs, m->n_params, dtype);
    /* After a write error the rest is still received: the other ranks send it. */
    for (size_t i = 0; !got && i < m->n_params; i++) {
        const tr_param *p = &m->params[i];
        for (size_t at = 0, n; !got && at < tr_param_count(p); at += n) {
            n = tr_param_count(p) - at < CHUNK ? tr_param_count(p) - at : CHUNK;
            got = tr_weights_get(m, p, at, part, n);
            if (!got && !rc && writes) rc = st_write(w, part, n);
        }
    }
    if (!rc) rc = got;
    if (!rc && writes) {
        rc = st_commit(w);
        w = NULL;
    }
    st_abandon(w);
    free(specs);
    free(part);
    return comm_agree(m->ranks, rc);
}
