/* niah.c -- needles in a haystack: lines of noise, lines that are needles, essays. */
#include "eval/tasks/ruler/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/data/sentence.h"
#include "lib/base/rng.h"

/* ---- prose ------------------------------------------------------------------------------ */

void ruler_prose_free(ruler_prose *p)
{
    lm_buf_free(&p->text);
    free(p->word);
    free(p->ends);
    *p = (ruler_prose){ 0 };
}

enum { LONG_SENTENCE = 200 /* words */ };

/* Verse has line ends and no full stops. */
static void count_lines(ruler_prose *p, const bool *line)
{
    size_t sentences = 0;
    for (size_t i = 0; i < p->words; i++) sentences += p->ends[i];
    for (size_t i = 0; p->words / LONG_SENTENCE > sentences && i < p->words; i++)
        p->ends[i] |= line[i];
}

int ruler_prose_make(ruler_prose *p, const char *text, size_t n)
{
    static const char BLANKS[] = " \t\n\v\f\r";
    *p = (ruler_prose){ .text = LM_BUF_INIT(RULER_TEXT_MAX) };
    size_t most = n / 2 + 1; /* a word has a letter and a blank */
    bool *line = malloc(most * sizeof *line);
    p->word = malloc(most * sizeof *p->word);
    p->ends = malloc(most * sizeof *p->ends);
    int rc = line && p->word && p->ends
                 ? LM_OK
                 : lm_fail_nomem(most * (sizeof *p->word + 2 * sizeof *p->ends));
    for (size_t i = 0; !rc && i < n;) {
        size_t from = i;
        while (i < n && text[i] && !memchr(BLANKS, text[i], sizeof BLANKS - 1)) i++;
        if (i == from) {
            i++;
            continue;
        }
        p->ends[p->words] = eval_ends_sentence(text + from, i - from);
        line[p->words] = i < n && (text[i] == '\n' || text[i] == '\r');
        p->word[p->words++] = p->text.size;
        rc = lm_buf_add(&p->text, text + from, i - from);
        if (!rc) rc = lm_buf_add(&p->text, "", 1);
    }
    if (!rc && !p->words) rc = lm_fail(LM_EDATA, "the haystack has no words");
    if (!rc) count_lines(p, line);
    free(line);
    return rc;
}

static const char *prose_word(const ruler_prose *p, size_t i)
{
    return (char *)p->text.data + p->word[i % p->words];
}

/* ---- needle in a haystack --------------------------------------------------------------- */

enum { NEEDLES_MAX = RULER_NEEDLES_MAX, DEPTHS = 40 };

/* A random word, seven-digit number or UUID (version 4). */
static void make_value(char out[RULER_NAME], enum ruler_kind kind, uint64_t r)
{
    uint64_t s = lm_mix64(r + 1);
    if (kind == WORDS)
        snprintf(out, RULER_NAME, "%s-%s", ruler_adjectives[ruler_below(ruler_adjectives_n, r)],
                 ruler_nouns[ruler_below(ruler_nouns_n, s)]);
    else if (kind == NUMBERS) snprintf(out, RULER_NAME, "%zu", 1000000 + ruler_below(9000000, r));
    else
        snprintf(out, RULER_NAME,
                 "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64, r >> 32,
                 r >> 16 & 0xffff, r & 0xfff, 0x8000 | (s >> 48 & 0x3fff), s & 0xffffffffffff);
}

struct needles {
    const struct ruler_niah *how;
    char key[NEEDLES_MAX][RULER_NAME], value[NEEDLES_MAX][NEEDLES_MAX][RULER_NAME];
    size_t order[NEEDLES_MAX], count; /* needles in their order in the text */
};

static const char *plural(enum ruler_kind k)
{
    return k == UUIDS ? "uuids" : k == NUMBERS ? "numbers" : "words";
}

static const char *one_of(enum ruler_kind k)
{
    return k == UUIDS ? "uuid" : k == NUMBERS ? "number" : "word";
}

static bool is_key(const struct needles *s, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(s->key[i], key)) return true;
    return false;
}

static void make_needles(struct needles *s, const struct ruler_niah *how, uint64_t seed)
{
    s->how = how;
    s->count = how->keys * how->values;
    for (size_t k = 0; k < how->keys; k++) {
        uint64_t try = 0;
        do make_value(s->key[k], how->key, lm_hash4(seed, FOR_KEY, k, try++));
        while (is_key(s, k, s->key[k]));
        for (size_t v = 0; v < how->values; v++)
            make_value(s->value[k][v], how->value, lm_hash4(seed, FOR_VALUE, k, v));
    }
    for (size_t i = 0; i < s->count; i++) s->order[i] = i;
    ruler_shuffle(seed, FOR_ORDER, s->order, s->count);
}

static int add_line(lm_buf *b, enum ruler_kind kind, const char *key, const char *value)
{
    return lm_buf_printf(b, "One of the special magic %s for %s is: %s.", plural(kind), key, value);
}

static int add_needle(ruler_sample *out, const struct needles *s, size_t i)
{
    lm_buf *b = &out->prompt;
    out->needle[out->needles++] = (double)b->size;
    size_t needle = s->order[i], k = needle / s->how->values, v = needle % s->how->values;
    return add_line(b, s->how->value, s->key[k], s->value[k][v]);
}

