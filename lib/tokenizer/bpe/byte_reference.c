/* byte_reference.c -- byte-level merges as the families' libraries describe them: all pairs of the file,
 * looked up by binary search. Shares nothing with byte_vocab.c; for comparisons. */
#include <stdlib.h>

#include "lib/tokenizer/bpe/byte_vocab.h"
#include "lib/tokenizer/ids.h"

typedef struct pair {
    uint32_t left, right, rank, made;
} pair;

typedef struct text {
    const unsigned char *bytes;
    uint32_t size, id;
} text;

struct lm_byte_reference {
    unsigned char *bytes;
    text *texts; /* in order of their bytes */
    pair *pairs; /* in order of left and right; NULL: the id is the rank */
    size_t count, pair_count;
    bool whole;
};

/* A part of the text, between its neighbours; size 0: it was merged into another. */
typedef struct node {
    uint32_t at, size, id, left, right;
} node;

/* A merge that was possible when it was put into the heap. */
typedef struct chance {
    uint32_t rank, at, made, size; /* size: of both parts */
} chance;

#define NONE UINT32_MAX

static int by_text(const void *a, const void *b)
{
    const text *x = a, *y = b;
    size_t n = x->size < y->size ? x->size : y->size;
    int c = n ? memcmp(x->bytes, y->bytes, n) : 0;
    return c ? c : (x->size > y->size) - (x->size < y->size);
}

/* Of equal pairs the last in the file comes first. */
static int by_pair(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->left != y->left) return x->left < y->left ? -1 : 1;
    if (x->right != y->right) return x->right < y->right ? -1 : 1;
    return (x->rank < y->rank) - (x->rank > y->rank);
}

static int same_pair(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->left != y->left) return x->left < y->left ? -1 : 1;
    return (x->right > y->right) - (x->right < y->right);
}

static uint32_t find_text(const lm_byte_reference *r, const unsigned char *p, size_t n)
{
    text key = { p, (uint32_t)n, 0 };
    const text *hit = bsearch(&key, r->texts, r->count, sizeof key, by_text);
    return hit ? hit->id : NONE;
}

/* What two adjacent parts make, with rank NONE where they do not merge. */
static pair find_pair(const lm_byte_reference *r, const unsigned char *p, const node *a,
                      const node *b)
{
    if (!r->pairs) {
        uint32_t id = find_text(r, p + a->at, a->size + b->size);
        return (pair){ a->id, b->id, id, id };
    }
    pair key = { a->id, b->id, NONE, NONE };
    const pair *hit = bsearch(&key, r->pairs, r->pair_count, sizeof key, same_pair);
    while (hit && hit > r->pairs && !same_pair(hit - 1, &key)) hit--;
    return hit ? *hit : key;
}

void lm_byte_reference_free(lm_byte_reference *r)
{
    if (!r) return;
    free(r->bytes);
    free(r->texts);
    free(r->pairs);
    free(r);
}

int lm_byte_reference_new(lm_byte_reference **out, const lm_byte_spec *spec)
{
    size_t total = 0, at = 0;
    for (uint32_t id = 0; id < spec->count; id++) total += spec->pieces[id].size;
    lm_byte_reference *r = calloc(1, sizeof *r);
    if (!r) return lm_fail_nomem(sizeof *r);
    r->whole = spec->whole;
    r->bytes = malloc(total + 1);
    r->texts = malloc((spec->count + (size_t)1) * sizeof *r->texts);
    if (spec->merges) r->pairs = malloc((spec->merge_count + 1) * sizeof *r->pairs);
    if (!r->bytes || !r->texts || (spec->merges && !r->pairs)) {
        lm_byte_reference_free(r);
        return lm_fail_nomem(total);
    }
    for (uint32_t id = 0; id < spec->count; id++) {
        const lm_byte_piece *p = &spec->pieces[id];
        if (!p->size) continue;
        memcpy(r->bytes + at, p->bytes, p->size);
        r->texts[r->count++] = (text){ r->bytes + at, p->size, id };
        at += p->size;
    }
    qsort(r->texts, r->count, sizeof *r->texts, by_text);
    for (uint32_t i = 0; i < spec->merge_count && r->pairs; i++) {
        const lm_byte_merge *m = &spec->merges[i];
        r->pairs[r->pair_count++] = (pair){ m->left, m->right, i, m->merged };
    }
    if (r->pairs) qsort(r->pairs, r->pair_count, sizeof *r->pairs, by_pair);
    *out = r;
    return LM_OK;
}

