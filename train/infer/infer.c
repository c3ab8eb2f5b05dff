#include "train/infer/infer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/threads.h"
#include "train/files/model_dir.h"
#include "train/model/model.h"

enum { CHUNK = 512, SLICE = 2048, NAME_SIZE = 64 };

struct tr_infer {
    tr_config read, c; /* of config.json; as used */
    backend *b;
    tr_layout l;
    tr_model *m;
    size_t past, length; /* tokens in the KV cache; its capacity */
    int32_t *targets;    /* [chunk] */
    float *losses;       /* [chunk] */
    bool rounded;        /* weights to bfloat16 */
    char attention[NAME_SIZE], scaling[NAME_SIZE];
};

/* ---- opening --------------------------------------------------------------------------- */

static int keep_name(char *to, const char *name, const char *what)
{
    if ((size_t)snprintf(to, NAME_SIZE, "%s", name) < NAME_SIZE) return LM_OK;
    return lm_fail(LM_EUSAGE, "%s %s: too long", what, name);
}

/* Set s->c and the layout from the options. */
static int apply_options(tr_infer *s, const tr_infer_options *o)
{
    char form[TR_FORM];
    double mscale = tr_config_attention(&s->read, form);
    const char *attention = o->attention ? o->attention : form;
    if (o->attention || fabs(o->mscale) > 0) mscale = fmax(o->mscale, 0);
    s->c = s->read;
    if (o->rope_base > 0) s->c.rope.theta = o->rope_base;
    int rc = keep_name(s->attention, attention, "attention");
    const char *own = s->read.rope.type == TR_ROPE_PLAIN ? "none" : "model";
    if (!rc) rc = keep_name(s->scaling, o->scaling ? o->scaling : own, "RoPE scaling");
    if (!rc && o->scaling) rc = tr_rope_override(&s->c, o->scaling);
    if (!rc) rc = attn_form_parse(&s->l.attention, attention, tr_config_trained(&s->c));
    if (rc) return rc;
    if (!o->length || o->length > INT32_MAX)
        return lm_fail(LM_EUSAGE, "a context of %zu tokens", o->length);
    rc = tr_config_check_length(&s->c, o->length);
    if (rc) return rc;
    if (o->no_successive) s->l.attention.successive = false;
    if (o->no_inter) s->l.attention.inter = false;
    s->l.mscale = mscale;
    s->l.length = o->length;
    return LM_OK;
}

static void lay_out(tr_infer *s, const tr_infer_options *o)
{
    size_t chunk = o->chunk ? o->chunk : CHUNK;
    if (chunk > o->length) chunk = o->length;
    size_t whole = (chunk + BK_BLOCK - 1) / BK_BLOCK * BK_BLOCK;
    s->length = o->length;
    s->l.tokens = chunk;
    s->l.slice = whole < SLICE ? whole : SLICE;
    s->l.cache = o->length;
    s->l.any_form = true;
}

/* Weights in bfloat16 where they lose nothing by it, or where that is asked for. */
static int choose_weights(tr_infer *s, const tr_infer_options *o)
{
    bool exact = false;
    int rc = s->b->pack ? tr_model_is_bfloat16(o->model, &exact) : LM_OK;
    bool small = o->weights == TR_INFER_BFLOAT16 || (o->weights == TR_INFER_MODEL && exact);
    s->l.weights = small ? TR_WEIGHTS_BFLOAT16 : TR_WEIGHTS_FLOAT32;
    s->rounded = s->b->pack && small && !exact;
    return rc;
}

static int check_memory(const tr_infer *s)
{
    tr_plan p;
    int rc = tr_model_plan(&p, &s->c, &s->l, s->b);
    size_t there = s->b->available(s->b);
    if (rc || !there || p.total <= there) return rc;
    return lm_fail(LM_ENOMEM,
                   "a context of %zu tokens needs %zu MiB (weights %zu, KV cache %zu), and %zu "
                   "MiB are available; use a shorter context",
                   s->length, p.total >> 20, p.bytes[TR_MEM_WEIGHTS] >> 20,
                   p.bytes[TR_MEM_KV_CACHE] >> 20, there >> 20);
}

