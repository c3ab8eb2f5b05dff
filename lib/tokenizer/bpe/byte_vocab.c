/* byte_vocab.c -- pieces and merges to symbols. docs/tokenizer.md says why this is exact: a piece is
 * made by one pair of symbols, the last pair that is left when its text is merged alone. */
#include "lib/tokenizer/bpe/byte_vocab.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/text.h"

#define LONGEST 4096 /* bytes of a piece; real ones have up to 512 */
#define NO_MERGE UINT32_MAX

/* What is needed while loading. */
typedef struct loader {
    lm_byte_vocab *v;
    const lm_byte_spec *spec;
    const char *path;
    uint32_t *made_by;        /* by id: the last merge in the list that makes it, or NO_MERGE */
    uint32_t *before;         /* by merge: one before it that makes the same */
    uint32_t *lefts, *rights; /* by id: the one pair that makes it */
    uint32_t *by_rank;        /* ids */
    uint8_t *known;           /* by id: its text alone is encoded as it */
} loader;

/* A piece while its bytes merge: part i is `size` bytes of an id, which merges with the next by
 * `rank` into `made`. */
typedef struct span {
    uint32_t at, size, id, rank, made;
} span;

/* ---- pieces ------------------------------------------------------------------------ */

static int check_piece(const loader *l, uint32_t id, uint64_t total)
{
    if (l->spec->pieces[id].size > LONGEST)
        return lm_fail(LM_EDATA, "%s: piece %" PRIu32 " has %" PRIu32 " bytes, over %d", l->path,
                       id, l->spec->pieces[id].size, LONGEST);
    if (total < UINT32_MAX / 2) return LM_OK;
    return lm_fail(LM_EDATA, "%s: the pieces are over 2 GB", l->path);
}

static int copy_texts(const loader *l)
{
    lm_byte_vocab *v = l->v;
    const lm_byte_piece *p = l->spec->pieces;
    uint64_t total = 0;
    for (uint32_t id = 0; id < v->count; id++) {
        int rc = check_piece(l, id, total += p[id].size);
        if (rc) return rc;
    }
    v->text = calloc(total + LM_SHORT, 1);
    v->starts = malloc((v->count + (size_t)1) * sizeof *v->starts);
    if (!v->text || !v->starts) return lm_fail_nomem(total + LM_SHORT);
    uint32_t at = 0;
    for (uint32_t id = 0; id < v->count; at += p[id++].size) {
        v->starts[id] = at;
        if (p[id].size) memcpy(v->text + at, p[id].bytes, p[id].size);
    }
    v->starts[v->count] = at;
    return LM_OK;
}

/* GPT-2's alphabet: printable bytes of Latin-1 are themselves, the others come from U+0100 on. */
static uint32_t letter_of(unsigned byte)
{
    static const uint8_t firsts[] = { 0, 127, 173 }, ends[] = { 33, 161, 174 };
    uint32_t others = 0;
    for (int i = 0; i < 3; i++) {
        if (byte < firsts[i]) return byte;
        if (byte < ends[i]) return 256 + others + byte - firsts[i];
        others += ends[i] - firsts[i];
    }
    return byte;
}

static int make_names(lm_byte_vocab *v)
{
    uint32_t total = v->starts[v->count], at = 0;
    v->names = malloc(2 * (size_t)total + v->count + 1);
    v->name_starts = malloc((v->count + (size_t)1) * sizeof *v->name_starts);
    if (!v->names || !v->name_starts) return lm_fail_nomem(2 * (size_t)total + v->count);
    unsigned char letters[256][2];
    for (unsigned b = 0; b < 256; b++) {
        uint32_t c = letter_of(b);
        letters[b][0] = (unsigned char)(0xc0 | c >> 6);
        letters[b][1] = (unsigned char)(0x80 | (c & 63));
    }
    for (uint32_t id = 0; id < v->count; id++) {
        v->name_starts[id] = at;
        for (uint32_t i = v->starts[id]; i < v->starts[id + 1]; i++) {
            unsigned char b = v->text[i];
            if (b >= 33 && b < 127) {
                v->names[at++] = (char)b;
                continue;
            }
            memcpy(v->names + at, letters[b], 2);
            at += 2;
        }
        v->names[at++] = '\0';
    }
    return LM_OK;
}

