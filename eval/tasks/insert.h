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

/* The ids that are a full stop in this vocabulary: pieces "." and "_." (with the mark of a space),
 * and the byte 0x2E. For LLaMA-2 the authors name 29889 and 869, which these are. */
LM_CHECKED int eval_period_ids(const lm_tokenizer *t, lm_ids *out);

#endif
