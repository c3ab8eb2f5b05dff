/* proof.c -- what a vocabulary proves about the encoding of every text.
 *
 * SentencePiece merges, over the whole text, the adjacent pair whose union is the best piece,
 * the leftmost of equals, until no union is a piece. From that follows all below:
 *   - A boundary that no piece has inside is never crossed, so the text can be cut there.
 *   - A piece is merged as it is in a text that consists of it alone:
 *     what happens outside cannot change the order inside. So every piece has one pair of
 *     symbols whose merge makes it, or none.
 * The same holds where only the pairs of a list merge, in the order of their ranks in it. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/tokenizer/bpe/internal.h"

#define MAX_CHARS 256 /* of a piece; real ones have far fewer */

/* The normal pieces by their text, while the proof is made. */
typedef struct text_map {
    uint32_t *slots; /* index + 1 */
    size_t mask;
    const lm_model *m;
} text_map;

static uint32_t *map_slot(const text_map *map, const char *text, size_t size)
{
    for (size_t i = (size_t)lm_hash64(text, size);; i++) {
        uint32_t *slot = &map->slots[i & map->mask];
        if (!*slot) return slot;
        const lm_piece *p = &map->m->pieces[*slot - 1];
        if (p->size == size && !memcmp(p->text, text, size)) return slot;
    }
}

static uint32_t map_find(const text_map *map, const char *text, size_t size)
{
    return *map_slot(map, text, size) - 1; /* LM_NO_SYM where there is none */
}

/* One piece as characters. `ends` has the offsets after each. */
typedef struct chars {
    uint32_t code[MAX_CHARS];
    size_t ends[MAX_CHARS];
    size_t count, spaces; /* spaces: U+2581 at its front */
} chars;

static int say_piece(const lm_model *m, size_t id, const char *what, char *why, size_t why_size)
{
    size_t size = m->pieces[id].size;
    snprintf(why, why_size, "piece %zu \"%.*s\" %s", id, (int)(size < 40 ? size : 40),
             m->pieces[id].text, what);
    return 0;
}

static bool split_chars(const lm_piece *p, chars *c)
{
    const unsigned char *text = (const unsigned char *)p->text;
    c->count = c->spaces = 0;
    for (size_t at = 0; at < p->size; c->count++) {
        if (c->count == MAX_CHARS) return false;
        size_t n = lm_utf8_decode(text + at, p->size - at, &c->code[c->count]);
        if (!n) return false;
        c->ends[c->count] = at += n;
        if (c->code[c->count] == LM_SPACE_MARK && c->spaces == c->count) c->spaces++;
    }
    return true;
}

static unsigned char_class(uint32_t c)
{
    return c == LM_SPACE_MARK ? LM_SPACE : c < 128 ? lm_byte_classes[c] : LM_HIGH;
}

/* A piece with a real space never meets a text, in which every space is U+2581. */
static bool can_occur(const lm_piece *p)
{
    return p->type == LM_NORMAL && !memchr(p->text, ' ', p->size);
}

static int check_settings(const lm_model *m, char *why, size_t why_size)
{
    const char *what = NULL;
    if (m->model_type != 2) what = "the model is not BPE";
    else if (m->charsmap_size) what = "the model normalizes characters";
    else if (m->squeeze_spaces) what = "the model removes extra spaces";
    else if (!m->escape_spaces) what = "the model does not mark spaces by U+2581";
    else if (m->space_as_suffix) what = "the model puts spaces at the end of words";
    else if (!m->byte_fallback) what = "the model has no bytes for unknown characters";
    else if (m->count >= 1U << LM_WIDE_BITS) what = "the vocabulary is too large";
    if (what) snprintf(why, why_size, "%s", what);
    return !what;
}

