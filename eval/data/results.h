/* results.h -- result lines: what an evaluation measured, one JSON object a line, appended to a
 * file from which another run resumes. docs/evaluation.md lists the fields for users.
 *
 * A line holds, in this order
 *   "eval"                  the evaluation's name
 *   labels                  shown and not compared ("model": the directory as given)
 *   settings                what must agree for two lines to be comparable, member by member
 *   cell                    which of the evaluation's measurements it is: "length", "depth", ...
 *   "value"                 the number
 *   whatever else the evaluation adds: "error" (the value's standard error), "tokens", ...
 *   "settings", "cell"      hashes of the two objects above
 *   "commit", "seconds"     the version, and the time it took; neither is compared
 *
 * A file may hold lines of several evaluations, but all lines of one evaluation have equal
 * settings: a file with others is refused. */
#ifndef EVAL_DATA_RESULTS_H
#define EVAL_DATA_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/err.h"
#include "longmix/json.h"

typedef struct eval_results eval_results;

/* Where lines go when there is no file. */
typedef struct eval_sink {
    int (*write)(void *arg, const void *p, size_t n); /* 0 or an error, as lm_out_write */
    void *arg;
} eval_sink;

/* Open the file at `path` for reading and appending; it is made where it is absent, and locked
 * until it is closed (LM_EUSAGE where another program has it). A last line that a killed program
 * left incomplete is removed; *torn (may be NULL) is then its size in bytes. LM_EDATA, with file
 * and line, for any line that is no JSON object with an "eval". `path` NULL: nothing is read,
 * and lines go to `sink`. */
LM_CHECKED int eval_results_open(eval_results **out, const char *path, const eval_sink *sink,
                                 size_t *torn);
void eval_results_close(eval_results *r); /* NULL is allowed */

/* Say which evaluation writes and with which settings. Copies both objects. LM_EUSAGE where the
 * file has lines of `eval` with other settings: the message names file, line and the setting. */
LM_CHECKED int eval_results_begin(eval_results *r, const char *eval, const lm_json *labels,
                                  const lm_json *settings);

/* The line of this cell, from the file or added since; NULL where it is still to be measured.
 * Borrowed until the results are closed. */
const lm_json *eval_results_find(const eval_results *r, const lm_json *cell);

const char *eval_results_name(const eval_results *r); /* the file's, or "standard output" */

/* All lines of this evaluation, those of the file first. */
size_t eval_results_count(const eval_results *r);
const lm_json *eval_results_at(const eval_results *r, size_t i);

/* Append a line. Takes `cell` and `more` (an object of further members; NULL is out of memory). A cell that
 * is there already is left as it is. The line is written with one write, so that it is complete or
 * the last. A value that is no number (a model that went to infinity) is written as null. */
LM_CHECKED int eval_results_add(eval_results *r, lm_json *cell, double value, lm_json *more,
                                double seconds);

/* Lines are synced to the disk every second, and here at the end. 0 or LM_EIO. NULL is allowed. */
LM_CHECKED int eval_results_sync(eval_results *r);

/* Read the lines of `eval` from a finished file, without lock or change: for comparing files. 0,
 * LM_EIO or LM_EDATA; an incomplete last line is an error here. Lines of other settings than the
 * first are refused. Use with find, count and at. */
LM_CHECKED int eval_results_load(eval_results **out, const char *path, const char *eval);

#endif
