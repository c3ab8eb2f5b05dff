/* bootstrap.h -- losses by document, from the lines that `domains` writes, and statistics of a
 * domain: means and their standard errors over documents. No model here. */
#ifndef EVAL_METRICS_BOOTSTRAP_H
#define EVAL_METRICS_BOOTSTRAP_H

#include "eval/data/results.h"

typedef struct eval_doc_sums {
    size_t domain; /* index into the names */
    uint64_t key;
} eval_doc_sums;

/* Columns are the ranges, then the positions of loss at n. */
typedef struct eval_sums {
    const char *name; /* of the results, borrowed: for messages */
    size_t columns, ranges, domains, n;
    char **column;      /* [columns] "0-4096", ..., "1024", ... */
    char **domain;      /* [domains + 1] sorted bytewise; the last is "all" */
    eval_doc_sums *doc; /* [n] sorted by domain and key */
    double *sum;        /* [n, columns] of losses, in nats */
    uint64_t *count;    /* [n, columns] of tokens */
} eval_sums;

/* From all document (or row) lines of `r`, whose first has the settings. A document with parts
 * in several rows is one. 0, LM_EDATA or LM_ESHORT (no such line). */
LM_CHECKED int eval_sums_read(eval_sums *out, const eval_results *r);
void eval_sums_free(eval_sums *s); /* a zeroed one is allowed */

/* Of a domain (`domains`: of all) in one column. */
typedef struct eval_loss {
    double loss;                /* NaN where there is no token */
    double error;               /* standard error over documents; NaN below two */
    uint64_t tokens, documents; /* documents with a token in it */
} eval_loss;

/* Losses of one domain into out[columns]. With `base`, losses become differences from it, document
 * by document: both must hold the same documents (LM_EUSAGE, with one that is missing). Errors are
 * the standard deviation of `times` means over as many documents, drawn again with replacement. */
LM_CHECKED int eval_sums_loss(const eval_sums *s, const eval_sums *base, size_t domain,
                              uint64_t seed, uint64_t times, eval_loss *out);

#endif
