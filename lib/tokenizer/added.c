/* added.c -- the list of tokens that are found in a text before anything else is done with it. */
#include <stdlib.h>
#include <string.h>

#include "lib/tokenizer/internal.h"

int lm_added_put(lm_tokenizer *t, const lm_added *token)
{
    if (t->added_count == t->added_cap) {
        void *p = lm_grow(t->added, &t->added_cap, sizeof *t->added, UINT32_MAX);
        if (!p) return LM_ENOMEM;
        t->added = p;
    }
    lm_added *a = &t->added[t->added_count];
    *a = *token;
    a->text = malloc(a->size + 1);
    if (!a->text) return lm_fail_nomem(a->size + 1);
    memcpy(a->text, token->text, a->size);
    a->text[a->size] = 0;
    t->added_count++;
    return LM_OK;
}

/* ---- the index ------------------------------------------------------------------------- */

/* Of equal texts and ids, the one that was added first comes first. */
static int by_place(const lm_added *a, const lm_added *b) { return a < b ? -1 : a > b; }

static int by_id(const void *x, const void *y)
{
    const lm_added *a = *(const lm_added *const *)x, *b = *(const lm_added *const *)y;
    return a->id != b->id ? (a->id < b->id ? -1 : 1) : by_place(a, b);
}

static int by_text(const void *x, const void *y)
{
    const lm_added *a = *(const lm_added *const *)x, *b = *(const lm_added *const *)y;
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    if (order) return order;
    return a->size != b->size ? (a->size < b->size ? -1 : 1) : by_place(a, b);
}

static int set_new(lm_added_set *s, const lm_tokenizer *t, bool normalized)
{
    s->by_text = calloc(t->added_count + 1, sizeof *s->by_text);
    if (!s->by_text) return lm_fail_nomem((t->added_count + 1) * sizeof *s->by_text);
    for (size_t i = 0; i < t->added_count; i++) {
        const lm_added *a = &t->added[i];
        if (!a->size || a->normalized != normalized) continue;
        s->by_text[s->count++] = a;
        s->from[(unsigned char)*a->text + 1]++;
        s->always += !a->special;
    }
    if (s->count) qsort(s->by_text, s->count, sizeof *s->by_text, by_text);
    for (unsigned b = 0; b < 256; b++) s->from[b + 1] += s->from[b];
    s->only_first = s->count ? (unsigned char)*s->by_text[0]->text : 0;
    s->one_first = s->count && s->from[s->only_first + 1] - s->from[s->only_first] == s->count;
    return LM_OK;
}

int lm_added_index_new(lm_tokenizer *t)
{
    lm_added_index *x = &t->index;
    x->by_id = calloc(t->added_count + 1, sizeof *x->by_id);
    if (!x->by_id) return lm_fail_nomem((t->added_count + 1) * sizeof *x->by_id);
    for (size_t i = 0; i < t->added_count; i++) x->by_id[i] = &t->added[i];
    if (t->added_count) qsort(x->by_id, t->added_count, sizeof *x->by_id, by_id);
    int rc = set_new(&x->raw, t, false);
    return rc ? rc : set_new(&x->normalized, t, true);
}

void lm_added_index_free(lm_added_index *x)
{
    free(x->by_id);
    free(x->raw.by_text);
    free(x->normalized.by_text);
}

const lm_added *lm_added_of(const lm_tokenizer *t, uint32_t id)
{
    size_t low = 0, high = t->added_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->index.by_id[middle]->id < id) low = middle + 1;
        else high = middle;
    }
    return low < t->added_count && t->index.by_id[low]->id == id ? t->index.by_id[low] : NULL;
}
