/* internal.h -- shared by the figures: reading lines, grouping series, averaging runs, tables. */
#ifndef FIGURES_INTERNAL_H
#define FIGURES_INTERNAL_H

#include <stdint.h>

#include "figures/figures.h"
#include "longmix/json.h"
#include "lib/plot/plot.h"

enum { FIG_LINES_MAX = 1 << 22, FIG_SERIES_MAX = 64 };

typedef struct fig_line {
    lm_json *json;
    const char *file;
    size_t number; /* in the file, from 1 */
    size_t series; /* after fig_series */
} fig_line;

typedef struct fig_series {
    const fig_line *first;
    const char *label;          /* what distinguishes it from the other series */
    const char *model, *method; /* as shown */
} fig_series;

typedef struct fig {
    const fig_options *o;
    int rc;       /* the first error of fig_new and fig_text */
    void **chunk; /* memory of the figure, freed by fig_draw */
    size_t chunks, chunk_room;
    fig_line *line;
    size_t lines, room;
    fig_series *series;
    size_t n_series;
    bool by_run;        /* checkpoints of one run are one series */
    const char *common; /* what all series share: "stories260K, RoPE" */
} fig;

/* ---- memory of a figure (base.c) ------------------------------------------------------ */

/* n zeroed elements, or NULL with f->rc set. */
void *fig_new(fig *f, size_t n, size_t size);
/* Text that lives as long as the figure; "" with f->rc set if memory runs out. */
const char *fig_text(fig *f, const char *fmt, ...) LM_PRINTF(2, 3);
void fig_note(const fig *f, const char *fmt, ...) LM_PRINTF(2, 3);

/* Is `out` the name of a table (.md, .tsv, "-")? If the figure's is, fig_table writes it. */
bool fig_is_table(const char *out);
bool fig_wants_table(const fig *f);
LM_CHECKED int fig_table(fig *f, const lm_plot_table *t);

/* ---- fields of a line (base.c) ----------------------------------------------------------- */

/* LM_EDATA at the line: "FILE:NUMBER: " and the text. */
int fig_fail(const fig_line *l, const char *fmt, ...) LM_PRINTF(2, 3);

/* A field as a number; null is infinity. */
LM_CHECKED int fig_number(const fig_line *l, const char *key, double *out);
/* The same, NAN if absent. */
LM_CHECKED int fig_number_or(const fig_line *l, const char *key, double *out);
/* A field as text: strings unquoted, else as in JSON; NULL if absent. */
const char *fig_field(fig *f, const fig_line *l, const char *key);

/* ---- lines (read.c) ---------------------------------------------------------------------- */

/* Read all files. With `eval`, keep only lines of these evaluations (separated by blanks) that
 * satisfy --where; LM_EUSAGE if there are none. Without, keep every line. */
LM_CHECKED int fig_read(fig *f, const char *eval);

/* Drop lines whose field `key` is present and not `value`, unless --where, --by or --over name the
 * field. */
LM_CHECKED int fig_only(fig *f, const char *key, const char *value);

/* ---- series (series.c) ------------------------------------------------------------------- */

/* Group the lines into series and label them. All lines must agree in every field before "value",
 * except those that identify a series and the blank-separated fields of `cell`, which give a line's
 * position in the figure. */
LM_CHECKED int fig_find_series(fig *f, const char *cell);

/* NAME of the first MODEL=NAME in the list for `model`, NULL: none; and the last part of a path. */
const char *fig_named(const fig_words *list, const char *model);
const char *fig_short_name(fig *f, const char *path);

/* A measurement and its cell (a, b) of the figure. */
typedef struct fig_sample {
    size_t series;
    double a, b, value;
    const fig_line *line;
    uint64_t run, part; /* by fig_set_runs, which fig_average calls; parts of a run: --over */
    double error;       /* by fig_average */
} fig_sample;

typedef struct fig_cell {
    size_t series, runs;
    double a, b, mean;
    double bar; /* one standard deviation of the runs; of a single run its "error", 0 without */
} fig_cell;

/* Keep the lines of one score: --score, else "repo" if there are several. */
LM_CHECKED int fig_pick_score(fig *f, const char **score);

/* The mean and standard deviation over the runs of each cell, by series, a, b; a run with several
 * parts counts as their mean. Two different values of one measurement are LM_EUSAGE. Samples are
 * reordered. */
LM_CHECKED int fig_average(fig *f, fig_sample *s, size_t n, fig_cell **out, size_t *cells);

/* Samples of all lines: a, b and value are the names of their fields (b NULL: 0). */
LM_CHECKED int fig_sample_lines(fig *f, const char *a, const char *b, const char *value,
                                fig_sample **out);

/* Set each sample's run (another seed, or other weights of models with the same name) and part. */
LM_CHECKED int fig_set_runs(fig *f, fig_sample *s, size_t n);

/* The cell of a series at (a, b); NULL: none. */
const fig_cell *fig_find(const fig_cell *c, size_t n, size_t series, double a, double b);

/* The maximum number of runs of a cell. */
size_t fig_runs(const fig_cell *c, size_t n);

/* The distinct values of a (or of b) in the cells, ascending. */
LM_CHECKED int fig_values(fig *f, const fig_cell *c, size_t n, bool of_b, double **out,
                          size_t *count);

/* "2.345", "2.345 ± 0.012" or "inf"; "" without a cell. */
const char *fig_value_text(fig *f, const fig_cell *c, int digits);

/* A sentence that explains `bar`, introduced by `sign` ("Bars:"); "" without bars. */
const char *fig_runs_text(fig *f, const fig_cell *c, size_t n, const char *sign);

/* The title: --title, or `title` and what all series share. */
const char *fig_title(fig *f, const char *title);

/* A length as text: 4K, 1000. */
const char *fig_length(fig *f, double length);

/* The same for several: with K if all are multiples of 1024, else as they are. NULL with f->rc
 * set. */
const char **fig_lengths(fig *f, const double *length, size_t n);

/* Vertical marks at the training lengths of the models, appended to mark[*n]; at most 4. */
LM_CHECKED int fig_trained(fig *f, lm_plot_mark *mark, size_t *n);

/* A line for each series, in line[*n]; a table of rows for series and columns for a. (length.c) */
LM_CHECKED int fig_series_lines(fig *f, const fig_cell *c, size_t cells, lm_plot_line *line,
                                size_t *n);
LM_CHECKED int fig_series_table(fig *f, const fig_cell *c, size_t cells, const char *corner,
                                int digits, const char **(*names)(fig *, const double *, size_t),
                                const char *caption);

/* An exponential moving average over about `steps` values, with bias correction; and averaging of
 * neighbours in place, down to at most `max` points, whose number is returned. (loss.c) */
void fig_smooth(const double *y, size_t n, double steps, double *out);
size_t fig_thin(double *x, double *y, size_t n, size_t max);

/* ---- the figures ------------------------------------------------------------------------- */

LM_CHECKED int fig_needle(fig *f);
LM_CHECKED int fig_passkey(fig *f);
LM_CHECKED int fig_loss(fig *f);
LM_CHECKED int fig_ppl(fig *f);
LM_CHECKED int fig_position(fig *f);
LM_CHECKED int fig_speed(fig *f);
LM_CHECKED int fig_curve(fig *f);
LM_CHECKED int fig_domains(fig *f);
LM_CHECKED int fig_histogram(fig *f);

#endif
