#include "eval/ruler_tasks.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/rng.h"

enum { TEXT_MAX = 1 << 30 };

/* What a random value is for: the second argument of lm_mix. */
enum purpose {
    FOR_KEY,
    FOR_VALUE,
    FOR_ORDER,
    FOR_PLACE,
    FOR_LINE_KEY,
    FOR_LINE_VALUE,
    FOR_QUERY,
    FOR_NAME,
    FOR_WORD,
    FOR_EXAMPLE
};

#define NOISE                                                                                      \
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."

/* ---- helpers ---------------------------------------------------------------------------- */

void ruler_sample_free(ruler_sample *s)
{
    lm_buf_free(&s->prompt);
    lm_buf_free(&s->references);
    s->n = 0;
}

static size_t below(size_t n, uint64_t random) { return (size_t)(lm_unit(random) * (double)n); }

static int add_text(lm_buf *b, const char *s) { return lm_buf_add(b, s, strlen(s)); }

static int add_reference(ruler_sample *out, const char *s)
{
    out->n++;
    return lm_buf_add(&out->references, s, strlen(s) + 1);
}

/* `count` distinct numbers below n, in no order. */
static void choose(uint64_t seed, enum purpose what, size_t n, size_t count, size_t *out)
{
    for (size_t i = 0; i < count; i++)
        for (uint64_t try = 0;; try++) {
            bool again = false;
            out[i] = below(n, lm_mix(seed, what, i, try));
            for (size_t k = 0; k < i; k++) again |= out[k] == out[i];
            if (!again) break;
        }
}

static int rising(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Fisher and Yates. */
static void shuffle(uint64_t seed, enum purpose what, size_t *v, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = below(i, lm_mix(seed, what, i, 0)), t = v[i - 1];
        v[i - 1] = v[k];
        v[k] = t;
    }
}

/* ---- prose ------------------------------------------------------------------------------ */

void ruler_prose_free(ruler_prose *p)
{
    lm_buf_free(&p->text);
    free(p->word);
    free(p->ends);
    *p = (ruler_prose){ 0 };
}

/* A sentence ends with a period, a question or exclamation mark, quotes and brackets after it
 * aside. */
static bool ends_sentence(const char *w, size_t n)
{
    while (n && strchr("\"')]", w[n - 1])) n--;
    if (n >= 3 && !memcmp(w + n - 3, "\xe2\x80\x9d", 3)) n -= 3;
    return n && strchr(".?!", w[n - 1]);
}

int ruler_prose_make(ruler_prose *p, const char *text, size_t n)
{
    static const char BLANKS[] = " \t\n\v\f\r";
    *p = (ruler_prose){ .text = LM_BUF_INIT(TEXT_MAX) };
    size_t most = n / 2 + 1; /* a word has a letter and a blank */
    p->word = malloc(most * sizeof *p->word);
    p->ends = malloc(most * sizeof *p->ends);
    if (!p->word || !p->ends) return lm_fail_nomem(most * (sizeof *p->word + sizeof *p->ends));
    for (size_t i = 0; i < n;) {
        size_t from = i;
        while (i < n && text[i] && !memchr(BLANKS, text[i], sizeof BLANKS - 1)) i++;
        if (i == from) {
            i++;
            continue;
        }
        p->ends[p->words] = ends_sentence(text + from, i - from);
        p->word[p->words++] = p->text.size;
        int rc = lm_buf_add(&p->text, text + from, i - from);
        if (!rc) rc = lm_buf_add(&p->text, "", 1);
        if (rc) return rc;
    }
    return p->words ? LM_OK : lm_fail(LM_EDATA, "the haystack has no words");
}

static const char *prose_word(const ruler_prose *p, size_t i)
{
    return (char *)p->text.data + p->word[i % p->words];
}

/* ---- needle in a haystack --------------------------------------------------------------- */

enum haystack { REPEAT, NEEDLES, PROSE };
enum kind { WORDS, NUMBERS, UUIDS };
enum { NEEDLES_MAX = 4, DEPTHS = 40, VALUE_SIZE = 64 };