/* ---- the map of texts -------------------------------------------------------------- */

static uint64_t hash_of(const lm_byte_vocab *v, uint32_t id)
{
    return lm_byte_hash(v->text + v->starts[id], lm_byte_size(v, id));
}

static void map_put(lm_byte_vocab *v, uint32_t id)
{
    uint64_t hash = hash_of(v, id);
    uint32_t mask = (uint32_t)(UINT64_MAX >> v->map_shift), i = (uint32_t)(hash >> v->map_shift);
    while (v->map[i] != UINT32_MAX) i = (i + 1) & mask;
    v->map[i] = ((uint32_t)(hash >> (v->map_shift - 11)) & 0x7ff) << LM_WIDE_BITS | id;
}

static int map_texts(const loader *l)
{
    lm_byte_vocab *v = l->v;
    size_t size = 16;
    for (v->map_shift = 60; size < 2 * (size_t)v->count + 2; size *= 2) v->map_shift--;
    v->map = lm_huge_alloc(size * sizeof *v->map);
    if (!v->map) return lm_fail_nomem(size * sizeof *v->map);
    memset(v->map, 0xff, size * sizeof *v->map);
    for (uint32_t id = 0; id < v->count; id++) {
        if (!lm_byte_size(v, id)) continue;
        uint32_t twin =
            lm_byte_find(v, hash_of(v, id), v->text + v->starts[id], lm_byte_size(v, id));
        if (twin != LM_NO_SYMBOL)
            return lm_fail(LM_EDATA, "%s: pieces %" PRIu32 " and %" PRIu32 " are the same bytes",
                           l->path, twin, id);
        map_put(v, id);
    }
    return LM_OK;
}

/* Leave only texts that are encoded as one id. */
static void map_known(const loader *l)
{
    lm_byte_vocab *v = l->v;
    memset(v->map, 0xff, ((size_t)1 << (64 - v->map_shift)) * sizeof *v->map);
    for (uint32_t id = 0; id < v->count; id++)
        if (l->known[id]) map_put(v, id);
}

/* ---- merges ------------------------------------------------------------------------ */

static bool makes(const loader *l, const lm_byte_merge *m)
{
    const lm_byte_piece *p = l->spec->pieces;
    uint32_t count = l->v->count;
    if (m->left >= count || m->right >= count || m->merged >= count) return false;
    const lm_byte_piece *a = &p[m->left], *b = &p[m->right], *ab = &p[m->merged];
    return a->size && b->size && a->size + b->size == ab->size &&
           !memcmp(ab->bytes, a->bytes, a->size) && !memcmp(ab->bytes + a->size, b->bytes, b->size);
}

/* The merges that make each piece. Of a pair that is there twice, the last counts. */
static int list_merges(loader *l)
{
    const lm_byte_spec *s = l->spec;
    size_t bytes = (s->merge_count + 1) * sizeof *l->before;
    if (!s->merges) return LM_OK;
    l->before = malloc(bytes);
    l->made_by = malloc((l->v->count + (size_t)1) * sizeof *l->made_by);
    if (!l->before || !l->made_by) return lm_fail_nomem(bytes);
    memset(l->made_by, 0xff, l->v->count * sizeof *l->made_by);
    for (uint32_t i = 0; i < s->merge_count; i++) {
        const lm_byte_merge *m = &s->merges[i];
        if (!makes(l, m))
            return lm_fail(LM_EDATA,
                           "%s: merge %" PRIu32 ": pieces %" PRIu32 " and %" PRIu32
                           " do not make piece %" PRIu32,
                           l->path, i, m->left, m->right, m->merged);
        uint32_t *at = &l->made_by[m->merged];
        while (*at != NO_MERGE && s->merges[*at].left != m->left) at = &l->before[*at];
        l->before[i] = *at == NO_MERGE ? NO_MERGE : l->before[*at];
        *at = i;
    }
    return LM_OK;
}

