/* general.c -- characters to ids, for any vocabulary: the text is normalized, split, and of each part
 * the adjacent pair with the smallest rank merges, the leftmost of equals. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/tokenizer/huggingface/internal.h"
#include "lib/tokenizer/ids.h"
#include "lib/tokenizer/unicode/unicode.h"

#define MARK "\u2581"
#define MARK_SIZE 3
#define TEXT_MAX ((size_t)1 << 30)
#define NO_NODE UINT32_MAX
#define KEEP ((size_t)1 << 20) /* bytes of scratch memory that are kept between texts */
enum { ENDS = 64 };

struct lm_hf_general {
    const lm_hf_vocab *v;
    lm_hf_ranks ranks;
    lm_pattern *pattern;               /* NULL: no steps */
    lm_hf_change changes[LM_HF_STEPS]; /* strings owned */
    size_t change_count;
    lm_hf_metaspace metaspace;
    uint32_t byte_ids[256]; /* LM_HF_NONE: no piece */
    bool fuse_unk, byte_fallback, ignore_merges;
    uint32_t unk; /* LM_HF_NONE: what has no piece has no id */
};

/* A symbol, at the index of its first character. */
typedef struct node {
    uint32_t sym, left, right; /* neighbours; NO_NODE at the ends */
    uint32_t rank;             /* of the merge with `right`; LM_HF_NONE: none, or merged away */
} node;

struct lm_hf_scratch {
    const lm_hf_general *g;
    unsigned width;
    lm_cutter *cutter;
    lm_buf text, other; /* the normalized text, and what it becomes */
    node *nodes;
    size_t count, cap;
    uint64_t *heap; /* a min-heap of rank << 32 | index */
    size_t heap_size, heap_cap;
};

/* ---- memory -------------------------------------------------------------------------------- */

static int copy_string(lm_string *s)
{
    if (!s->s) return LM_OK;
    char *p = malloc(s->n + 1);
    if (!p) {
        s->s = NULL;
        return lm_fail_nomem(s->n + 1);
    }
    memcpy(p, s->s, s->n + 1);
    s->s = p;
    return LM_OK;
}

static int copy_changes(lm_hf_general *g, const lm_hf *h)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < h->change_count; i++) {
        lm_hf_change *c = &g->changes[g->change_count++];
        *c = h->changes[i];
        rc = copy_string(&c->from);
        if (rc) c->to.s = NULL;
        else rc = copy_string(&c->to);
    }
    return rc;
}

int lm_hf_general_new(lm_hf_general **out, const lm_hf *h, const lm_hf_vocab *v)
{
    *out = NULL;
    lm_hf_general *g = calloc(1, sizeof *g);
    if (!g) return lm_fail_nomem(sizeof *g);
    g->v = v;
    g->metaspace = h->metaspace;
    g->fuse_unk = h->fuse_unk;
    g->byte_fallback = h->byte_fallback;
    g->ignore_merges = h->ignore_merges;
    g->unk = h->unk.s ? lm_hf_find(v, h->unk.s, h->unk.n) : LM_HF_NONE;
    for (unsigned i = 0; i < 256; i++) g->byte_ids[i] = lm_hf_find_byte(v, i);
    int rc = copy_changes(g, h);
    if (!rc) rc = lm_hf_ranks_new(&g->ranks, v);
    if (!rc && h->step_count)
        rc = lm_pattern_from(&g->pattern, h->steps, h->step_count, 0, h->path, LM_HF_STEPS_FIELD);
    if (rc) lm_hf_general_free(g);
    else *out = g;
    return rc;
}

void lm_hf_general_free(lm_hf_general *g)
{
    if (!g) return;
    for (size_t i = 0; i < g->change_count; i++) {
        free((char *)g->changes[i].from.s);
        free((char *)g->changes[i].to.s);
    }
    lm_hf_ranks_free(&g->ranks);
    lm_pattern_free(g->pattern);
    free(g);
}