static const struct niah {
    enum haystack haystack;
    enum kind key, value;
    size_t keys, values, queries;
} SINGLE_1 = { REPEAT, WORDS, NUMBERS, 1, 1, 1 }, SINGLE_2 = { PROSE, WORDS, NUMBERS, 1, 1, 1 },
  SINGLE_3 = { PROSE, WORDS, UUIDS, 1, 1, 1 }, MULTIKEY_1 = { PROSE, WORDS, NUMBERS, 4, 1, 1 },
  MULTIKEY_2 = { NEEDLES, WORDS, NUMBERS, 1, 1, 1 },
  MULTIKEY_3 = { NEEDLES, UUIDS, UUIDS, 1, 1, 1 }, MULTIVALUE = { PROSE, WORDS, NUMBERS, 1, 4, 1 },
  MULTIQUERY = { PROSE, WORDS, NUMBERS, 4, 1, 4 };

/* A random word, seven-digit number or UUID (version 4). */
static void make_value(char out[VALUE_SIZE], enum kind kind, uint64_t r)
{
    uint64_t s = lm_mix1(r + 1);
    if (kind == WORDS)
        snprintf(out, VALUE_SIZE, "%s-%s", ruler_adjectives[below(ruler_adjectives_n, r)],
                 ruler_nouns[below(ruler_nouns_n, s)]);
    else if (kind == NUMBERS)
        snprintf(out, VALUE_SIZE, "%zu", 1000000 + below(9000000, r));
    else
        snprintf(out, VALUE_SIZE,
                 "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64, r >> 32,
                 r >> 16 & 0xffff, r & 0xfff, 0x8000 | (s >> 48 & 0x3fff), s & 0xffffffffffff);
}

struct needles {
    const struct niah *how;
    char key[NEEDLES_MAX][VALUE_SIZE], value[NEEDLES_MAX][NEEDLES_MAX][VALUE_SIZE];
    size_t order[NEEDLES_MAX], count; /* needles in the order they stand in */
};

static const char *plural(enum kind k)
{
    return k == UUIDS ? "uuids" : k == NUMBERS ? "numbers" : "words";
}

static const char *one_of(enum kind k)
{
    return k == UUIDS ? "uuid" : k == NUMBERS ? "number" : "word";
}

static bool is_key(const struct needles *s, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(s->key[i], key)) return true;
    return false;
}

static void make_needles(struct needles *s, const struct niah *how, uint64_t seed)
{
    s->how = how;
    s->count = how->keys * how->values;
    for (size_t k = 0; k < how->keys; k++) {
        uint64_t try = 0;
        do make_value(s->key[k], how->key, lm_mix(seed, FOR_KEY, k, try++));
        while (is_key(s, k, s->key[k]));
        for (size_t v = 0; v < how->values; v++)
            make_value(s->value[k][v], how->value, lm_mix(seed, FOR_VALUE, k, v));
    }
    for (size_t i = 0; i < s->count; i++) s->order[i] = i;
    shuffle(seed, FOR_ORDER, s->order, s->count);
}

static int add_line(lm_buf *b, enum kind kind, const char *key, const char *value)
{
    return lm_buf_printf(b, "One of the special magic %s for %s is: %s.", plural(kind), key, value);
}

static int add_needle(lm_buf *b, const struct needles *s, size_t i)
{
    size_t needle = s->order[i], k = needle / s->how->values, v = needle % s->how->values;
    return add_line(b, s->how->value, s->key[k], s->value[k][v]);
}

/* A line that is a needle nobody asks for. */
static int add_decoy(lm_buf *b, const struct needles *s, uint64_t seed, size_t line)
{
    char key[VALUE_SIZE], value[VALUE_SIZE];
    uint64_t try = 0;
    do make_value(key, s->how->key, lm_mix(seed, FOR_LINE_KEY, line, try++));
    while (is_key(s, s->how->keys, key));
    make_value(value, s->how->value, lm_mix(seed, FOR_LINE_VALUE, line, 0));
    return add_line(b, s->how->value, key, value);
}