/* The rank by which piece `left` and what follows it make piece `made`, or LM_NO_RANK. */
static uint32_t rank_of(const loader *l, uint32_t left, uint32_t made)
{
    if (!l->spec->merges) return made;
    for (uint32_t i = l->made_by[made]; i != NO_MERGE; i = l->before[i])
        if (l->spec->merges[i].left == left) return i;
    return LM_NO_RANK;
}

/* Find out how two adjacent spans of text p merge. */
static void join(const loader *l, const unsigned char *p, span *s, const span *next)
{
    uint32_t size = s->size + next->size, id;
    if (size == 2) id = l->v->first[p[s->at] << 8 | p[s->at + 1]];
    else id = lm_byte_find(l->v, lm_byte_hash(p + s->at, size), p + s->at, size);
    s->made = id;
    s->rank = id == LM_NO_SYMBOL ? LM_NO_RANK : rank_of(l, s->id, id);
}

/* Merge the text of piece `id` alone until two spans are left, and these are not yet merged. False
 * where it does not come to that. */
static bool last_pair(const loader *l, uint32_t id, span *s)
{
    const lm_byte_vocab *v = l->v;
    const unsigned char *p = v->text + v->starts[id];
    uint32_t n = lm_byte_size(v, id);
    for (uint32_t i = 0; i < n; i++) {
        s[i] = (span){ i, 1, v->ids[p[i]], LM_NO_RANK, 0 };
        if (s[i].id == LM_NO_SYMBOL) return false;
        if (i) join(l, p, &s[i - 1], &s[i]);
    }
    while (n > 2) {
        uint32_t best = LM_NO_RANK, i = 0;
        for (uint32_t k = 0; k + 1 < n; k++)
            if (s[k].rank < best) best = s[k].rank, i = k;
        if (best == LM_NO_RANK) return false;
        s[i].id = s[i].made;
        s[i].size += s[i + 1].size;
        n--;
        memmove(s + i + 1, s + i + 2, (n - i - 1) * sizeof *s);
        s[i].rank = LM_NO_RANK;
        if (i + 1 < n) join(l, p, &s[i], &s[i + 1]);
        if (i > 0) join(l, p, &s[i - 1], &s[i]);
    }
    return n == 2 && s[0].rank != LM_NO_RANK;
}

/* Find the pair of each piece and put the piece into l->by_rank. */
static int find_pairs(loader *l)
{
    lm_byte_vocab *v = l->v;
    size_t ranks = l->spec->merges ? l->spec->merge_count : v->count;
    span *s = malloc(LONGEST * sizeof *s);
    l->by_rank = malloc((ranks + 1) * sizeof *l->by_rank);
    l->lefts = malloc((v->count + (size_t)1) * sizeof *l->lefts);
    l->rights = malloc((v->count + (size_t)1) * sizeof *l->rights);
    l->known = calloc(v->count + (size_t)1, 1);
    if (!s || !l->by_rank || !l->lefts || !l->rights || !l->known) {
        free(s);
        return lm_fail_nomem((ranks + v->count) * sizeof *l->by_rank);
    }
    memset(l->by_rank, 0xff, ranks * sizeof *l->by_rank);
    for (uint32_t id = 0; id < v->count; id++) {
        uint32_t size = lm_byte_size(v, id);
        l->known[id] = size == 1;
        if (size < 2 || !last_pair(l, id, s)) continue;
        l->known[id] = 1;
        l->lefts[id] = s[0].id;
        l->rights[id] = s[1].id;
        l->by_rank[s[0].rank] = id;
        if (size > v->longest) v->longest = size;
    }
    free(s);
    return LM_OK;
}