int lm_hf_scratch_new(lm_hf_scratch **out, const lm_hf_general *g, unsigned width)
{
    *out = NULL;
    lm_hf_scratch *s = calloc(1, sizeof *s);
    if (!s) return lm_fail_nomem(sizeof *s);
    s->g = g;
    s->width = width;
    s->text.max = s->other.max = SIZE_MAX / 2;
    int rc = g->pattern ? lm_cutter_new(&s->cutter, g->pattern) : LM_OK;
    if (rc) lm_hf_scratch_free(s);
    else *out = s;
    return rc;
}

static void free_nodes(lm_hf_scratch *s)
{
    free(s->nodes);
    free(s->heap);
    s->nodes = NULL;
    s->heap = NULL;
    s->cap = s->heap_cap = 0;
}

void lm_hf_scratch_free(lm_hf_scratch *s)
{
    if (!s) return;
    lm_cutter_free(s->cutter);
    lm_buf_free(&s->text);
    lm_buf_free(&s->other);
    free_nodes(s);
    free(s);
}

/* ---- normalizing ------------------------------------------------------------------------- */

static int clean(lm_buf *out, const unsigned char *text, size_t n)
{
    uint32_t c;
    int rc = LM_OK;
    size_t from = 0, i = 0, len;
    out->size = 0;
    for (; !rc && i < n; i += len) {
        len = lm_utf8_decode(text + i, n - i, &c);
        if (len) continue;
        rc = lm_buf_add(out, text + from, i - from);
        if (!rc) rc = lm_buf_add(out, LM_UTF8_REPLACEMENT, 3);
        from = i + (len = 1);
    }
    return rc ? rc : lm_buf_add(out, text + from, n - from);
}

/* Make s->other the text. */
static void swap(lm_hf_scratch *s)
{
    lm_buf text = s->text;
    s->text = s->other;
    s->other = text;
}

static int prepend(lm_hf_scratch *s, const char *what, size_t n)
{
    if (!s->text.size) return LM_OK;
    s->other.size = 0;
    int rc = lm_buf_add(&s->other, what, n);
    if (!rc) rc = lm_buf_add(&s->other, s->text.data, s->text.size);
    swap(s);
    return rc;
}

static int replace(lm_hf_scratch *s, const char *from, size_t n, const char *to, size_t to_size)
{
    int rc = LM_OK;
    const unsigned char *p = s->text.data, *end = p + s->text.size, *hit;
    s->other.size = 0;
    for (; !rc && p < end && (hit = memmem(p, (size_t)(end - p), from, n)); p = hit + n) {
        rc = lm_buf_add(&s->other, p, (size_t)(hit - p));
        if (!rc) rc = lm_buf_add(&s->other, to, to_size);
    }
    if (!rc && p < end) rc = lm_buf_add(&s->other, p, (size_t)(end - p));
    swap(s);
    return rc;
}

static int form_c(lm_hf_scratch *s)
{
    s->other.size = 0;
    int rc = lm_to_nfc(LM_NFC_9, s->text.data, s->text.size, &s->other);
    swap(s);
    return rc;
}

static int mark_spaces(lm_hf_scratch *s, enum lm_hf_place place)
{
    const lm_hf_metaspace *m = &s->g->metaspace;
    int rc = replace(s, " ", 1, MARK, MARK_SIZE);
    bool prefix = (m->prefix == LM_HF_ALWAYS && place != LM_HF_INSIDE) ||
                  (m->prefix == LM_HF_FIRST && place == LM_HF_BEGIN);
    if (rc || !prefix) return rc;
    if (s->text.size >= MARK_SIZE && !memcmp(s->text.data, MARK, MARK_SIZE)) return LM_OK;
    return prepend(s, MARK, MARK_SIZE);
}

static int normalize(lm_hf_scratch *s, const unsigned char *text, size_t n, enum lm_hf_place place)
{
    const lm_hf_general *g = s->g;
    int rc = clean(&s->text, text, n);
    for (size_t i = 0; !rc && i < g->change_count; i++) {
        const lm_hf_change *c = &g->changes[i];
        switch (c->kind) {
        case LM_HF_NFC: rc = form_c(s); break;
        case LM_HF_REPLACE: rc = replace(s, c->from.s, c->from.n, c->to.s, c->to.n); break;
        case LM_HF_PREPEND:
            if (place != LM_HF_INSIDE) rc = prepend(s, c->to.s, c->to.n);
            break;
        }
    }
    return !rc && g->metaspace.used ? mark_spaces(s, place) : rc;
}