static bool before(const chance *a, const chance *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(chance *heap, size_t *n, chance c)
{
    size_t i = (*n)++;
    for (; i > 0 && before(&c, &heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    heap[i] = c;
}

static chance pop(chance *heap, size_t *n)
{
    chance top = heap[0], last = heap[--*n];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < *n; i = k) {
        if (k + 1 < *n && before(&heap[k + 1], &heap[k])) k++;
        if (!before(&heap[k], &last)) break;
        heap[i] = heap[k];
    }
    heap[i] = last;
    return top;
}

/* Merge the `count` > 0 nodes; a heap of 3 * count holds all chances. */
static void merge(const lm_byte_reference *r, const unsigned char *p, node *x, size_t count,
                  chance *heap)
{
    size_t n = 0;
    for (uint32_t i = 0; i + 1 < count; i++) {
        pair m = find_pair(r, p, &x[i], &x[i + 1]);
        if (m.rank != NONE)
            push(heap, &n, (chance){ m.rank, i, m.made, x[i].size + x[i + 1].size });
    }
    while (n) {
        chance c = pop(heap, &n);
        node *a = &x[c.at];
        if (!a->size || a->right == NONE || a->size + x[a->right].size != c.size) continue;
        node *b = &x[a->right];
        *a = (node){ a->at, c.size, c.made, a->left, b->right };
        b->size = 0;
        if (a->right != NONE) x[a->right].left = c.at;
        for (int side = 0; side < 2; side++) {
            uint32_t i = side ? a->left : c.at;
            if (i == NONE || x[i].right == NONE) continue;
            pair m = find_pair(r, p, &x[i], &x[x[i].right]);
            uint32_t size = x[i].size + x[x[i].right].size;
            if (m.rank != NONE) push(heap, &n, (chance){ m.rank, i, m.made, size });
        }
    }
}

int lm_byte_reference_part(const lm_byte_reference *r, const unsigned char *p, size_t n,
                           int64_t unk, unsigned width, lm_buf *out)
{
    uint32_t id = r->whole ? find_text(r, p, n) : NONE;
    int rc = lm_buf_reserve(out, n * width);
    if (rc) return rc;
    if (id != NONE) {
        lm_put_id(out->data + out->size, id, width);
        out->size += width;
        return LM_OK;
    }
    node *x = malloc((n + 1) * sizeof *x);
    chance *heap = malloc((3 * n + 1) * sizeof *heap);
    size_t count = 0;
    rc = x && heap ? LM_OK : lm_fail_nomem((3 * n + 1) * sizeof *heap);
    for (uint32_t i = 0; !rc && i < n; i++) {
        id = find_text(r, p + i, 1);
        if (id == NONE && unk >= 0) id = (uint32_t)unk;
        if (id == NONE) continue;
        x[count] = (node){ i, 1, id, count ? (uint32_t)count - 1 : NONE, (uint32_t)count + 1 };
        count++;
    }
    if (!rc && count) {
        x[count - 1].right = NONE;
        merge(r, p, x, count, heap);
        for (uint32_t i = 0; i != NONE; i = x[i].right) {
            lm_put_id(out->data + out->size, x[i].id, width);
            out->size += width;
        }
    }
    free(x);
    free(heap);
    return rc;
}
