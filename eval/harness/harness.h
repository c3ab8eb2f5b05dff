/* harness.h -- the frame of evaluations. An evaluation is one file with one function, and one line
 * in eval/tasks/list.c. It says with eval_begin how long its longest sequence is and which settings
 * its results depend on; goes through its cells, leaves out those that eval_done() knows, measures
 * the others with eval_read, eval_answer or tr_infer_eval, and hands each number to eval_add; and
 * says at the end, in words, what came out. What it measures depends on model, options and files
 * alone: not on the order of cells, on what a run before it has finished, on threads or time. */
#ifndef EVAL_HARNESS_HARNESS_H
#define EVAL_HARNESS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/harness/results.h"
#include "longmix/buf.h"
#include "longmix/tokenizer.h"
#include "train/infer/infer.h"

/* ---- options, as the command line gives them; each evaluation reads those it names -------- */

typedef struct eval_paths {
    char *const *v;
    size_t n;
} eval_paths;

typedef struct eval_options {
    const char *lengths; /* "512,1K,2Ki"; NULL: the evaluation's own */
    const char *depths;  /* "0,50,100" percent; NULL: the evaluation's own */
    uint64_t seed;
    const char *data; /* --data */
    eval_paths files; /* operands after the evaluation's name */
    eval_paths text;  /* --text: files, or directories of *.txt */

    /* ppl */
    const char *bin;
    int bin_type; /* 0: uint16, 1: uint32 */
    uint64_t stride, windows, bins;

    /* domains, compare */
    int by; /* enum eval_by */
    const char *ranges, *at;
    uint64_t at_width, documents, bootstrap;

    /* needle */
    eval_paths haystack; /* as text */
    const char *needle, *question, *answer, *prompt;
    uint64_t new_tokens, buffer;
    bool bos_quirk;

    /* passkey */
    int variant; /* enum eval_variant */
    uint64_t trials;

    /* ruler, mmlu, bookqa, fewshot, leval */
    uint64_t samples;    /* of a task of ruler at a length */
    uint64_t max_prompt; /* tokens; 0: the evaluation's own */
    int shots;           /* examples; -1: the evaluation's own */
    int exemplars;       /* enum eval_exemplars */
    const char *pool;    /* a file to choose them from */
    bool one_space;      /* mmlu */
    bool print_prompts;  /* in place of asking the model */

    bool share; /* cells that begin alike share the cache */
} eval_options;

enum eval_by { EVAL_BY_POSITION, EVAL_BY_ROW, EVAL_BY_LENGTH };
enum eval_variant { EVAL_CLEAN, EVAL_LANDMARK, EVAL_CHUNKLLAMA, EVAL_CHUNKLLAMA_NEEDLE };
enum eval_exemplars { EVAL_GIVEN, EVAL_RANDOM, EVAL_BEST, EVAL_WORST };

/* The defaults: what the command line changes. */
extern const eval_options eval_defaults;

/* ---- the context an evaluation runs in ------------------------------------------------- */

/* Token ids, as tr_infer_eval takes them. */
typedef struct eval_ids {
    int32_t *v;
    size_t n, room;
} eval_ids;

typedef struct eval_watch {
    void (*note)(void *arg, const char *line); /* words that stay */
    void (*live)(void *arg, const char *line); /* one line that is overwritten; NULL: none */
    void *arg;
} eval_watch;

typedef struct eval_context {
    /* Set by the program. Borrowed. */
    const eval_options *o;
    tr_infer_options model; /* its length is set by eval_begin */
    backend *b;
    const char *output; /* -o, NULL: the sink */
    eval_sink sink;
    eval_watch watch;

    /* The frame's. */
    const char *name;        /* the evaluation's */
    tr_infer *infer;         /* after eval_begin */
    eval_results *results;   /* after eval_begin */
    lm_tokenizer *tokenizer; /* after eval_tokenizer */
    lm_encoder *encoder;
    bool by_length;        /* the table of positions, or the scores' scale, depend on the length */
    size_t limit;          /* of eval_use */
    float *logits;         /* [vocab] */
    eval_ids held;         /* what the cache holds */
    uint64_t asked, read;  /* tokens of all prompts; those that were not in the cache already */
    double started, shown; /* seconds: eval_start, the live line */
} eval_context;

typedef struct eval_entry {
    const char *name, *summary;  /* half a line */
    const char *options;         /* the long names it uses, divided by spaces; FILE: operands */
    bool model;                  /* it runs a model: --model is needed */
    int (*run)(eval_context *c); /* 0, or an error */
} eval_entry;

