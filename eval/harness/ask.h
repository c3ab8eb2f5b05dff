/* ask.h -- what evaluations of questions and answers share: a prompt as text, the model's answer as
 * text, prompts that are cut to a length, and means over cells. */
#ifndef EVAL_HARNESS_ASK_H
#define EVAL_HARNESS_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "eval/harness/harness.h"

enum { ASK_TEXT_MAX = 1 << 30 };

/* Read a prompt (the model's beginning-of-text before it) and write its answer of at most `most`
 * tokens, which an end-of-text ends, into `answer` (emptied; NUL-ended). 0 or an error. */
LM_CHECKED int ask(eval_context *c, const char *prompt, size_t most, lm_buf *answer);

/* Whether the cell (borrowed) needs no asking: it has its line. Never with --print-prompts. */
bool ask_done(const eval_context *c, const lm_json *cell);

/* With --print-prompts: write the prompt and what is in `cell` to the sink, and return 1 or an
 * error; else 0. */
LM_CHECKED int ask_printed(const eval_context *c, const lm_json *cell, const char *prompt);

/* Tokens of a text, beginning-of-text included. */
LM_CHECKED int ask_count(eval_context *c, const char *text, size_t n, size_t *count);

/* ChunkLlama's scripts cut a document that has more than `limit` tokens (beginning-of-text
 * included) by words, which single spaces divide: the first `words` of them (`tail`: the last), and
 * while that is too long 100 words less each time. Gives the part that stays. LM_EDATA where not
 * even 100 words fit. */
LM_CHECKED int ask_cut_words(eval_context *c, const char **doc, size_t *n, size_t limit,
                             size_t words, bool tail);

/* A mean that grows: the numbers `field` of lines that are done, or "value" where it is NULL. */
typedef struct ask_mean {
    double sum;
    size_t n;
} ask_mean;
/* Takes `cell`. A cell without a line does not count. */
void ask_mean_add(const eval_context *c, ask_mean *m, lm_json *cell, const char *field);
static inline double ask_mean_value(const ask_mean *m) { return m->n ? m->sum / (double)m->n : 0; }

/* Add the line of a mean, times 100, under `cell` (taken), to which "questions" is added; nothing
 * where the mean is empty. */
LM_CHECKED int ask_mean_line(eval_context *c, lm_json *cell, double value, size_t questions);

#endif
