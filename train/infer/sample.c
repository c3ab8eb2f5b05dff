#include "train/infer/sample.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/rng.h"

static int by_probability(const void *x, const void *y)
{
    const tr_candidate *a = x, *b = y;
    if (a->p != b->p) return a->p > b->p ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static double sum(const tr_candidate *c, size_t n)
{
    double all = 0;
    for (size_t i = 0; i < n; i++) all += c[i].p;
    return all;
}

/* How many of n candidates, sorted by probability, top-k and top-p leave. */
static size_t keep(const tr_sampling *how, const tr_candidate *c, size_t n)
{
    size_t n_kept = 0;
    double reached = 0;
    if (how->top_k && how->top_k < n) n = how->top_k;
    double all = sum(c, n);
    while (n_kept < n && (n_kept == 0 || reached < how->top_p * all)) reached += c[n_kept++].p;
    return n_kept;
}

int tr_sample(const tr_sampling *how, const float *logits, size_t vocab, uint64_t step,
              tr_candidate *scratch)
{
    size_t best = 0, n = vocab;
    for (size_t i = 0; i < vocab; i++) {
        if (!isfinite(logits[i]))
            return lm_fail(LM_EDATA, "the logit of id %zu is not a finite number", i);
        if (logits[i] > logits[best]) best = i;
    }
    if (how->temperature <= 0) return (int)best;
    for (size_t i = 0; i < vocab; i++) {
        double below = (double)logits[i] - (double)logits[best];
        scratch[i] = (tr_candidate){ exp(below / how->temperature), (int32_t)i };
    }
    if (how->top_k || how->top_p < 1) {
        qsort(scratch, n, sizeof *scratch, by_probability);
        n = keep(how, scratch, n);
    }
    double left = lm_unit(lm_hash4(how->seed, step, 0, 0)) * sum(scratch, n);
    for (size_t i = 0; i < n; i++) {
        left -= scratch[i].p;
        if (left < 0) return scratch[i].id;
    }
    return (int)best; /* rounding: the sum was too large */
}

double tr_logprob(const float *logits, size_t vocab, int32_t id)
{
    double max = (double)logits[0], all = 0;
    /* Not fmax: gcc 12 for aarch64 fails with an internal error on that loop at -O3. */
    for (size_t i = 1; i < vocab; i++)
        if ((double)logits[i] > max) max = (double)logits[i];
    for (size_t i = 0; i < vocab; i++) all += exp((double)logits[i] - max);
    return (double)logits[id] - max - log(all);
}
