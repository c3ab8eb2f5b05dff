/* freq.c -- counting: the common words of a list, the frequent words of a text. */
#include "eval/tasks/ruler/internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

/* ---- common words ----------------------------------------------------------------------- */

enum { COMMON = 10, LONG = 4096 };

/* The words of a list: `size` of them, of which the first ten are the common ones. */
static int draw_words(uint64_t seed, size_t size, size_t **out)
{
    size_t all = ruler_adjectives_n * ruler_nouns_n, *v = malloc(all * sizeof *v);
    if (!v) return lm_fail_nomem(all * sizeof *v);
    for (size_t i = 0; i < all; i++) v[i] = i;
    for (size_t i = 0; i < size; i++) {
        size_t k = i + ruler_below(all - i, lm_hash4(seed, FOR_WORD, i, 0)), t = v[i];
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

static int add_word_list(lm_buf *b, uint64_t seed, const size_t *word, size_t size, size_t common,
                         size_t rare)
{
    size_t n = COMMON * common + (size - COMMON) * rare, at = 0, *list = malloc(n * sizeof *list);
    if (!list) return lm_fail_nomem(n * sizeof *list);
    for (size_t i = 0; i < size; i++)
        for (size_t k = 0; k < (i < COMMON ? common : rare); k++) list[at++] = word[i];
    ruler_shuffle(seed, FOR_ORDER, list, n);
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

int ruler_make_cwe(const void *how, const struct ruler_make *m, ruler_sample *out)
{
    size_t *word = NULL;
    bool small = m->length < LONG;
    (void)how;
    uint64_t example = lm_hash4(m->seed, FOR_EXAMPLE, 0, 0);
    int rc = draw_words(example, 40, &word);
    if (!rc)
        rc = add_word_list(&out->prompt, example, word, small ? 20 : 40, small ? 3 : 10,
                           small ? 1 : 3);
    for (size_t i = 0; !rc && i < COMMON; i++) rc = add_numbered(&out->prompt, i + 1, word[i]);
    if (!rc) rc = ruler_add(&out->prompt, "\n");
    free(word);
    word = NULL;
    if (!rc) rc = draw_words(m->seed, m->size, &word);
    if (!rc)
        rc = add_word_list(&out->prompt, m->seed, word, m->size, small ? 6 : 30, small ? 1 : 3);
    for (size_t i = 0; !rc && i < COMMON; i++) {
        char name[RULER_NAME];
        snprintf(name, sizeof name, "%s-%s", ruler_adjectives[word[i] / ruler_nouns_n],
                 ruler_nouns[word[i] % ruler_nouns_n]);
        rc = ruler_reference(out, name);
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

/* n distinct words of six letters; where two are equal, all are drawn again. */
static int draw_codes(uint64_t seed, size_t n, struct coded **out)
{
    struct coded *v = calloc(n, sizeof *v), *sorted = malloc(n * sizeof *v);
    bool again = v && sorted;
    for (uint64_t try = 0; again; try++) {
        for (size_t i = 0; i < n; i++) {
            uint64_t r = lm_hash4(seed, FOR_WORD, i, try);
            for (size_t k = 0; k < CODED; k++, r = lm_mix64(r))
                v[i].word[k] = (char)('a' + ruler_below(26, r));
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

/* The word of rank k occurs size / (k^2 zeta(2)) times in the text; that of rank 1 is dots, which
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
    ruler_shuffle(m->seed, FOR_ORDER, list, words);
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < words; i++) {
        rc = i ? ruler_add(b, " ") : LM_OK;
        if (!rc) rc = ruler_add(b, list[i] ? v[list[i]].word : "...");
    }
    free(list);
    return rc;
}

int ruler_make_fwe(const void *how, const struct ruler_make *m, ruler_sample *out)
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
            "to the coded text above, the three most frequently appeared words are:");
    for (size_t k = 1; !rc && k <= ASKED; k++) rc = ruler_reference(out, v[k].word);
    free(v);
    return rc;
}