/* `size` lines, and the needles before lines drawn at random. */
static int add_lines(lm_buf *b, const struct needles *s, const struct ruler_make *m)
{
    size_t place[NEEDLES_MAX], next = 0;
    choose(m->seed, FOR_PLACE, m->size, s->count, place);
    qsort(place, s->count, sizeof *place, rising);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < m->size; i++) {
        for (; !rc && next < s->count && place[next] == i; next++) {
            rc = add_needle(b, s, next);
            if (!rc) rc = add_text(b, "\n");
        }
        if (!rc) rc = s->how->haystack == REPEAT ? add_text(b, NOISE) : add_decoy(b, s, m->seed, i);
        if (!rc && i + 1 < m->size) rc = add_text(b, "\n");
    }
    return rc;
}

/* The first `size` words of the essays, again from the start where they are over, and the needles
 * between sentences: at as many of 40 depths, evenly from 0 to 100 percent. */
static int add_prose(lm_buf *b, const struct needles *s, const struct ruler_make *m)
{
    size_t depth[NEEDLES_MAX], sentences = 0, done = 0, next = 0;
    for (size_t i = 0; i < m->size; i++)
        sentences += m->prose->ends[i % m->prose->words] || i + 1 == m->size;
    choose(m->seed, FOR_PLACE, DEPTHS, s->count, depth);
    qsort(depth, s->count, sizeof *depth, rising);
    int rc = LM_OK;
    bool start = true; /* of a sentence */
    for (size_t i = 0; !rc && i <= m->size; i++) {
        for (; !rc && start && next < s->count; next++) {
            double percent = nearbyint(100.0 * (double)depth[next] / (DEPTHS - 1));
            if ((size_t)((double)sentences * percent / 100) > done) break;
            if (i) rc = add_text(b, " ");
            if (!rc) rc = add_needle(b, s, next);
            if (!rc && !i) rc = add_text(b, " ");
        }
        if (rc || i == m->size) break;
        if (i) rc = add_text(b, " ");
        if (!rc) rc = add_text(b, prose_word(m->prose, i));
        start = m->prose->ends[i % m->prose->words] || i + 1 == m->size;
        done += start;
    }
    return rc;
}

/* "a", or "a, b, and c": RULER's comma stands before the last even of two. */
static int add_query(lm_buf *b, const struct needles *s, const size_t *query)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < s->how->queries; i++) {
        if (i) rc = add_text(b, i + 1 == s->how->queries ? ", and " : ", ");
        if (!rc) rc = add_text(b, s->key[query[i]]);
    }
    return rc;
}

static int make_niah(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    const struct niah *h = how;
    struct needles s;
    size_t query[NEEDLES_MAX];
    bool one = h->queries * h->values == 1;
    lm_buf *b = &out->prompt;
    const char *type = one ? one_of(h->value) : plural(h->value);
    make_needles(&s, h, m->seed);
    choose(m->seed, FOR_QUERY, h->keys, h->queries, query);
    int rc = lm_buf_printf(
        b,
        "%s special magic %s %s hidden within the following text. Make sure to memorize it. I "
        "will quiz you about the %s afterwards.\n",
        one ? "A" : "Some", type, one ? "is" : "are", type);
    if (!rc) rc = h->haystack == PROSE ? add_prose(b, &s, m) : add_lines(b, &s, m);
    if (!rc)
        rc = lm_buf_printf(b, "\nWhat %s the special magic %s for ", one ? "is" : "are all", type);
    if (!rc) rc = add_query(b, &s, query);
    if (!rc)
        rc = lm_buf_printf(b, " mentioned in the provided text? The special magic %s for ", type);
    if (!rc) rc = add_query(b, &s, query);
    if (!rc) rc = lm_buf_printf(b, " mentioned in the provided text %s", one ? "is" : "are");
    for (size_t i = 0; !rc && i < h->queries; i++)
        for (size_t v = 0; !rc && v < h->values; v++) rc = add_reference(out, s.value[query[i]][v]);
    return rc;
}

/* ---- variable tracking ------------------------------------------------------------------ */

enum { HOPS = 4, VARIABLES = HOPS + 1, NAME = 5, EXAMPLE_NAME = 3, STATEMENT = 32 };

struct chain {
    char name[VARIABLES][NAME + 1];
    char statement[VARIABLES][STATEMENT];
    size_t value;
};

