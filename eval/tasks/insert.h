/* insert.h -- a needle put into a context of ids, as Fu et al. 2024 do it (eval/needle/
 * needle_in_haystack.py, after Kamradt). No model here. */
#ifndef EVAL_TASKS_INSERT_H
#define EVAL_TASKS_INSERT_H

#include "eval/harness/harness.h"

/* Where the needle goes into n ids at `depth` percent: after the last full stop at or before
 * int(n * depth / 100), the beginning where there is none; at 100, the end. */
size_t eval_insert_at(const int32_t *ids, size_t n, double depth, const lm_ids *periods);

/* out = context and needle, the context cut at its end so that both have at most `budget` ids. *at:
 * the needle's place in it. LM_EUSAGE where the needle alone is longer. */
LM_CHECKED int eval_insert(lm_ids *out, const lm_ids *context, const lm_ids *needle, size_t budget,
                           double depth, const lm_ids *periods, size_t *at);

/* The same in two steps: how many ids of the context are kept (LM_EUSAGE as above), and the needle at
 * place `at` of the first n. */
LM_CHECKED int eval_insert_room(size_t *n, const lm_ids *context, const lm_ids *needle,
                                size_t budget);
LM_CHECKED int eval_insert_put(lm_ids *out, const lm_ids *context, size_t n, const lm_ids *needle,
                               size_t at);

/* Where no full stop is near `depth` percent of n ids of text: the nearest end of a sentence of any
 * script, or of a line, up to a twentieth of the text away; where there is none, the nearest word, or
 * character. */
size_t eval_insert_near(const lm_tokenizer *t, const int32_t *ids, size_t n, double depth);

/* Where place `at` of n ids is, in percent. */
static inline double eval_insert_depth(size_t at, size_t n)
{
    return n ? 100 * (double)at / (double)n : 0;
}

/* The ids that are a full stop in this vocabulary: pieces "." and "_." (with the mark of a space),
 * and the byte 0x2E. For LLaMA-2 the authors name 29889 and 869, which these are. */
LM_CHECKED int eval_period_ids(const lm_tokenizer *t, lm_ids *out);

#endif
