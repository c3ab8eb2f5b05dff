/* bm25.h -- Okapi BM25 (Robertson et al. 1994) over some short texts: which example is the most
 * similar to a question, which the least. Words are those of ROUGE (lower case, runs of a-z and
 * 0-9), k1 = 1.2, b = 0.75, and the weight of a word that n of N texts have is log(1 + (N - n +
 * 0.5)/(n + 0.5)). */
#ifndef EVAL_METRICS_BM25_H
#define EVAL_METRICS_BM25_H

#include <stddef.h>

#include "longmix/err.h"

typedef struct bm25 bm25;

/* Index n texts; they are not kept. 0 or LM_ENOMEM. */
LM_CHECKED int bm25_new(bm25 **out, const char *const *texts, size_t n);
void bm25_free(bm25 *x); /* NULL is allowed */

/* The scores of all texts for a query: score[n]. A word that the query has twice counts twice. */
LM_CHECKED int bm25_scores(const bm25 *x, const char *query, double *score);

#endif