/* Put the pieces into the map and the bytes into v->byte_ids, or say what is not supported. */
static int check_pieces(lm_vocab *v, const lm_model *m, text_map *map, char *why, size_t why_size)
{
    for (size_t id = 0; id < m->count; id++) {
        const lm_piece *p = &m->pieces[id];
        chars c;
        if (p->type != LM_NORMAL && p->type != LM_BYTE && p->type != LM_CONTROL &&
            p->type != LM_UNKNOWN)
            return say_piece(m, id, p->type == 4 ? "is user defined" : "is not of a plain type",
                             why, why_size);
        if (!split_chars(p, &c))
            return say_piece(m, id, "is not UTF-8, or has over 256 characters", why, why_size);
        if (p->score != p->score) return say_piece(m, id, "has no score", why, why_size);
        /* SentencePiece looks for the id of a symbol among the special pieces first. */
        if (p->type != LM_NORMAL && c.count < 2 && !m->formed)
            return say_piece(m, id, "is special and a single character", why, why_size);
        uint32_t *slot = map_slot(map, p->text, p->size);
        if (*slot) return say_piece(m, id, "occurs twice in the vocabulary", why, why_size);
        *slot = (uint32_t)id + 1;
    }
    for (unsigned i = 0; i < 256; i++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", i);
        v->byte_ids[i] = map_find(map, text, 6);
        if (v->byte_ids[i] != LM_NO_SYM && m->pieces[v->byte_ids[i]].type == LM_BYTE) continue;
        snprintf(why, why_size, "there is no piece %s", text);
        return 0;
    }
    return 1;
}

static int add_char(lm_vocab *v, uint32_t c, uint32_t id, size_t *pages)
{
    uint16_t *page = &v->char_page[c >> 8];
    if (!*page) {
        uint32_t *p = realloc(v->chars, (*pages + 1) * 256 * sizeof *p);
        if (!p) return lm_fail_nomem((*pages + 1) * 256 * sizeof *p);
        v->chars = p;
        memset(p + *pages * 256, 0xff, 256 * sizeof *p);
        *page = (uint16_t)(*pages)++;
    }
    v->chars[(size_t)*page * 256 + (c & 255)] = id;
    return LM_OK;
}

/* Characters, and which of them and of the byte classes are neighbours in a piece. */
static int read_neighbours(lm_vocab *v, const lm_model *m, char *why, size_t why_size)
{
    size_t pages = 0;
    chars c;
    /* Page 0 stays empty; the code points below 256 have their own. */
    v->chars = malloc(256 * sizeof *v->chars);
    v->neighbours = calloc((1U << LM_NEIGHBOUR_BITS) / 64, sizeof *v->neighbours);
    if (!v->chars || !v->neighbours) return lm_fail_nomem(256 * sizeof *v->chars);
    memset(v->chars, 0xff, 256 * sizeof *v->chars);
    pages = 1;
    for (size_t id = 0; id < m->count; id++) {
        if (!can_occur(&m->pieces[id])) continue;
        split_chars(&m->pieces[id], &c);
        int rc = c.count == 1 ? add_char(v, c.code[0], (uint32_t)id, &pages) : LM_OK;
        if (rc) return rc;
    }
    for (size_t id = 0; id < m->count; id++) {
        if (!can_occur(&m->pieces[id])) continue;
        split_chars(&m->pieces[id], &c);
        if (c.count > v->longest) v->longest = (uint32_t)c.count;
        for (size_t i = 0; i < c.count; i++) {
            if (lm_char_sym(v, c.code[i]) == LM_NO_SYM)
                return say_piece(m, id, "has a character that is no piece", why, why_size);
            if (i == 0) continue;
            size_t bit = lm_neighbour_bit(c.code[i - 1], c.code[i]);
            v->neighbours[bit >> 6] |= UINT64_C(1) << (bit & 63);
            v->join[char_class(c.code[i - 1])][char_class(c.code[i])] = true;
        }
    }
    v->space = lm_char_sym(v, LM_SPACE_MARK);
    if (v->space == LM_NO_SYM) {
        snprintf(why, why_size, "U+2581 is no piece");
        return 0;
    }
    for (uint32_t i = 0; i < 128; i++) {
        uint32_t sym = lm_char_sym(v, i);
        v->ascii_ids[i] = i == ' ' ? v->space : sym != LM_NO_SYM ? sym : v->byte_ids[i];
    }
    return 1;
}

