/* bpe.c -- the merges of one segment, as SentencePiece makes them: the best union
 * first, the leftmost of equals. */
#include <stdlib.h>

#include "lib/tokenizer/bpe/internal.h"

#define KEEP_SYMBOLS 16384 /* scratch that is kept between segments */

/* A symbol of a long part, at the index of its first character. */
typedef struct lm_bpe_node {
    uint32_t sym, left, right; /* neighbours alive; NO_NODE at the ends */
    uint32_t rank, merged;     /* of the union with `right`; LM_NO_RANK: none, or not alive */
} node;

#define NO_NODE UINT32_MAX

void lm_bpe_init(lm_bpe *b, const lm_vocab *v, unsigned width, bool simd, size_t stream_from)
{
    *b = (lm_bpe){ .v = v, .width = width, .simd = simd, .stream_from = stream_from };
}

void lm_bpe_free(lm_bpe *b)
{
    free(b->syms);
    free(b->nodes);
    free(b->heap);
    lm_bpe_stream_free(b->stream);
    b->stream = NULL;
    b->syms = NULL;
    b->nodes = NULL;
    b->heap = NULL;
    b->syms_cap = b->nodes_cap = b->heap_cap = 0;
}

void lm_bpe_trim(lm_bpe *b)
{
    if (b->stream || b->syms_cap > KEEP_SYMBOLS || b->nodes_cap > KEEP_SYMBOLS ||
        b->heap_cap > 2 * KEEP_SYMBOLS)
        lm_bpe_free(b);
}

/* Room for `need` elements of `size` bytes at *p. */
static bool grow(lm_bpe *b, void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return true;
    size_t want = *cap + *cap / 2;
    if (want < need) want = need;
    if (want < 256) want = 256;
    void *old, *fresh;
    memcpy(&old, p, sizeof old);
    fresh = realloc(old, want * size);
    if (!fresh) {
        b->rc = lm_fail_nomem(want * size);
        return false;
    }
    memcpy(p, &fresh, sizeof fresh);
    *cap = want;
    return true;
}

/* A min-heap of rank << 32 | index. */
static void heap_sink(uint64_t *heap, size_t size, size_t at)
{
    uint64_t v = heap[at];
    for (size_t child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= v) break;
        heap[at] = heap[child];
    }
    heap[at] = v;
}

static bool heap_push(lm_bpe *b, uint64_t v)
{
    if (!grow(b, &b->heap, &b->heap_cap, b->heap_size + 1, sizeof *b->heap)) return false;
    size_t at = b->heap_size++;
    for (; at > 0 && b->heap[(at - 1) / 2] > v; at = (at - 1) / 2)
        b->heap[at] = b->heap[(at - 1) / 2];
    b->heap[at] = v;
    return true;
}

static uint64_t heap_pop(lm_bpe *b)
{
    uint64_t top = b->heap[0];
    b->heap[0] = b->heap[--b->heap_size];
    if (b->heap_size) heap_sink(b->heap, b->heap_size, 0);
    return top;
}

/* Find the union of the symbol at i with the next. Stale entries stay in the heap: they are
 * recognized by their rank, which is no longer the node's. */
static bool find_union(lm_bpe *b, uint32_t i)
{
    node *x = &b->nodes[i];
    x->rank = LM_NO_RANK;
    if (x->right == NO_NODE) return true;
    lm_merge m = lm_merge_find(b->v, x->sym, b->nodes[x->right].sym);
    x->rank = m.rank;
    x->merged = m.sym;
    return m.rank == LM_NO_RANK || heap_push(b, (uint64_t)m.rank << 32 | i);
}

/* Merge n symbols, any number, in n log n. */
static bool merge_long(lm_bpe *b, size_t n, unsigned char **out)
{
    if (!grow(b, &b->nodes, &b->nodes_cap, n, sizeof *b->nodes)) return false;
    node *x = b->nodes;
    for (size_t i = 0; i < n; i++) {
        x[i].sym = b->syms[i];
        x[i].left = i ? (uint32_t)i - 1 : NO_NODE;
        x[i].right = i + 1 < n ? (uint32_t)i + 1 : NO_NODE;
    }
    b->heap_size = 0;
    for (size_t i = 0; i < n; i++)
        if (!find_union(b, (uint32_t)i)) return false;
    while (b->heap_size) {
        uint64_t top = heap_pop(b);
        uint32_t i = (uint32_t)top, j = x[i].right;
        if (x[i].rank != top >> 32) continue;
        x[i].sym = x[i].merged;
        x[i].right = x[j].right;
        if (x[j].right != NO_NODE) x[x[j].right].left = i;
        x[j].rank = LM_NO_RANK;
        if (!find_union(b, i)) return false;
        if (x[i].left != NO_NODE && !find_union(b, x[i].left)) return false;
    }
    for (uint32_t i = 0; i != NO_NODE; i = x[i].right) *out = lm_put_id(*out, x[i].sym, b->width);
    return true;
}

