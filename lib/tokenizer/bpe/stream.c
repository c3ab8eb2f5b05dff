/* stream.c -- the merges of a part of any length, from left to right, in memory that does
 * not grow with it: for 100 MB without a position to cut (one letter, spaces, DNA).
 *
 * It rests on two facts:
 *   - A sequence of symbols is what the merges make of its characters exactly when that holds of
 *     each two neighbours alone. While nothing has merged across a boundary, its two sides merge
 *     in the order in which they do so alone; so the first merge across it comes in the one case
 *     if and only if it comes in the other.
 *   - So a prefix has one last symbol: of the symbols that end there, the one that can follow the
 *     last symbol of what is left of it.
 * The prefixes' last symbols form a tree towards the start; where its young branches meet, all
 * before is settled and is written. */
#include <stdlib.h>

#include "lib/tokenizer/bpe/internal.h"

/* A run of spaces asks for about 5,000 pairs again and again where pieces have all lengths up to 128,
 * and an answer that was displaced costs thousands of lookups: so several ways. */
enum { SET_BITS = 14, WAYS = 4, SETTLE = 1 << 16 };

/* A symbol that ends at a position, over `size` characters. */
typedef struct ending {
    uint32_t sym, size;
} ending;

struct lm_bpe_stream {
    const lm_merger *m;
    uint32_t longest;    /* characters of the longest piece */
    uint32_t mask;       /* of the ring of places */
    size_t count, base;  /* characters so far; of which this many are settled */
    size_t run;          /* of the same character, up to now */
    ending settled;      /* the last symbol written */
    uint32_t *chars;     /* [ring] */
    uint32_t *endings;   /* [ring] how many */
    ending *ending;      /* [ring][longest], by size */
    ending *last, *path; /* [cap] the prefixes' last symbols, from base + 1 on; scratch */
    uint8_t *alive;      /* [cap] scratch */
    size_t cap;
    uint64_t pairs[1 << SET_BITS][WAYS]; /* left << 32 | right << 1 | may be adjacent */
    uint32_t scratch[];                  /* [4 * longest] */
};

void lm_bpe_stream_free(lm_bpe_stream *s)
{
    if (!s) return;
    free(s->chars);
    free(s->endings);
    free(s->ending);
    free(s->last);
    free(s->path);
    free(s->alive);
    free(s);
}

lm_bpe_stream *lm_bpe_stream_new(const lm_merger *m)
{
    size_t ring = 2;
    while (ring < 2 * (size_t)m->longest + 2) ring *= 2;
    lm_bpe_stream *s = malloc(sizeof *s + 4 * (size_t)m->longest * sizeof *s->scratch);
    if (!s) return NULL;
    *s = (lm_bpe_stream){ .m = m, .longest = m->longest, .mask = (uint32_t)ring - 1 };
    memset(s->pairs, 0xff, sizeof s->pairs);
    s->chars = malloc(ring * sizeof *s->chars);
    s->endings = malloc(ring * sizeof *s->endings);
    s->ending = malloc(ring * s->longest * sizeof *s->ending);
    if (s->chars && s->endings && s->ending) return s;
    lm_bpe_stream_free(s);
    return NULL;
}

/* ---- two adjacent symbols ---- */

/* Merge the n characters that end at `end`; is there never a merge across the boundary after the
 * first `left`? */
static bool stay_apart(lm_bpe_stream *s, size_t end, uint32_t left, uint32_t n)
{
    uint32_t *sym = s->scratch, *size = s->scratch + 2 * s->longest;
    for (uint32_t i = 0; i < n; i++) {
        sym[i] = s->chars[(end - n + 1 + i) & s->mask];
        size[i] = 1;
    }
    while (n > 2) {
        lm_merge best = { LM_NO_RANK, 0 };
        uint32_t where = 0, before = 0, across = n;
        for (uint32_t i = 0; i + 1 < n; before += size[i++]) {
            lm_merge m = lm_merge_find(s->m->pairs, sym[i], sym[i + 1]);
            if (before + size[i] == left) across = i;
            if (m.rank < best.rank) best = m, where = i;
        }
        if (best.rank == LM_NO_RANK || where == across) return false;
        sym[where] = best.sym;
        size[where] += size[where + 1];
        n--;
        memmove(sym + where + 1, sym + where + 2, (n - where - 1) * sizeof *sym);
        memmove(size + where + 1, size + where + 2, (n - where - 1) * sizeof *size);
    }
    return lm_merge_find(s->m->pairs, sym[0], sym[1]).rank == LM_NO_RANK;
}