/* A product that stays below SIZE_MAX / 16. */
static size_t times(size_t n, size_t by)
{
    size_t max = SIZE_MAX / 16;
    return by && n > max / by ? max : n * by;
}

size_t lm_hf_general_bound(const lm_hf_general *g, size_t n)
{
    n = times(n, 3);
    for (size_t i = 0; i < g->change_count; i++) {
        const lm_hf_change *c = &g->changes[i];
        if (c->kind == LM_HF_PREPEND) n = times(n, 1 + c->to.n); /* before each stretch */
        if (c->kind == LM_HF_NFC) n = times(n, 3);
        if (c->kind == LM_HF_REPLACE) n = times(n, 1 + c->to.n / c->from.n);
    }
    return g->metaspace.used ? times(n, 2 * MARK_SIZE) : n;
}

/* ---- the merges of one part -------------------------------------------------------------- */

static int add(lm_hf_scratch *s, uint32_t sym)
{
    if (s->count == s->cap) {
        void *p = lm_grow(s->nodes, &s->cap, sizeof *s->nodes, UINT32_MAX - 1);
        if (!p) return LM_ENOMEM;
        s->nodes = p;
    }
    s->nodes[s->count++] = (node){ .sym = sym };
    return LM_OK;
}

/* The bytes of a character, if all have a piece: 1; 0; LM_ENOMEM. */
static int add_bytes(lm_hf_scratch *s, const unsigned char *p, size_t n)
{
    const lm_hf_general *g = s->g;
    int rc = LM_OK;
    if (!g->byte_fallback) return 0;
    for (size_t i = 0; i < n; i++)
        if (g->byte_ids[p[i]] == LM_HF_NONE) return 0;
    for (size_t i = 0; !rc && i < n; i++) rc = add(s, g->byte_ids[p[i]]);
    return rc ? rc : 1;
}

/* The symbols of a part. An unknown one is held back until a known one comes, also where bytes come in
 * between, as in the library. */
static int read_symbols(lm_hf_scratch *s, const unsigned char *p, size_t n)
{
    const lm_hf_general *g = s->g;
    bool held = false;
    int rc = LM_OK;
    uint32_t c;
    s->count = 0;
    for (size_t i = 0, len; rc >= 0 && i < n; i += len) {
        len = lm_utf8_decode(p + i, n - i, &c);
        uint32_t sym = lm_hf_find(g->v, (const char *)p + i, len);
        if (sym != LM_HF_NONE) {
            if (held) rc = add(s, g->unk);
            held = false;
            if (!rc) rc = add(s, sym);
            continue;
        }
        rc = add_bytes(s, p + i, len);
        if (rc == 1) rc = LM_OK;
        else if (!rc && g->unk != LM_HF_NONE) {
            if (held && !g->fuse_unk) rc = add(s, g->unk);
            held = true;
        }
    }
    return !rc && held ? add(s, g->unk) : rc;
}

static int heap_push(lm_hf_scratch *s, uint64_t v)
{
    if (s->heap_size == s->heap_cap) {
        void *p = lm_grow(s->heap, &s->heap_cap, sizeof *s->heap, SIZE_MAX / 16);
        if (!p) return LM_ENOMEM;
        s->heap = p;
    }
    size_t at = s->heap_size++;
    for (; at > 0 && s->heap[(at - 1) / 2] > v; at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = v;
    return LM_OK;
}

static uint64_t heap_pop(lm_hf_scratch *s)
{
    uint64_t top = s->heap[0], v = s->heap[--s->heap_size];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < s->heap_size; at = child) {
        if (child + 1 < s->heap_size && s->heap[child + 1] < s->heap[child]) child++;
        if (s->heap[child] >= v) break;
        s->heap[at] = s->heap[child];
    }
    s->heap[at] = v;
    return top;
}

/* Find the merge of the symbol at i with the next. An entry of the heap whose rank is no longer that of
 * its node is stale. */
static int find_merge(lm_hf_scratch *s, uint32_t i)
{
    node *x = &s->nodes[i];
    x->rank = LM_HF_NONE;
    if (x->right == NO_NODE) return LM_OK;
    x->rank = lm_hf_rank(&s->g->ranks, x->sym, s->nodes[x->right].sym);
    return x->rank == LM_HF_NONE ? LM_OK : heap_push(s, (uint64_t)x->rank << 32 | i);
}

