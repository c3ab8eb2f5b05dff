/* vocab.c -- names to ids, merges to pairs of ids. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/tokenizer/huggingface/internal.h"

static int length(size_t n) { return n < 60 ? (int)n : 60; }

/* ---- names --------------------------------------------------------------------------------- */

static uint32_t *slot_of(const lm_hf_vocab *v, const char *s, size_t n)
{
    for (size_t i = (size_t)lm_hash64(s, n);; i++) {
        uint32_t *slot = &v->slots[i & v->mask];
        if (!*slot) return slot;
        const lm_string *name = &v->names[*slot - 1];
        if (name->n == n && !memcmp(name->s, s, n)) return slot;
    }
}

uint32_t lm_hf_find(const lm_hf_vocab *v, const char *s, size_t n)
{
    uint32_t id = *slot_of(v, s, n) - 1;
    return id != LM_HF_NONE && v->in_model[id] ? id : LM_HF_NONE;
}

uint32_t lm_hf_find_byte(const lm_hf_vocab *v, unsigned byte)
{
    char name[8];
    snprintf(name, sizeof name, "<0x%02X>", byte & 255);
    return lm_hf_find(v, name, 6);
}

static int put_pieces(lm_hf_vocab *v, const lm_hf *h)
{
    for (size_t i = 0; i < h->piece_count; i++) {
        const lm_hf_piece *p = &h->pieces[i];
        uint32_t *slot = slot_of(v, p->text.s, p->text.n);
        if (v->names[p->id].s)
            return lm_fail(LM_EDATA,
                           "%s: model.vocab: \"%.*s\" and \"%.*s\" have the same id %" PRIu32,
                           h->path, length(v->names[p->id].n), v->names[p->id].s, length(p->text.n),
                           p->text.s, p->id);
        if (*slot)
            return lm_fail(LM_EDATA, "%s: model.vocab: \"%.*s\" is given twice", h->path,
                           length(p->text.n), p->text.s);
        *slot = p->id + 1;
        v->names[p->id] = p->text;
        v->in_model[p->id] = true;
    }
    return LM_OK;
}

static int bad_added(const lm_hf *h, size_t i, const char *what)
{
    const lm_added *a = &h->added[i];
    return lm_fail(LM_EDATA, "%s: added_tokens[%zu]: \"%.*s\", id %" PRIu32 ": %s", h->path, i,
                   length(a->size), a->text, a->id, what);
}

/* Is the token's id that of its text in the model, or new? */
static int put_added(lm_hf_vocab *v, const lm_hf *h)
{
    for (size_t i = 0; i < h->added_count; i++) {
        const lm_added *a = &h->added[i];
        uint32_t *slot = slot_of(v, a->text, a->size);
        lm_string *name = &v->names[a->id];
        if (*slot && *slot - 1 != a->id) return bad_added(h, i, "has another id elsewhere");
        if (!*slot && name->s) return bad_added(h, i, "the id has another piece in model.vocab");
        if (*slot && !v->in_model[a->id]) return bad_added(h, i, "is given twice");
        *slot = a->id + 1;
        *name = (lm_string){ a->text, a->size };
    }
    for (uint32_t id = 0; id < v->count; id++)
        if (!v->names[id].s)
            return lm_fail(LM_EDATA,
                           "%s: model.vocab: id %" PRIu32
                           " has no piece and no added token, but larger ids have",
                           h->path, id);
    return LM_OK;
}

/* ---- ranks --------------------------------------------------------------------------------- */

/* The slot of a pair, or an empty one. */
static uint32_t *rank_slot(const lm_hf_ranks *r, uint32_t left, uint32_t right)
{
    uint64_t key = (uint64_t)left << 32 | right;
    for (size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 24);; i++) {
        uint32_t *slot = &r->slots[i & r->mask];
        if (!*slot) return slot;
        const lm_hf_pair *p = &r->pairs[*slot - 1];
        if (p->left == left && p->right == right) return slot;
    }
}

int lm_hf_ranks_new(lm_hf_ranks *r, const lm_hf_vocab *v)
{
    *r = (lm_hf_ranks){ .pairs = v->pairs, .mask = 15 };
    while (r->mask < 2 * v->pair_count) r->mask = r->mask * 2 + 1;
    r->slots = calloc(r->mask + 1, sizeof *r->slots);
    if (!r->slots) return lm_fail_nomem((r->mask + 1) * sizeof *r->slots);
    for (size_t i = 0; i < v->pair_count; i++) {
        uint32_t *slot = rank_slot(r, v->pairs[i].left, v->pairs[i].right);
        if (!*slot) *slot = (uint32_t)i + 1;
    }
    return LM_OK;
}

void lm_hf_ranks_free(lm_hf_ranks *r)
{
    free(r->slots);
    *r = (lm_hf_ranks){ 0 };
}