/* Do runs of spaces merge after everything else, and with nothing but spaces? Then the last
 * space of a run first merges with what follows as if it were alone, and the others come
 * together afterwards. */
static bool runs_come_last(const lm_vocab *v, const lm_model *m)
{
    bool runs = false, others = false;
    float best_run = 0, worst_other = 0;
    chars c;
    for (unsigned k = 0; k < LM_CLASSES; k++)
        if (k != LM_SPACE && v->join[k][LM_SPACE]) return false;
    for (size_t id = 0; id < m->count; id++) {
        const lm_piece *p = &m->pieces[id];
        if (!can_occur(p)) continue;
        split_chars(p, &c);
        if (c.count < 2) continue;
        if (c.spaces == c.count) {
            if (!runs || p->score > best_run) best_run = p->score;
            runs = true;
        } else {
            if (c.spaces > 1) return false;
            if (!others || p->score < worst_other) worst_other = p->score;
            others = true;
        }
    }
    return runs && (!others || worst_other > best_run);
}

typedef struct scored {
    float score;
    uint32_t id;
} scored;

static int by_score(const void *a, const void *b)
{
    float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return x > y ? -1 : x < y;
}

/* ranks[id]: 0 for the best score, equal for equal scores; LM_NO_RANK where id is no union. */
static int rank_pieces(const lm_model *m, uint32_t *ranks, size_t *unions, uint32_t *count)
{
    scored *list = malloc((m->count + 1) * sizeof *list);
    size_t n = 0;
    chars c;
    if (!list) return lm_fail_nomem((m->count + 1) * sizeof *list);
    for (size_t id = 0; id < m->count; id++) {
        ranks[id] = LM_NO_RANK;
        if (!can_occur(&m->pieces[id])) continue;
        split_chars(&m->pieces[id], &c);
        if (c.count > 1) list[n++] = (scored){ m->pieces[id].score, (uint32_t)id };
    }
    qsort(list, n, sizeof *list, by_score);
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || list[i].score != list[i - 1].score) ++*count;
        ranks[list[i].id] = *count - 1;
    }
    *unions = n;
    free(list);
    return LM_OK;
}

/* The two symbols whose merge makes the piece as a text of its own. False: it never appears. */
static bool last_pair(const text_map *map, const uint32_t *ranks, const lm_piece *p,
                      uint32_t pair[2])
{
    chars c;
    size_t at[MAX_CHARS + 1] = { 0 }, n; /* symbol i is the bytes from at[i] to at[i + 1] */
    split_chars(p, &c);
    memcpy(at + 1, c.ends, c.count * sizeof *at);
    for (n = c.count; n > 2; n--) {
        uint32_t best = LM_NO_RANK;
        size_t where = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            uint32_t id = map_find(map, p->text + at[i], at[i + 2] - at[i]);
            if (id != LM_NO_SYM && ranks[id] < best) { /* a special piece has no rank */
                best = ranks[id];
                where = i;
            }
        }
        if (best == LM_NO_RANK) return false;
        memmove(at + where + 1, at + where + 2, (n - where - 1) * sizeof *at);
    }
    pair[0] = map_find(map, p->text, at[1]);
    pair[1] = map_find(map, p->text + at[1], at[2] - at[1]);
    return true;
}

/* A piece that appears as a text of its own is the encoding of its text: such words need not be
 * merged even once. `slots` are those of the merges. */