static bool no_memory(lm_bpe *b)
{
    b->rc = lm_fail_nomem(b->stream_from * sizeof *b->syms);
    return false;
}

/* Add a symbol to the part, which has n. The first stream_from are collected in b->syms. */
static bool add(lm_bpe *b, size_t n, uint32_t sym, unsigned char **out)
{
    if (n < b->stream_from) {
        if (!grow(b, &b->syms, &b->syms_cap, n + 1, sizeof *b->syms)) return false;
        b->syms[n] = sym;
        return true;
    }
    if (!b->stream && !(b->stream = lm_bpe_stream_new(b->v, b->width))) return no_memory(b);
    if (n == b->stream_from) lm_bpe_stream_begin(b->stream);
    for (size_t i = 0; n == b->stream_from && i < n; i++)
        if (!lm_bpe_stream_add(b->stream, b->syms[i], out)) return no_memory(b);
    return lm_bpe_stream_add(b->stream, sym, out) || no_memory(b);
}

/* Merge and write the n symbols of the part. */
static bool flush(lm_bpe *b, size_t n, unsigned char **out)
{
    if (n > b->stream_from) {
        lm_bpe_stream_end(b->stream, out);
        return true;
    }
    if (n < 2) {
        if (n) *out = lm_put_id(*out, b->syms[0], b->width);
        return true;
    }
    if (n > LM_MEDIUM || !b->simd) return merge_long(b, n, out);
    *out = lm_bpe_medium_avx2(b->v, b->syms, n, *out);
    return true;
}

/* Any text, part by part; with `space`, preceded by a space. */
static unsigned char *encode_parts(lm_bpe *b, bool space, const unsigned char *p, size_t n,
                                   unsigned char *out)
{
    const lm_vocab *v = b->v;
    size_t count = 0, len;
    uint32_t c, before = 0;
    b->rc = LM_OK;
    if (space) {
        if (!add(b, count++, v->space, &out)) return NULL;
        before = LM_SPACE_MARK;
    }
    for (size_t i = 0; i < n; i += len, before = c) {
        len = lm_utf8_decode(p + i, n - i, &c);
        if (!len || c == LM_SPACE_MARK) {
            b->rc = LM_UNCLEAN;
            return NULL;
        }
        if (c == ' ') c = LM_SPACE_MARK;
        uint32_t sym = lm_char_sym(v, c);
        if (sym == LM_NO_SYM || !lm_may_join(v, before, c)) { /* no merge crosses this boundary */
            if (!flush(b, count, &out)) return NULL;
            count = 0;
        }
        if (sym == LM_NO_SYM) {
            for (size_t k = 0; k < len; k++) out = lm_put_id(out, v->byte_ids[p[i + k]], b->width);
            continue;
        }
        if (!add(b, count++, sym, &out)) return NULL;
    }
    return flush(b, count, &out) ? out : NULL;
}

unsigned char *lm_bpe_encode(lm_bpe *b, const unsigned char *p, size_t n, unsigned char *out)
{
    if (n <= LM_SHORT && b->simd) {
        unsigned char *end = lm_bpe_ascii_avx2(b->v, p, n, out);
        if (end) return end;
    }
    return encode_parts(b, false, p, n, out);
}

unsigned char *lm_bpe_encode_after_space(lm_bpe *b, const unsigned char *p, size_t n,
                                         unsigned char *out)
{
    return encode_parts(b, true, p, n, out);
}

unsigned char *lm_bpe_spaces(lm_bpe *b, size_t n, unsigned char *out)
{
    b->rc = LM_OK;
    for (size_t i = 0; i < n; i++)
        if (!add(b, i, b->v->space, &out)) return NULL;
    return flush(b, n, &out) ? out : NULL;
}
