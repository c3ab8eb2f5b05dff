/* merge.c -- the merges of one part: the smallest rank first, the leftmost of equals. */
#include <stdlib.h>

#include "lib/tokenizer/bpe/internal.h"

#define KEEP_SYMBOLS 16384 /* scratch that is kept between segments */

/* A symbol of a long part, at the index of its first character. */
typedef struct lm_bpe_node {
    uint32_t sym, left, right; /* neighbours alive; NO_NODE at the ends */
    uint32_t rank, merged;     /* of the union with `right`; LM_NO_RANK: none, or not alive */
} node;

#define NO_NODE UINT32_MAX

void lm_merger_free(lm_merger *m)
{
    free(m->syms);
    free(m->nodes);
    free(m->heap);
    lm_bpe_stream_free(m->stream);
    m->stream = NULL;
    m->syms = NULL;
    m->nodes = NULL;
    m->heap = NULL;
    m->syms_cap = m->nodes_cap = m->heap_cap = 0;
}

void lm_merger_trim(lm_merger *m)
{
    if (m->stream || m->syms_cap > KEEP_SYMBOLS || m->nodes_cap > KEEP_SYMBOLS ||
        m->heap_cap > 2 * KEEP_SYMBOLS)
        lm_merger_free(m);
}

/* Room for `need` elements of `size` bytes at *p. */
static bool grow(lm_merger *m, void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) return true;
    size_t want = *cap + *cap / 2;
    if (want < need) want = need;
    if (want < 256) want = 256;
    void *old, *fresh;
    memcpy(&old, p, sizeof old);
    fresh = realloc(old, want * size);
    if (!fresh) {
        m->rc = lm_fail_nomem(want * size);
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

static bool heap_push(lm_merger *m, uint64_t v)
{
    if (!grow(m, &m->heap, &m->heap_cap, m->heap_size + 1, sizeof *m->heap)) return false;
    size_t at = m->heap_size++;
    for (; at > 0 && m->heap[(at - 1) / 2] > v; at = (at - 1) / 2)
        m->heap[at] = m->heap[(at - 1) / 2];
    m->heap[at] = v;
    return true;
}

static uint64_t heap_pop(lm_merger *m)
{
    uint64_t top = m->heap[0];
    m->heap[0] = m->heap[--m->heap_size];
    if (m->heap_size) heap_sink(m->heap, m->heap_size, 0);
    return top;
}

/* Find the union of the symbol at i with the next. Stale entries stay in the heap: they are
 * recognized by their rank, which is no longer the node's. */
static bool find_union(lm_merger *m, uint32_t i)
{
    node *x = &m->nodes[i];
    x->rank = LM_NO_RANK;
    if (x->right == NO_NODE) return true;
    lm_merge best = lm_merge_find(m->pairs, x->sym, m->nodes[x->right].sym);
    x->rank = best.rank;
    x->merged = best.sym;
    return best.rank == LM_NO_RANK || heap_push(m, (uint64_t)best.rank << 32 | i);
}

/* Merge n symbols, any number, in n log n. */
static bool merge_long(lm_merger *m, size_t n, unsigned char **out)
{
    if (!grow(m, &m->nodes, &m->nodes_cap, n, sizeof *m->nodes)) return false;
    node *x = m->nodes;
    for (size_t i = 0; i < n; i++) {
        x[i].sym = m->syms[i];
        x[i].left = i ? (uint32_t)i - 1 : NO_NODE;
        x[i].right = i + 1 < n ? (uint32_t)i + 1 : NO_NODE;
    }
    m->heap_size = 0;
    for (size_t i = 0; i < n; i++)
        if (!find_union(m, (uint32_t)i)) return false;
    while (m->heap_size) {
        uint64_t top = heap_pop(m);
        uint32_t i = (uint32_t)top, j = x[i].right;
        if (x[i].rank != top >> 32) continue;
        x[i].sym = x[i].merged;
        x[i].right = x[j].right;
        if (x[j].right != NO_NODE) x[x[j].right].left = i;
        x[j].rank = LM_NO_RANK;
        if (!find_union(m, i)) return false;
        if (x[i].left != NO_NODE && !find_union(m, x[i].left)) return false;
    }
    for (uint32_t i = 0; i != NO_NODE; i = x[i].right) *out = lm_merger_put(m, x[i].sym, *out);
    return true;
}

static bool no_memory(lm_merger *m)
{
    m->rc = lm_fail_nomem(m->stream_from * sizeof *m->syms);
    return false;
}

/* The first stream_from are collected in m->syms. */
bool lm_merger_add(lm_merger *m, size_t n, uint32_t sym, unsigned char **out)
{
    if (n < m->stream_from) {
        if (!grow(m, &m->syms, &m->syms_cap, n + 1, sizeof *m->syms)) return false;
        m->syms[n] = sym;
        return true;
    }
    if (!m->stream && !(m->stream = lm_bpe_stream_new(m))) return no_memory(m);
    if (n == m->stream_from) lm_bpe_stream_begin(m->stream);
    for (size_t i = 0; n == m->stream_from && i < n; i++)
        if (!lm_bpe_stream_add(m->stream, m->syms[i], out)) return no_memory(m);
    return lm_bpe_stream_add(m->stream, sym, out) || no_memory(m);
}

bool lm_merger_flush(lm_merger *m, size_t n, unsigned char **out)
{
    if (n > m->stream_from) {
        lm_bpe_stream_end(m->stream, out);
        return true;
    }
    if (n < 2) {
        if (n) *out = lm_merger_put(m, m->syms[0], *out);
        return true;
    }
    if (n > LM_MEDIUM || !m->simd) return merge_long(m, n, out);
    *out = m->pairs->narrow ? lm_merge_narrow_avx2(m, m->syms, n, *out)
                            : lm_merge_wide_avx2(m, m->syms, n, *out);
    return true;
}