static bool may_follow(lm_bpe_stream *s, const ending *left, const ending *right)
{
    uint64_t key = (uint64_t)left->sym << 32 | right->sym << 1;
    uint64_t *set = s->pairs[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SET_BITS)];
    for (unsigned i = 0; i < WAYS; i++)
        if ((set[i] & ~UINT64_C(1)) == key) return set[i] & 1;
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = key | stay_apart(s, s->count, left->size, left->size + right->size);
    return set[0] & 1;
}

/* ---- one character more ---- */

static ending *endings_at(const lm_bpe_stream *s, size_t position)
{
    return &s->ending[(position & s->mask) * s->longest];
}

/* The symbols that end here: the character, and every union of one that ends here with one that
 * ends where it begins. */
static void find_endings(lm_bpe_stream *s, uint32_t sym)
{
    uint32_t at = (uint32_t)s->count & s->mask, n = 1;
    ending *e = endings_at(s, s->count);
    if (s->run > s->longest) { /* as at the previous position */
        n = s->endings[(at - 1) & s->mask];
        memcpy(e, endings_at(s, s->count - 1), n * sizeof *e);
        s->endings[at] = n;
        return;
    }
    e[0] = (ending){ sym, 1 };
    for (uint32_t k = 0; k < n; k++) {
        ending right = e[k];
        size_t place = s->count - right.size;
        const ending *left = endings_at(s, place);
        uint32_t lefts = place ? s->endings[place & s->mask] : 0;
        for (uint32_t i = 0; i < lefts; i++) {
            lm_merge m = lm_merge_find(s->m->pairs, left[i].sym, right.sym);
            if (m.rank == LM_NO_RANK) continue;
            uint32_t to = n++, size = left[i].size + right.size;
            for (; e[to - 1].size > size; to--) e[to] = e[to - 1];
            e[to] = (ending){ m.sym, size };
        }
    }
    s->endings[at] = n;
}

static bool grow(lm_bpe_stream *s, size_t need)
{
    if (need <= s->cap) return true;
    size_t cap = need + need / 2;
    ending *last = realloc(s->last, cap * sizeof *last);
    if (last) s->last = last;
    ending *path = realloc(s->path, cap * sizeof *path);
    if (path) s->path = path;
    uint8_t *alive = realloc(s->alive, cap + 1);
    if (alive) s->alive = alive;
    if (!last || !path || !alive) return false;
    s->cap = cap;
    return true;
}

/* Write the symbols of the prefix of `end` characters that come after the settled ones. */
static void write_to(lm_bpe_stream *s, size_t end, unsigned char **out)
{
    size_t n = 0;
    for (size_t at = end; at > s->base; at -= s->path[n - 1].size)
        s->path[n++] = s->last[at - s->base - 1];
    if (n) s->settled = s->path[0];
    while (n) *out = lm_merger_put(s->m, s->path[--n].sym, *out);
    s->base = end;
}

/* Write what all prefixes that can still grow have in common. */
static void settle(lm_bpe_stream *s, unsigned char **out)
{
    size_t n = s->count - s->base, at = n, meeting;
    size_t young = s->longest < n ? s->longest : n, branches = young;
    memset(s->alive, 0, n + 1);
    memset(s->alive + n + 1 - young, 1, young);
    for (; branches > 1; at--) {
        if (!s->alive[at]) continue;
        size_t parent = at - s->last[at - 1].size;
        if (s->alive[parent]) branches--;
        s->alive[parent] = 1;
        s->alive[at] = 0;
    }
    for (meeting = at; !s->alive[meeting]; meeting--) continue;
    if (!meeting) return;
    write_to(s, s->base + meeting, out);
    memmove(s->last, s->last + meeting, (n - meeting) * sizeof *s->last);
}

void lm_bpe_stream_begin(lm_bpe_stream *s) { s->count = s->base = s->run = 0; }

bool lm_bpe_stream_add(lm_bpe_stream *s, uint32_t sym, unsigned char **out)
{
    s->run = s->count && s->chars[s->count & s->mask] == sym ? s->run + 1 : 1;
    s->count++;
    s->chars[s->count & s->mask] = sym;
    find_endings(s, sym);
    size_t n = s->count - s->base;
    if (!grow(s, n)) return false;
    const ending *e = endings_at(s, s->count);
    uint32_t k = s->endings[s->count & s->mask] - 1;
    for (; k > 0; k--) { /* where nothing longer may follow, the character itself does */
        if (e[k].size == s->count) break;
        if (e[k].size > n) continue; /* into what is settled */
        const ending *left = e[k].size == n ? &s->settled : &s->last[n - e[k].size - 1];
        if (may_follow(s, left, &e[k])) break;
    }
    s->last[n - 1] = e[k];
    if (n >= SETTLE && n % SETTLE == 0) settle(s, out);
    return true;
}

void lm_bpe_stream_end(lm_bpe_stream *s, unsigned char **out) { write_to(s, s->count, out); }