int tr_infer_open(tr_infer **out, const tr_infer_options *o, backend *b)
{
    char path[MODEL_PATH];
    *out = NULL;
    int rc = model_dir_path(path, o->model, MODEL_CONFIG);
    if (rc) return rc;
    tr_infer *s = calloc(1, sizeof *s);
    if (!s) return lm_fail_nomem(sizeof *s);
    s->b = b;
    rc = model_dir_usable(o->model);
    if (!rc) rc = tr_config_load(&s->read, path);
    if (!rc) rc = apply_options(s, o);
    if (!rc) rc = choose_weights(s, o);
    if (!rc) lay_out(s, o);
    if (!rc) rc = check_memory(s);
    if (!rc) rc = tr_model_new(&s->m, &s->c, &s->l, b);
    if (!rc) rc = tr_model_load(s->m, o->model, NULL);
    if (!rc) {
        s->targets = malloc(s->l.tokens * sizeof *s->targets);
        s->losses = malloc(s->l.tokens * sizeof *s->losses);
        if (!s->targets || !s->losses) rc = lm_fail_nomem(s->l.tokens * sizeof *s->targets);
    }
    if (rc) tr_infer_close(s);
    else *out = s;
    return rc;
}

void tr_infer_close(tr_infer *s)
{
    if (!s) return;
    tr_model_free(s->m);
    tr_config_free(&s->read);
    free(s->targets);
    free(s->losses);
    free(s);
}

int tr_infer_set(tr_infer *s, const tr_infer_options *o)
{
    if (o->length > s->length)
        return lm_fail(LM_EUSAGE, "a context of %zu tokens in a session opened for %zu", o->length,
                       s->length);
    tr_infer before = *s;
    int rc = apply_options(s, o);
    if (!rc) rc = tr_model_set_attention(s->m, &s->l);
    if (rc) *s = before;
    else s->past = 0;
    return rc;
}

const tr_config *tr_infer_config(const tr_infer *s) { return &s->c; }
bool tr_infer_by_length(const tr_infer *s)
{
    return s->l.mscale > 0 || s->c.rope.type == TR_ROPE_DYNAMIC;
}
size_t tr_infer_length(const tr_infer *s) { return s->l.length; }
size_t tr_infer_kv_len(const tr_infer *s) { return s->past; }
void tr_infer_rewind(tr_infer *s, size_t to) { s->past = to < s->past ? to : s->past; }

lm_json *tr_infer_json(const tr_infer *s)
{
    lm_json *o = lm_json_object();
    const attn_form *f = &s->l.attention;
    lm_json_set_str(o, "attention", s->attention);
    if (f->stride)
        lm_json_set_str(o, "dca_parts",
                        f->successive ? f->inter ? "all" : "intra+successive"
                        : f->inter    ? "intra+inter"
                                      : "intra");
    lm_json_set_str(o, "scaling", s->scaling);
    lm_json_set_f64(o, "rope_base", s->c.rope.theta);
    lm_json_set_f64(o, "mscale", s->l.mscale);
    lm_json_set_u64(o, "trained", tr_config_trained(&s->c));
    lm_json_set_str(o, "backend", s->b->name);
    if (s->rounded) lm_json_set_str(o, "weight_type", "bfloat16");
    return o;
}

/* ---- reading --------------------------------------------------------------------------- */

/* ids[at .. at+n-1] of a call of `all_n` tokens. */
static int read_chunk(tr_infer *s, const int32_t *ids, size_t at, size_t n, size_t all_n,
                      float *logits, float *losses, float *all)
{
    uint32_t starts[2] = { 0, (uint32_t)n };
    bool last = at + n == all_n;
    for (size_t i = 0; i < n; i++)
        s->targets[i] = losses && at + i + 1 < all_n ? ids[at + i + 1] : -1;
    tr_batch t = { n, ids + at, s->targets, 1, starts, s->past };
    float *to = all ? all + at * s->c.vocab : last ? logits : NULL;
    int rc = tr_model_forward(s->m, &t, all != NULL, to, losses ? s->losses : NULL);
    if (rc) return rc;
    for (size_t i = 0; losses && i < n && at + i + 1 < all_n; i++) losses[at + i] = s->losses[i];
    if (all && last && logits)
        for (size_t i = 0; i < s->c.vocab; i++) logits[i] = all[(all_n - 1) * s->c.vocab + i];
    s->past += n;
    return LM_OK;
}

int tr_infer_eval(tr_infer *s, const int32_t *ids, size_t n, float *logits, float *losses,
                  float *all)
{
    size_t before = s->past;
    int rc = LM_OK;
    if (!n || n > s->l.length - s->past)
        return lm_fail(LM_EUSAGE, "%zu tokens after %zu, in a context of %zu", n, s->past,
                       s->l.length);
    for (size_t at = 0, part = 0; !rc && at < n; at += part) {
        part = n - at < s->l.tokens ? n - at : s->l.tokens;
        rc = lm_check_interrupt();
        if (!rc) rc = read_chunk(s, ids, at, part, n, logits, losses, all);
    }
    if (rc) s->past = before;
    return rc;
}
