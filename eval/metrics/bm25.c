#include "eval/metrics/bm25.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eval/metrics/words.h"

#define K1 1.2
#define B 0.75

/* A word of a text, and its frequency there. */
typedef struct posting {
    const char *word;
    uint32_t text, times;
} posting;

struct bm25 {
    size_t n;
    eval_words *text; /* [n] */
    posting *v;       /* sorted by word, then text; equal ones merged */
    size_t postings;
    double mean; /* words of a text */
};

void bm25_free(bm25 *x)
{
    if (!x) return;
    for (size_t i = 0; x->text && i < x->n; i++) eval_words_free(&x->text[i]);
    free(x->text);
    free(x->v);
    free(x);
}

static int by_word(const void *a, const void *b)
{
    const posting *x = a, *y = b;
    int c = strcmp(x->word, y->word);
    return c ? c : x->text < y->text ? -1 : x->text > y->text;
}

static int build(bm25 *x, const char *const *texts)
{
    size_t words = 0;
    for (size_t i = 0; i < x->n; i++) {
        int rc = eval_words_cut(&x->text[i], texts[i], EVAL_SPLIT_ROUGE);
        if (rc) return rc;
        words += x->text[i].count;
    }
    x->mean = x->n ? (double)words / (double)x->n : 0;
    x->v = malloc((words ? words : 1) * sizeof *x->v);
    if (!x->v) return lm_fail_nomem(words * sizeof *x->v);
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        for (size_t k = 0; k < x->text[i].count; k++)
            x->v[n++] = (posting){ eval_word(&x->text[i], k), (uint32_t)i, 1 };
    qsort(x->v, n, sizeof *x->v, by_word);
    for (size_t i = 0; i < n; i++) {
        if (x->postings && !by_word(&x->v[i], &x->v[x->postings - 1]))
            x->v[x->postings - 1].times++;
        else x->v[x->postings++] = x->v[i];
    }
    return LM_OK;
}

int bm25_new(bm25 **out, const char *const *texts, size_t n)
{
    bm25 *x = calloc(1, sizeof *x);
    *out = NULL;
    if (!x || !(x->text = calloc(n ? n : 1, sizeof *x->text))) {
        free(x);
        return lm_fail_nomem(n * sizeof(eval_words));
    }
    x->n = n;
    int rc = build(x, texts);
    if (rc) {
        bm25_free(x);
        return rc;
    }
    *out = x;
    return LM_OK;
}

/* The first posting whose word is not before `word`. */
static size_t find(const bm25 *x, const char *word)
{
    size_t low = 0, high = x->postings;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(x->v[middle].word, word) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

int bm25_scores(const bm25 *x, const char *query, double *score)
{
    eval_words q;
    int rc = eval_words_cut(&q, query, EVAL_SPLIT_ROUGE);
    for (size_t i = 0; i < x->n; i++) score[i] = 0;
    for (size_t i = 0; !rc && i < q.count; i++) {
        size_t from = find(x, eval_word(&q, i)), to = from;
        while (to < x->postings && !strcmp(x->v[to].word, eval_word(&q, i))) to++;
        double have = (double)(to - from);
        double weight = log(1 + ((double)x->n - have + 0.5) / (have + 0.5));
        for (size_t k = from; k < to; k++) {
            double times = x->v[k].times, length = (double)x->text[x->v[k].text].count;
            score[x->v[k].text] +=
                weight * times * (K1 + 1) / (times + K1 * (1 - B + B * length / x->mean));
        }
    }
    eval_words_free(&q);
    return rc;
}
