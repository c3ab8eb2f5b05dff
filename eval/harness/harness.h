/* harness.h -- what evaluations have in common. An evaluation is one file of eval/tasks with its
 * options, its help and one function, which it exports as `const eval_entry eval_NAME`, and one
 * line in eval/tasks/list.c. The function calls eval_begin with the length of its longest sequence
 * and the settings that its results depend on; goes through its cells, skips those that eval_done()
 * knows, measures the others with eval_read, eval_answer or tr_infer_eval, and hands each number to
 * eval_add; and ends with a summary for the user. What it measures depends on model, options and
 * files alone: not on the order of cells, on what an earlier run has finished, on threads or
 * time. */
#ifndef EVAL_HARNESS_HARNESS_H
#define EVAL_HARNESS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/data/results.h"
#include "lib/base/options.h"
#include "longmix/buf.h"
#include "train/files/checksums.h"
#include "train/infer/infer.h"
#include "train/infer/text.h"

/* ---- the context an evaluation runs in ------------------------------------------------- */

/* Options of the evaluations that ask a model (ask.h has the rows of their tables). */
typedef struct eval_asking {
    bool print_prompts; /* print the prompts and ask nothing */
    bool share;         /* reuse the prefix that a prompt shares with the one before it */
} eval_asking;

typedef struct eval_watch {
    void (*note)(void *arg, const char *line); /* lines that stay */
    void (*live)(void *arg, const char *line); /* one line that is overwritten; NULL: none */
    void *arg;
    void (*warn)(void *arg, const char *line); /* lines about results that may mislead */
} eval_watch;

typedef struct eval_context {
    /* Set by the program. Borrowed. */
    uint64_t seed;
    tr_infer_options model; /* its length is set by eval_begin */
    backend *b;
    const char *output; /* -o, NULL: the sink */
    eval_sink sink;
    eval_watch watch;

    /* The harness's. */
    const char *name; /* the evaluation's */
    eval_asking asking;
    tr_infer *infer;       /* after eval_begin */
    eval_results *results; /* after eval_begin */
    tr_text *text;         /* the tokenizer, after eval_open_text */
    bool by_length;        /* the table of positions, or the scores' scale, depend on the length */
    size_t limit;          /* of eval_use */
    float *logits;         /* [vocab] */
    lm_ids cached;         /* what the KV cache holds */
    uint64_t prompted, evaluated; /* tokens of all prompts; those that were not in the cache */
    double started, shown;        /* seconds: eval_start, the live line */
} eval_context;

typedef struct eval_entry {
    cli_command command;
    const eval_asking *asking;   /* its options, where it asks a model; else NULL */
    int (*run)(eval_context *c); /* 0, or an error */
} eval_entry;

extern const eval_entry *const eval_list[]; /* ends with NULL */

/* Run `entry`, then eval_close. */
LM_CHECKED int eval_run(eval_context *c, const eval_entry *entry);

/* Free what the context has opened: model session, results, tokenizer. */
void eval_close(eval_context *c);

/* ---- for evaluations: beginning and results --------------------------------------------- */

/* Open the model for sequences of at most `longest` tokens (0: no model is used) and the results.
 * Takes `settings`, an object with all that the numbers depend on; the model's settings and the
 * seed are added. It has hashes of data files and not their names, and no lengths, which are cells.
 * LM_ENOMEM, with the numbers, where the cache does not fit. */
LM_CHECKED int eval_begin(eval_context *c, size_t longest, lm_json *settings);

/* Cells are objects: the members that tell a measurement from the others of the evaluation. */
lm_json *eval_cell(const char *key, uint64_t value); /* {"length": 512}; NULL when out of memory */
lm_json *eval_depth_cell(uint64_t length, double depth); /* depth in percent */

/* Whether the cell has its line already. Takes `cell`. */
bool eval_done(const eval_context *c, lm_json *cell);

/* Begin a measurement: the "seconds" of the lines that follow count from here. */
void eval_start(eval_context *c);

/* Add a line: takes `cell` and `more`, an object of further members; NULL is out of memory. */
LM_CHECKED int eval_add(eval_context *c, lm_json *cell, double value, lm_json *more);

/* A line for the user; eval_live shows one at most ten times a second. */
void eval_note(const eval_context *c, const char *fmt, ...) LM_PRINTF(2, 3);
void eval_warn(const eval_context *c, const char *fmt, ...) LM_PRINTF(2, 3);
void eval_live(eval_context *c, const char *fmt, ...) LM_PRINTF(2, 3);

/* " +- 0.0123", or "" where the error is not known, for summaries. */
enum { EVAL_ERROR_TEXT = 40 };
const char *eval_error_text(char out[EVAL_ERROR_TEXT], double error);

/* Were the ids in `data`, of a tokenizer with hash `ids` (0: not known), made by the model's? Where
 * they were not, LM_EDATA, or a warning if that is allowed; where the model has no tokenizer, a
 * note. */
LM_CHECKED int eval_check_ids(const eval_context *c, const char *data, uint64_t ids, bool allow);

/* ---- for evaluations: text and numbers ------------------------------------------------- */

/* Open the tokenizer of the model: c->text. LM_EDATA names what is missing. Before eval_begin. */
LM_CHECKED int eval_open_text(eval_context *c);

/* Read whole files into `out`, one after the other; for a directory, its *.txt sorted bytewise.
 * LM_EDATA, with file and byte, for what is not UTF-8 or has a NUL byte. Each file's end is passed
 * to `each` (may be NULL). `hash` (may be NULL): of all contents in
 * order. */
LM_CHECKED int eval_load_text(const cli_list *paths, lm_buf *out, uint64_t *hash,
                              int (*each)(void *arg, const char *name, size_t end), void *arg);

/* "512,1K,2Ki" -> sizes, to be freed; `option` is for messages. Rising, from `least` on, or
 * LM_EUSAGE. */
LM_CHECKED int eval_sizes(const char *option, const char *text, uint64_t least, uint64_t **out,
                          size_t *n);

/* "0,11,100" -> percents from 0 to 100, as written. */
LM_CHECKED int eval_depths(const char *text, double **out, size_t *n);

/* ---- for evaluations: the model --------------------------------------------------------- */

/* Prepare for sequences of at most `length` tokens (<= longest). Empties the KV cache only where
 * the attention depends on that length (dynamic scaling, mscale). */
LM_CHECKED int eval_use(eval_context *c, size_t length);

/* Evaluate a prompt; logits [vocab] of its last token. The prefix that it shares with the prompt
 * before it is reused from the KV cache, in whole blocks, so that the numbers are bit-identical
 * with those of evaluating all of it. LM_EUSAGE, with the numbers, where it is longer than the
 * sequence may be. */
LM_CHECKED int eval_read(eval_context *c, const int32_t *ids, size_t n, float *logits);

/* Evaluate a prompt and append at most `most` tokens to `out` (emptied) by greedy decoding: the
 * argmax over the tokenizer's vocabulary, ties to the lowest id; ends before an end-of-text where
 * `stop`. */
LM_CHECKED int eval_answer(eval_context *c, const lm_ids *prompt, size_t most, bool stop,
                           lm_ids *out);

#endif