static void make_chain(struct chain *c, uint64_t seed, size_t letters)
{
    for (size_t i = 0; i < VARIABLES; i++)
        for (uint64_t try = 0;; try++) {
            uint64_t r = lm_mix(seed, FOR_NAME, i, try);
            bool again = false;
            for (size_t k = 0; k < letters; k++, r = lm_mix1(r))
                c->name[i][k] = (char)('A' + below(26, r));
            c->name[i][letters] = 0;
            for (size_t k = 0; k < i; k++) again |= !strcmp(c->name[k], c->name[i]);
            if (!again) break;
        }
    c->value = 10000 + below(89999, lm_mix(seed, FOR_VALUE, 0, 0));
    snprintf(c->statement[0], STATEMENT, "VAR %s = %zu", c->name[0], c->value);
    for (size_t i = 1; i < VARIABLES; i++)
        snprintf(c->statement[i], STATEMENT, "VAR %s = VAR %s ", c->name[i], c->name[i - 1]);
}

/* The i-th piece of the noise: a line of it each, or where lines are too few for the chain, its
 * sentences and line ends. */
static const char *noise_piece(bool sentences, size_t i)
{
    static const char *const PIECES[] = { "The grass is green.", "The sky is blue.",
                                          "The sun is yellow.", "Here we go.",
                                          "There and back again.\n" };
    return sentences ? PIECES[i % 5] : NOISE "\n";
}

/* The noise with the statements in their order between its pieces. */
static int add_tracking(lm_buf *b, const struct chain *c, uint64_t seed, size_t size)
{
    size_t place[VARIABLES], next = 0;
    bool sentences = size <= VARIABLES;
    size_t pieces = sentences ? 5 * size : size;
    choose(seed, FOR_PLACE, pieces, VARIABLES, place);
    qsort(place, VARIABLES, sizeof *place, rising);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < pieces; i++) {
        for (; !rc && next < VARIABLES && place[next] == i; next++) {
            if (i) rc = add_text(b, " ");
            if (!rc) rc = add_text(b, c->statement[next]);
            if (!rc && !i) rc = add_text(b, " ");
        }
        if (!rc && i) rc = add_text(b, " ");
        if (!rc) rc = add_text(b, noise_piece(sentences, i));
    }
    return rc;
}

static int add_tracking_task(lm_buf *b, const struct chain *c, uint64_t seed, size_t size)
{
    int rc = lm_buf_printf(
        b, "Memorize and track the chain(s) of variable assignment hidden in the following "
           "text.\n\n");
    if (!rc) rc = add_tracking(b, c, seed, size);
    /* "assgined" is RULER's */
    return rc ? rc
              : lm_buf_printf(b,
                              "\nQuestion: Find all variables that are assigned the value %zu in "
                              "the text above. "
                              "Answer: According to the chain(s) of variable assignment in the "
                              "text above, %d "
                              "variables are assgined the value %zu, they are: ",
                              c->value, VARIABLES, c->value);
}

/* A solved case of short names. */
static int make_vt_example(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    struct chain c;
    (void)how;
    make_chain(&c, m->example, EXAMPLE_NAME);
    int rc = add_tracking_task(&out->prompt, &c, m->example, m->example_size);
    for (size_t i = 0; !rc && i < VARIABLES; i++)
        rc = lm_buf_printf(&out->prompt, "%s%s", i ? " " : "", c.name[i]);
    return rc;
}

static int make_vt(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    struct chain c;
    int rc = make_vt_example(how, m, out);
    if (!rc) rc = add_text(&out->prompt, "\n\n\n\n");
    make_chain(&c, m->seed, NAME);
    if (!rc) rc = add_tracking_task(&out->prompt, &c, m->seed, m->size);
    for (size_t i = 0; !rc && i < VARIABLES; i++) rc = add_reference(out, c.name[i]);
    return rc;
}

/* ---- common words ----------------------------------------------------------------------- */

enum { COMMON = 10, LONG = 4096 };

/* The words of a list: `size` of them, of which the first ten are the common ones. */
static int draw_words(uint64_t seed, size_t size, size_t **out)
{
    size_t all = ruler_adjectives_n * ruler_nouns_n, *v = malloc(all * sizeof *v);
    if (!v) return lm_fail_nomem(all * sizeof *v);
    for (size_t i = 0; i < all; i++) v[i] = i;
    for (size_t i = 0; i < size; i++) {
        size_t k = i + below(all - i, lm_mix(seed, FOR_WORD, i, 0)), t = v[i];
        v[i] = v[k];
        v[k] = t;
    }
    *out = v;
    return LM_OK;
}