/* Number the symbols and fill the table of pairs. */
static int number_symbols(loader *l)
{
    lm_byte_vocab *v = l->v;
    size_t ranks = l->spec->merges ? l->spec->merge_count : v->count, n = 0;
    uint32_t *symbol = malloc((v->count + (size_t)1) * sizeof *symbol), next = 256;
    uint64_t *slots = malloc((v->count + (size_t)1) * sizeof *slots);
    int rc = symbol && slots ? LM_OK : lm_fail_nomem(v->count * sizeof *slots);
    for (uint32_t b = 0; !rc && b < 256; b++)
        if (v->ids[b] != LM_NO_SYMBOL) symbol[v->ids[b]] = b;
    for (size_t i = 0; !rc && i < ranks; i++) {
        uint32_t id = l->by_rank[i];
        if (id == UINT32_MAX) continue;
        symbol[id] = next;
        v->ids[next++] = id;
    }
    for (uint32_t s = 256; !rc && s < next; s++) {
        uint64_t left = symbol[l->lefts[v->ids[s]]], right = symbol[l->rights[v->ids[s]]];
        slots[n++] = (left << LM_WIDE_BITS | right) << LM_WIDE_BITS | s;
    }
    if (!rc) rc = lm_pairs_place(&v->pairs, slots, n);
    for (uint32_t i = 0; !rc && i < 65536; i++)
        v->first[i] = (uint32_t)lm_merge_find21(&v->pairs, i >> 8, i & 255) & LM_NO_SYMBOL;
    free(slots);
    free(symbol);
    return rc;
}

/* Bytes, and in v->first the ids of pairs of bytes, until their symbols are known. */
static int list_bytes(const loader *l)
{
    lm_byte_vocab *v = l->v;
    v->first = malloc(65536 * sizeof *v->first);
    v->ids = malloc((v->count + (size_t)256) * sizeof *v->ids);
    if (!v->first || !v->ids) return lm_fail_nomem((v->count + (size_t)65536) * 4);
    for (uint32_t i = 0; i < 65536; i++) v->first[i] = LM_NO_SYMBOL;
    for (uint32_t i = 0; i < 256; i++) v->ids[i] = LM_NO_SYMBOL;
    for (uint32_t id = 0; id < v->count; id++) {
        const unsigned char *p = v->text + v->starts[id];
        if (lm_byte_size(v, id) == 1) v->ids[p[0]] = id;
        if (lm_byte_size(v, id) == 2) v->first[p[0] << 8 | p[1]] = id;
    }
    for (uint32_t b = 0; b < 256; b++) {
        if (v->ids[b] != LM_NO_SYMBOL) continue;
        v->holes = true;
        bool in_utf8 = b != 0xc0 && b != 0xc1 && b < 0xf5;
        if (in_utf8 && !l->spec->merges)
            return lm_fail(LM_EDATA, "%s: no piece is the byte 0x%02X alone", l->path, b);
    }
    return LM_OK;
}

/* ---- all of it --------------------------------------------------------------------- */

static int build(loader *l)
{
    lm_byte_vocab *v = l->v;
    if (l->spec->count >= LM_NO_SYMBOL - 256 || l->spec->merge_count >= UINT32_MAX)
        return lm_fail(LM_EDATA, "%s: the vocabulary has over %u pieces", l->path, LM_NO_SYMBOL);
    int rc = copy_texts(l);
    if (!rc) rc = make_names(v);
    if (!rc) rc = map_texts(l);
    if (!rc) rc = list_bytes(l);
    if (!rc) rc = list_merges(l);
    if (!rc) rc = find_pairs(l);
    if (!rc) rc = number_symbols(l);
    if (!rc && !l->spec->whole) map_known(l);
    return rc;
}

int lm_byte_vocab_new(lm_byte_vocab *v, const lm_byte_spec *spec, const char *path)
{
    *v = (lm_byte_vocab){ .count = spec->count, .longest = 1 };
    loader l = { .v = v, .spec = spec, .path = path };
    int rc = build(&l);
    free(l.by_rank);
    free(l.made_by);
    free(l.before);
    free(l.lefts);
    free(l.rights);
    free(l.known);
    return rc;
}

void lm_byte_vocab_free(lm_byte_vocab *v)
{
    free(v->text);
    free(v->starts);
    free(v->names);
    free(v->name_starts);
    free(v->map);
    lm_pairs_free(&v->pairs);
    free(v->first);
    free(v->ids);
    *v = (lm_byte_vocab){ 0 };
}