static int merge(lm_hf_scratch *s)
{
    int rc = LM_OK;
    node *x = s->nodes;
    s->heap_size = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        x[i].left = i ? i - 1 : NO_NODE;
        x[i].right = i + 1 < s->count ? i + 1 : NO_NODE;
    }
    for (uint32_t i = 0; !rc && i < s->count; i++) rc = find_merge(s, i);
    while (!rc && s->heap_size) {
        uint64_t top = heap_pop(s);
        uint32_t i = (uint32_t)top, j = x[i].right;
        if (x[i].rank != top >> 32) continue;
        x[i].sym = s->g->v->pairs[x[i].rank].merged;
        x[i].right = x[j].right;
        if (x[j].right != NO_NODE) x[x[j].right].left = i;
        x[j].rank = LM_HF_NONE;
        rc = find_merge(s, i);
        if (!rc && x[i].left != NO_NODE) rc = find_merge(s, x[i].left);
    }
    return rc;
}

static int put_id(lm_hf_scratch *s, uint32_t id, lm_buf *out)
{
    unsigned char raw[4];
    lm_put_id(raw, id, s->width);
    return lm_buf_add(out, raw, s->width);
}

static int encode_part(lm_hf_scratch *s, const unsigned char *p, size_t n, lm_buf *out)
{
    if (!n) return LM_OK;
    if (s->g->ignore_merges) {
        uint32_t id = lm_hf_find(s->g->v, (const char *)p, n);
        if (id != LM_HF_NONE) return put_id(s, id, out);
    }
    int rc = read_symbols(s, p, n);
    if (!rc) rc = merge(s);
    for (uint32_t i = s->count ? 0 : NO_NODE; !rc && i != NO_NODE; i = s->nodes[i].right)
        rc = put_id(s, s->nodes[i].sym, out);
    return rc;
}

/* ---- splitting --------------------------------------------------------------------------- */

static int cut(lm_hf_scratch *s, const unsigned char *text, size_t n, lm_buf *out)
{
    uint32_t ends[ENDS];
    int rc = LM_OK;
    if (!s->cutter) return encode_part(s, text, n, out);
    for (size_t from = 0; !rc && from < n;) {
        ptrdiff_t count = lm_pattern_cut(s->cutter, text, n, from, ends, ENDS);
        if (count < 0) return (int)count;
        for (ptrdiff_t i = 0; !rc && i < count; i++) {
            size_t end = ends[i] & ~LM_CUT_SKIP;
            if (!(ends[i] & LM_CUT_SKIP)) rc = encode_part(s, text + from, end - from, out);
            from = end;
        }
    }
    return rc;
}

/* Before each U+2581, and the parts by the steps. */
static int split(lm_hf_scratch *s, lm_buf *out)
{
    const unsigned char *p = s->text.data, *end = p + s->text.size;
    int rc = LM_OK;
    if (!s->g->metaspace.used || !s->g->metaspace.split) return cut(s, p, s->text.size, out);
    while (!rc && p < end) {
        size_t left = (size_t)(end - p);
        const unsigned char *next = left > 1 ? memmem(p + 1, left - 1, MARK, MARK_SIZE) : NULL;
        if (!next) next = end;
        rc = cut(s, p, (size_t)(next - p), out);
        p = next;
    }
    return rc;
}

int lm_hf_general_encode(lm_hf_scratch *s, const unsigned char *text, size_t n,
                         enum lm_hf_place place, lm_buf *out)
{
    size_t size = out->size;
    if (!n) return LM_OK;
    int rc = normalize(s, text, n, place);
    if (!rc && s->text.size > TEXT_MAX)
        rc = lm_fail(LM_EDATA, "a text of %zu bytes, normalized, is too long", s->text.size);
    if (!rc) rc = split(s, out);
    if (rc) out->size = size;
    lm_buf_reset(&s->text, KEEP);
    lm_buf_reset(&s->other, KEEP);
    if (s->cap > KEEP / sizeof *s->nodes) free_nodes(s);
    return rc;
}