static int add_numbered(lm_buf *b, size_t number, size_t word)
{
    return lm_buf_printf(b, "%s%zu. %s-%s", number > 1 ? " " : "", number,
                         ruler_adjectives[word / ruler_nouns_n], ruler_nouns[word % ruler_nouns_n]);
}

static int add_word_list(lm_buf *b, uint64_t seed, const size_t *word, size_t size, size_t often,
                         size_t seldom)
{
    size_t n = COMMON * often + (size - COMMON) * seldom, at = 0, *list = malloc(n * sizeof *list);
    if (!list) return lm_fail_nomem(n * sizeof *list);
    for (size_t i = 0; i < size; i++)
        for (size_t k = 0; k < (i < COMMON ? often : seldom); k++) list[at++] = word[i];
    shuffle(seed, FOR_ORDER, list, n);
    int rc = lm_buf_printf(
        b, "Below is a numbered list of words. In these words, some appear more often than "
           "others. Memorize the ones that appear most often.\n");
    for (size_t i = 0; !rc && i < n; i++) rc = add_numbered(b, i + 1, list[i]);
    free(list);
    return rc ? rc
              : lm_buf_printf(
                    b,
                    "\nQuestion: What are the 10 most common words in the above list? Answer: The "
                    "top 10 words that appear most often in the list are:");
}

static int make_cwe(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    size_t *word = NULL;
    bool small = m->length < LONG;
    (void)how;
    uint64_t example = lm_mix(m->seed, FOR_EXAMPLE, 0, 0);
    int rc = draw_words(example, 40, &word);
    if (!rc)
        rc = add_word_list(&out->prompt, example, word, small ? 20 : 40, small ? 3 : 10,
                           small ? 1 : 3);
    for (size_t i = 0; !rc && i < COMMON; i++) rc = add_numbered(&out->prompt, i + 1, word[i]);
    if (!rc) rc = add_text(&out->prompt, "\n");
    free(word);
    word = NULL;
    if (!rc) rc = draw_words(m->seed, m->size, &word);
    if (!rc)
        rc = add_word_list(&out->prompt, m->seed, word, m->size, small ? 6 : 30, small ? 1 : 3);
    for (size_t i = 0; !rc && i < COMMON; i++) {
        char name[VALUE_SIZE];
        snprintf(name, sizeof name, "%s-%s", ruler_adjectives[word[i] / ruler_nouns_n],
                 ruler_nouns[word[i] % ruler_nouns_n]);
        rc = add_reference(out, name);
    }
    free(word);
    return rc;
}

/* ---- frequent words --------------------------------------------------------------------- */

enum { CODED = 6, LEAST_VOCABULARY = 8, TOKENS_A_WORD = 50, ASKED = 3 };

struct coded {
    char word[CODED + 2];
};

static int by_code(const void *a, const void *b) { return strcmp(a, b); }

/* n distinct words of six letters; where two are equal, all are drawn anew. */
static int draw_codes(uint64_t seed, size_t n, struct coded **out)
{
    struct coded *v = calloc(n, sizeof *v), *sorted = malloc(n * sizeof *v);
    bool again = v && sorted;
    for (uint64_t try = 0; again; try++) {
        for (size_t i = 0; i < n; i++) {
            uint64_t r = lm_mix(seed, FOR_WORD, i, try);
            for (size_t k = 0; k < CODED; k++, r = lm_mix1(r))
                v[i].word[k] = (char)('a' + below(26, r));
        }
        memcpy(sorted, v, n * sizeof *v);
        qsort(sorted, n, sizeof *sorted, by_code);
        again = false;
        for (size_t i = 1; i < n; i++) again |= !strcmp(sorted[i].word, sorted[i - 1].word);
    }
    if (!v || !sorted) {
        free(v);
        free(sorted);
        return lm_fail_nomem(2 * n * sizeof *v);
    }
    free(sorted);
    *out = v;
    return LM_OK;
}

/* The word of rank k stands size / (k^2 zeta(2)) times in the text; that of rank 1 is dots, which
 * count as noise. */