extern const eval_entry eval_list[];           /* ends with a name of NULL */
const eval_entry *eval_find(const char *name); /* NULL where there is none */

/* Run `entry`, then eval_close. */
LM_CHECKED int eval_run(eval_context *c, const eval_entry *entry);

/* Free what the context has opened: model session, results, tokenizer. */
void eval_close(eval_context *c);

/* ---- for evaluations: beginning and results --------------------------------------------- */

/* Open the model for sequences of at most `longest` tokens (0: no model is used) and the results.
 * Takes `settings`, an object with all that the numbers depend on beside the model's settings and
 * the seed, which are added: hashes of data files and not their names, no lengths that are cells of
 * their own. LM_ENOMEM, with the numbers, where the cache does not fit. */
LM_CHECKED int eval_begin(eval_context *c, size_t longest, lm_json *settings);

/* Cells are objects: the members that tell a measurement from the others of the evaluation. */
lm_json *eval_cell(const char *key, uint64_t value); /* {"length": 512}; NULL when out of memory */

/* Whether the cell has its line already. Takes `cell`. */
bool eval_done(const eval_context *c, lm_json *cell);

/* Begin a measurement: the "seconds" of the lines that follow count from here. */
void eval_start(eval_context *c);

/* Add a line: takes `cell` and `more` (further members; may be NULL). */
LM_CHECKED int eval_add(eval_context *c, lm_json *cell, double value, lm_json *more);

/* Words for the user, a line each; eval_live at most ten times a second. */
void eval_note(const eval_context *c, const char *fmt, ...) LM_PRINTF(2, 3);
void eval_live(eval_context *c, const char *fmt, ...) LM_PRINTF(2, 3);

/* " +- 0.0123", or "" where the error is not known, for words. */
enum { EVAL_ERROR_TEXT = 40 };
const char *eval_error_text(char out[EVAL_ERROR_TEXT], double error);

/* ---- for evaluations: text and ids ----------------------------------------------------- */

/* Load DIR/tokenizer.model of the model, once. LM_EDATA says what is missing. */
LM_CHECKED int eval_tokenizer(eval_context *c);

/* Append the ids of a text; `bos` puts the model's beginning-of-text before it, if it has one. */
LM_CHECKED int eval_encode(eval_context *c, const char *text, size_t n, bool bos, eval_ids *out);

/* Append the text of ids, and a NUL that size does not count. */
LM_CHECKED int eval_decode(eval_context *c, const int32_t *ids, size_t n, lm_buf *out);

LM_CHECKED int eval_ids_add(eval_ids *ids, const int32_t *v, size_t n);
void eval_ids_free(eval_ids *ids); /* a zeroed one is fine */

/* Read whole files into `out`, one after the other; for a directory, its *.txt sorted bytewise.
 * Each file's end is passed to `each` (may be NULL). `hash` (may be NULL): of all contents in
 * order. */
LM_CHECKED int eval_load_text(const eval_paths *paths, lm_buf *out, uint64_t *hash,
                              int (*each)(void *arg, const char *name, size_t end), void *arg);

/* "512,1K,2Ki" -> sizes, to be freed; `option` is for messages. Rising, from `least` on, or
 * LM_EUSAGE. */
LM_CHECKED int eval_sizes(const char *option, const char *text, uint64_t least, uint64_t **out,
                          size_t *n);

/* "0,11,100" -> percents from 0 to 100, as written. */
LM_CHECKED int eval_depths(const char *text, double **out, size_t *n);

/* ---- for evaluations: the model --------------------------------------------------------- */

/* Make ready for sequences of at most `length` tokens (<= longest). Empties the cache only where
 * the attention depends on that length (dynamic scaling, mscale). */
LM_CHECKED int eval_use(eval_context *c, size_t length);

/* Read a prompt; logits [vocab] of its last token. What it shares with the prompt before it is not
 * read again, in whole blocks, so that the numbers are those of reading all of it. LM_EUSAGE, with
 * the numbers, where it is longer than the sequence may be. */
LM_CHECKED int eval_read(eval_context *c, const int32_t *ids, size_t n, float *logits);

/* Read a prompt and append at most `most` tokens to `out` (emptied), greedily: the likeliest next
 * token of those that the tokenizer knows, the lowest id among equals; ends before an end-of-text
 * where `stop`. */
LM_CHECKED int eval_answer(eval_context *c, const eval_ids *prompt, size_t most, bool stop,
                           eval_ids *out);

#endif