static int read_known(lm_vocab *v, const lm_model *m, const uint64_t *slots, size_t count)
{
    v->known = malloc((count + 1) * sizeof *v->known);
    if (!v->known) return lm_fail_nomem((count + 1) * sizeof *v->known);
    for (size_t i = 0; i < count; i++) {
        lm_known k = { .id = (uint32_t)slots[i] &
                             (v->pairs.narrow ? 0xffff : (1U << LM_WIDE_BITS) - 1) };
        const lm_piece *p = &m->pieces[k.id];
        size_t at = 0;
        while (at < p->size && k.size < LM_SHORT) {
            bool space = !strncmp(p->text + at, "\xe2\x96\x81", 3);
            k.text[k.size++] = space ? ' ' : (unsigned char)p->text[at];
            at += space ? 3 : 1;
        }
        if (at == p->size) v->known[v->known_count++] = k;
    }
    return LM_OK;
}

static int read_merges(lm_vocab *v, const lm_model *m, const text_map *map)
{
    size_t unions, count = 0;
    uint32_t ranks;
    v->pairs.ranks = malloc((m->count + 1) * sizeof *v->pairs.ranks);
    if (!v->pairs.ranks) return lm_fail_nomem((m->count + 1) * sizeof *v->pairs.ranks);
    int rc = rank_pieces(m, v->pairs.ranks, &unions, &ranks);
    if (rc) return rc;
    v->pairs.narrow = m->count < 0xffff && ranks < 0xffff;
    uint64_t *slots = malloc((unions + 1) * sizeof *slots);
    if (!slots) return lm_fail_nomem((unions + 1) * sizeof *slots);
    for (size_t id = 0; id < m->count; id++) {
        uint32_t pair[2];
        if (v->pairs.ranks[id] == LM_NO_RANK) continue;
        if (m->formed) memcpy(pair, m->formed[id], sizeof pair);
        else if (!last_pair(map, v->pairs.ranks, &m->pieces[id], pair)) continue;
        if (v->pairs.narrow)
            slots[count++] =
                ((uint64_t)pair[0] << 16 | pair[1]) << 32 | (uint64_t)v->pairs.ranks[id] << 16 | id;
        else slots[count++] = ((uint64_t)pair[0] << LM_WIDE_BITS | pair[1]) << LM_WIDE_BITS | id;
    }
    rc = lm_pairs_place(&v->pairs, slots, count);
    if (!rc) rc = read_known(v, m, slots, count);
    free(slots);
    if (rc || !v->pairs.narrow) return rc;
    v->ascii_merges = malloc(128 * 128 * sizeof *v->ascii_merges);
    if (!v->ascii_merges) return lm_fail_nomem(128 * 128 * sizeof *v->ascii_merges);
    for (size_t i = 0; i < 128 * 128; i++)
        v->ascii_merges[i] =
            lm_merge_find16(&v->pairs, v->ascii_ids[i / 128], v->ascii_ids[i % 128]);
    return LM_OK;
}

int lm_vocab_prove(lm_vocab *v, const lm_model *m, char *why, size_t why_size)
{
    *v = (lm_vocab){ .count = m->count, .dummy_prefix = m->dummy_prefix };
    if (!check_settings(m, why, why_size)) return 0;
    text_map map = { .mask = 15, .m = m };
    while (map.mask < 2 * m->count) map.mask = map.mask * 2 + 1;
    map.slots = calloc(map.mask + 1, sizeof *map.slots);
    if (!map.slots) return lm_fail_nomem((map.mask + 1) * sizeof *map.slots);
    int rc = check_pieces(v, m, &map, why, why_size);
    if (rc > 0) rc = read_neighbours(v, m, why, why_size);
    if (rc > 0) {
        v->runs_last = runs_come_last(v, m);
        lm_scan_prepare(v);
        rc = read_merges(v, m, &map);
        if (rc == LM_OK) rc = 1;
    }
    free(map.slots);
    if (rc <= 0) lm_vocab_free(v);
    return rc;
}

void lm_vocab_free(lm_vocab *v)
{
    free(v->chars);
    free(v->neighbours);
    lm_pairs_free(&v->pairs);
    free(v->ascii_merges);
    free(v->known);
    *v = (lm_vocab){ 0 };
}

void lm_model_free(lm_model *m)
{
    free(m->pieces);
    m->pieces = NULL;
    m->count = m->cap = 0;
}