static int add_coded(lm_buf *b, const struct ruler_make *m, const struct coded *v, size_t n)
{
    size_t words = 0, at = 0;
    double zeta = M_PI * M_PI / 6;
    for (size_t k = 1; k <= n; k++)
        words += (size_t)((double)m->size / ((double)k * (double)k * zeta));
    size_t *list = malloc((words + 1) * sizeof *list);
    if (!list) return lm_fail_nomem(words * sizeof *list);
    for (size_t k = 1; k <= n; k++)
        for (size_t t = (size_t)((double)m->size / ((double)k * (double)k * zeta)); t > 0; t--)
            list[at++] = k - 1;
    shuffle(m->seed, FOR_ORDER, list, words);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < words; i++) {
        rc = i ? add_text(b, " ") : LM_OK;
        if (!rc) rc = add_text(b, list[i] ? v[list[i]].word : "...");
    }
    free(list);
    return rc;
}

static int make_fwe(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    size_t n =
        m->length / TOKENS_A_WORD > LEAST_VOCABULARY ? m->length / TOKENS_A_WORD : LEAST_VOCABULARY;
    struct coded *v = NULL;
    (void)how;
    int rc = draw_codes(m->seed, n, &v);
    if (!rc)
        rc = lm_buf_printf(
            &out->prompt,
            "Read the following coded text and track the frequency of each coded word. Find the "
            "three most frequently appeared coded words. ");
    if (!rc) rc = add_coded(&out->prompt, m, v, n);
    if (!rc)
        rc = lm_buf_printf(
            &out->prompt,
            "\nQuestion: Do not provide any explanation. Please ignore the dots '....'. What are "
            "the three most frequently appeared words in the above coded text? Answer: According "
            "to the "
            "coded text above, the three most frequently appeared words are:");
    for (size_t k = 1; !rc && k <= ASKED; k++) rc = add_reference(out, v[k].word);
    free(v);
    return rc;
}

/* ---- the list --------------------------------------------------------------------------- */

/* Sixty words put the fourth rank two times into the text, and the fifth once. */
const ruler_task ruler_tasks[] = {
    { "niah_single_1", 128, false, 1, 0, &SINGLE_1, make_niah, NULL },
    { "niah_single_2", 128, true, 8, 0, &SINGLE_2, make_niah, NULL },
    { "niah_single_3", 128, true, 8, 0, &SINGLE_3, make_niah, NULL },
    { "niah_multikey_1", 128, true, 8, 0, &MULTIKEY_1, make_niah, NULL },
    { "niah_multikey_2", 128, false, 1, 0, &MULTIKEY_2, make_niah, NULL },
    { "niah_multikey_3", 128, false, 1, 0, &MULTIKEY_3, make_niah, NULL },
    { "niah_multivalue", 128, true, 8, 0, &MULTIVALUE, make_niah, NULL },
    { "niah_multiquery", 128, true, 8, 0, &MULTIQUERY, make_niah, NULL },
    { "vt", 30, false, 1, 0, NULL, make_vt, make_vt_example },
    { "cwe", 120, false, 2 * COMMON, 20000, NULL, make_cwe, NULL },
    { "fwe", 50, false, 60, 0, NULL, make_fwe, NULL },
    { NULL, 0, false, 0, 0, NULL, NULL, NULL },
};

uint64_t ruler_seed(uint64_t seed, const ruler_task *task, size_t length, size_t sample)
{
    return lm_mix(seed, (uint64_t)(task - ruler_tasks), length, sample);
}

static int make_with(int (*make)(const void *, const struct ruler_make *, ruler_sample *),
                     const ruler_task *task, const struct ruler_make *m, ruler_sample *out)
{
    lm_buf_reset(&out->prompt, out->prompt.cap);
    lm_buf_reset(&out->references, out->references.cap);
    out->prompt.max = out->references.max = TEXT_MAX;
    out->n = 0;
    int rc = make(task->how, m, out);
    return rc ? rc : lm_buf_add(&out->prompt, "", 1);
}

int ruler_make_sample(const ruler_task *task, const struct ruler_make *m, ruler_sample *out)
{
    return make_with(task->make, task, m, out);
}

int ruler_make_example(const ruler_task *task, const struct ruler_make *m, ruler_sample *out)
{
    return make_with(task->make_example, task, m, out);
}