/* A line that is a needle nobody asks for. */
static int add_decoy(lm_buf *b, const struct needles *s, uint64_t seed, size_t line)
{
    char key[RULER_NAME], value[RULER_NAME];
    uint64_t try = 0;
    do make_value(key, s->how->key, lm_hash4(seed, FOR_LINE_KEY, line, try++));
    while (is_key(s, s->how->keys, key));
    make_value(value, s->how->value, lm_hash4(seed, FOR_LINE_VALUE, line, 0));
    return add_line(b, s->how->value, key, value);
}

/* `size` lines, and the needles before lines drawn at random. */
static int add_lines(ruler_sample *out, const struct needles *s, const struct ruler_make *m)
{
    lm_buf *b = &out->prompt;
    size_t place[NEEDLES_MAX], next = 0;
    ruler_choose(m->seed, FOR_PLACE, m->size, s->count, place);
    qsort(place, s->count, sizeof *place, ruler_rising);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < m->size; i++) {
        for (; !rc && next < s->count && place[next] == i; next++) {
            rc = add_needle(out, s, next);
            if (!rc) rc = ruler_add(b, "\n");
        }
        if (!rc && s->how->haystack == REPEAT) rc = ruler_add(b, RULER_NOISE);
        else if (!rc) rc = add_decoy(b, s, m->seed, i);
        if (!rc && i + 1 < m->size) rc = ruler_add(b, "\n");
    }
    return rc;
}

/* The first `size` words of the essays, again from the start where they are over, and the needles
 * between sentences: at as many of 40 depths, evenly from 0 to 100 percent. */
static int add_prose(ruler_sample *out, const struct needles *s, const struct ruler_make *m)
{
    lm_buf *b = &out->prompt;
    size_t depth[NEEDLES_MAX], sentences = 0, done = 0, next = 0;
    for (size_t i = 0; i < m->size; i++)
        sentences += m->prose->ends[i % m->prose->words] || i + 1 == m->size;
    ruler_choose(m->seed, FOR_PLACE, DEPTHS, s->count, depth);
    qsort(depth, s->count, sizeof *depth, ruler_rising);
    int rc = LM_OK;
    bool start = true; /* of a sentence */
    for (size_t i = 0; !rc && i <= m->size; i++) {
        for (; !rc && start && next < s->count; next++) {
            double percent = nearbyint(100.0 * (double)depth[next] / (DEPTHS - 1));
            if ((size_t)((double)sentences * percent / 100) > done) break;
            if (i) rc = ruler_add(b, " ");
            if (!rc) rc = add_needle(out, s, next);
            if (!rc && !i) rc = ruler_add(b, " ");
        }
        if (rc || i == m->size) break;
        if (i) rc = ruler_add(b, " ");
        if (!rc) rc = ruler_add(b, prose_word(m->prose, i));
        start = m->prose->ends[i % m->prose->words] || i + 1 == m->size;
        done += start;
    }
    return rc;
}

/* "a", or "a, b, and c": RULER's comma precedes the last even of two. */
static int add_query(lm_buf *b, const struct needles *s, const size_t *query)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < s->how->queries; i++) {
        if (i) rc = ruler_add(b, i + 1 == s->how->queries ? ", and " : ", ");
        if (!rc) rc = ruler_add(b, s->key[query[i]]);
    }
    return rc;
}

/* From offsets to percents of the text that begins at `from`. */
static void set_places(ruler_sample *out, size_t from)
{
    double all = (double)(out->prompt.size - from);
    for (size_t i = 0; i < out->needles && all > 0; i++)
        out->needle[i] = 100 * (out->needle[i] - (double)from) / all;
}

int ruler_make_niah(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    const struct ruler_niah *h = how;
    struct needles s;
    size_t query[NEEDLES_MAX];
    bool one = h->queries * h->values == 1;
    lm_buf *b = &out->prompt;
    const char *type = one ? one_of(h->value) : plural(h->value);
    make_needles(&s, h, m->seed);
    ruler_choose(m->seed, FOR_QUERY, h->keys, h->queries, query);
    int rc = lm_buf_printf(
        b,
        "%s special magic %s %s hidden within the following text. Make sure to memorize it. I "
        "will quiz you about the %s afterwards.\n",
        one ? "A" : "Some", type, one ? "is" : "are", type);
    size_t begins = b->size;
    if (!rc) rc = h->haystack == PROSE ? add_prose(out, &s, m) : add_lines(out, &s, m);
    set_places(out, begins);
    if (!rc)
        rc = lm_buf_printf(b, "\nWhat %s the special magic %s for ", one ? "is" : "are all", type);
    if (!rc) rc = add_query(b, &s, query);
    if (!rc)
        rc = lm_buf_printf(b, " mentioned in the provided text? The special magic %s for ", type);
    if (!rc) rc = add_query(b, &s, query);
    if (!rc) rc = lm_buf_printf(b, " mentioned in the provided text %s", one ? "is" : "are");
    for (size_t i = 0; !rc && i < h->queries; i++)
        for (size_t v = 0; !rc && v < h->values; v++)
            rc = ruler_reference(out, s.value[query[i]][v]);
    return rc;
}