uint32_t lm_hf_rank(const lm_hf_ranks *r, uint32_t left, uint32_t right)
{
    return *rank_slot(r, left, right) - 1;
}

/* ---- merges -------------------------------------------------------------------------------- */

static int bad_merge(const lm_hf *h, size_t i, lm_string s, const char *what)
{
    return lm_fail(LM_EDATA, "%s: model.merges[%zu]: \"%.*s\" %s", h->path, i, length(s.n), s.s,
                   what);
}

static int put_merge(lm_hf_vocab *v, const lm_hf *h, size_t i, lm_buf *joined)
{
    const lm_hf_merge *m = &h->merges[i];
    lm_hf_pair *p = &v->pairs[i];
    joined->size = 0;
    int rc = lm_buf_add(joined, m->left.s, m->left.n);
    if (!rc) rc = lm_buf_add(joined, m->right.s, m->right.n);
    if (rc) return rc;
    p->left = lm_hf_find(v, m->left.s, m->left.n);
    p->right = lm_hf_find(v, m->right.s, m->right.n);
    p->merged = lm_hf_find(v, (const char *)joined->data, joined->size);
    if (p->left == LM_HF_NONE || !m->left.n)
        return bad_merge(h, i, m->left, "is not in model.vocab");
    if (p->right == LM_HF_NONE || !m->right.n)
        return bad_merge(h, i, m->right, "is not in model.vocab");
    if (p->merged == LM_HF_NONE)
        return bad_merge(h, i, (lm_string){ (const char *)joined->data, joined->size },
                         "is not in model.vocab");
    v->pair_count++;
    return LM_OK;
}

/* A pair that is listed twice has two ranks. */
static int check_twice(const lm_hf_vocab *v, const lm_hf *h)
{
    lm_hf_ranks r;
    int rc = lm_hf_ranks_new(&r, v);
    for (size_t i = 0; !rc && i < v->pair_count; i++) {
        uint32_t rank = lm_hf_rank(&r, v->pairs[i].left, v->pairs[i].right);
        if (rank != i)
            rc = lm_fail(LM_EDATA, "%s: model.merges[%zu]: the same as model.merges[%" PRIu32 "]",
                         h->path, i, rank);
    }
    lm_hf_ranks_free(&r);
    return rc;
}

static int put_merges(lm_hf_vocab *v, const lm_hf *h)
{
    lm_buf joined = LM_BUF_INIT((size_t)1 << 29);
    v->pairs = malloc((h->merge_count + 1) * sizeof *v->pairs);
    if (!v->pairs) return lm_fail_nomem((h->merge_count + 1) * sizeof *v->pairs);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < h->merge_count; i++) rc = put_merge(v, h, i, &joined);
    lm_buf_free(&joined);
    return rc ? rc : check_twice(v, h);
}

/* ---- all ----------------------------------------------------------------------------------- */

static uint32_t count_ids(const lm_hf *h)
{
    uint32_t count = 0;
    for (size_t i = 0; i < h->piece_count; i++)
        if (h->pieces[i].id >= count) count = h->pieces[i].id + 1;
    for (size_t i = 0; i < h->added_count; i++)
        if (h->added[i].id >= count) count = h->added[i].id + 1;
    return count;
}

int lm_hf_vocab_new(lm_hf_vocab *v, const lm_hf *h)
{
    *v = (lm_hf_vocab){ .count = count_ids(h), .mask = 15 };
    if (!v->count) return lm_fail(LM_EDATA, "%s: model.vocab: is empty", h->path);
    while (v->mask < 2 * (h->piece_count + h->added_count)) v->mask = v->mask * 2 + 1;
    v->slots = calloc(v->mask + 1, sizeof *v->slots);
    v->names = calloc(v->count, sizeof *v->names);
    v->in_model = calloc(v->count, sizeof *v->in_model);
    if (!v->slots || !v->names || !v->in_model) return lm_fail_nomem(v->count * sizeof *v->names);
    int rc = put_pieces(v, h);
    if (!rc) rc = put_added(v, h);
    return rc ? rc : put_merges(v, h);
}

int lm_hf_vocab_keep(lm_hf_vocab *v)
{
    size_t size = 0;
    for (uint32_t id = 0; id < v->count; id++) size += v->names[id].n + 1;
    char *to = v->text = malloc(size + 1);
    if (!to) return lm_fail_nomem(size + 1);
    for (uint32_t id = 0; id < v->count; id++) {
        lm_string *name = &v->names[id];
        memcpy(to, name->s, name->n);
        to[name->n] = 0;
        name->s = to;
        to += name->n + 1;
    }
    return LM_OK;
}

void lm_hf_vocab_free(lm_hf_vocab *v)
{
    free(v->text);
    free(v->names);
    free(v->in_model);
    free(v->slots);
    free(v->pairs);
    *v = (lm_hf_vocab){ 0 };
}
