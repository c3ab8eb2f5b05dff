/* evals.h -- the functions that eval/tasks/list.c lists; each stands in a file of its name. */
#ifndef EVAL_TASKS_EVALS_H
#define EVAL_TASKS_EVALS_H

#include "eval/harness/harness.h"

LM_CHECKED int eval_ppl(eval_context *c);
LM_CHECKED int eval_domains(eval_context *c);
LM_CHECKED int eval_compare(eval_context *c);
LM_CHECKED int eval_needle(eval_context *c);
LM_CHECKED int eval_passkey(eval_context *c);
LM_CHECKED int eval_ruler(eval_context *c);
LM_CHECKED int eval_mmlu(eval_context *c);
LM_CHECKED int eval_bookqa(eval_context *c);
LM_CHECKED int eval_fewshot(eval_context *c);
LM_CHECKED int eval_leval(eval_context *c);
LM_CHECKED int eval_score(eval_context *c); /* score_file.c */

#endif
