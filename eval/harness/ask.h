/* ask.h -- what evaluations of questions and answers share: their options, a prompt and the model's
 * answer as text, prompts that are cut to a length, and means over cells. */
#ifndef EVAL_HARNESS_ASK_H
#define EVAL_HARNESS_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "eval/harness/harness.h"

enum { ASK_TEXT_MAX = 1 << 30 };

/* Rows of an option table; `o` is a file-static eval_asking that begins as ASK_DEFAULTS, and the
 * entry points to it. */
#define ASK_DEFAULTS  \
    {                 \
        .share = true \
    }
/* clang-format off */
#define ASK_OPTIONS(o)                                                                             \
    { CLI_FLAG, "print-prompts", 0, &(o).print_prompts, NULL,                                      \
      "Print the prompts and do not run the model." },                                             \
    { CLI_SWITCH, "share", 0, &(o).share, NULL,                                                   \
      "Prefix reuse: keep the KV cache of what a prompt shares with the one before it (yes). "     \
      "Bit-identical." }
/* clang-format on */

/* Evaluate a prompt (after the model's beginning-of-text) and write the model's answer of at most
 * `most` tokens, up to an end-of-text, into `answer` (emptied; NUL-ended). 0 or an error. */
LM_CHECKED int ask(eval_context *c, const char *prompt, size_t most, lm_buf *answer);

/* Whether the cell (borrowed) has its line already. Never with --print-prompts. */
bool ask_done(const eval_context *c, const lm_json *cell);

/* With --print-prompts: write the prompt and the members of `cell` to the sink, and return 1 or an
 * error; else 0. */
LM_CHECKED int ask_printed(const eval_context *c, const lm_json *cell, const char *prompt);

/* Tokens of a text, beginning-of-text included. */
LM_CHECKED int ask_count(eval_context *c, const char *text, size_t n, size_t *count);

/* ChunkLlama's scripts cut a document that has more than `limit` tokens (beginning-of-text
 * included) by words, which single spaces divide: the first `words` of them (`tail`: the last), and
 * while that is too long 100 words fewer each time. Gives the part that is kept. LM_EDATA where not
 * even 100 words fit. */
LM_CHECKED int ask_cut_words(eval_context *c, const char **doc, size_t *n, size_t limit,
                             size_t words, bool tail);

/* A task that is recognized by a part of its file's name; tables begin their rows with it. */
typedef struct ask_task {
    const char *name, *in_file;
} ask_task;

/* The row of the task that `path` holds, of n rows of `size` bytes that begin with an ask_task: the
 * last whose in_file is part of the file's name. LM_EUSAGE lists them where there is none. */
LM_CHECKED int ask_find_task(const char *path, const void *tasks, size_t size, size_t n,
                             const void **out);

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
