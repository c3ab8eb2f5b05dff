/* What the figures share: lines read, series told apart, runs averaged, tables written. */
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
    const char *label;          /* what tells it from the other series */
    const char *model, *method; /* as shown */
} fig_series;

typedef struct fig {
    const fig_options *o;
    int rc;       /* the first failure of fig_new and fig_text */
    void **chunk; /* memory of the figure, freed at its end */
    size_t chunks, chunk_room;
    fig_line *line;
    size_t lines, room;
    fig_series *series;
    size_t n_series;
    bool by_run;        /* checkpoints of one run are one series */
    const char *common; /* what all series share: "stories260K, RoPE" */
} fig;

/* ---- memory of a figure (base.c) ------------------------------------------------------ */

/* n zeroed things, or NULL with f->rc set. */
void *fig_new(fig *f, size_t n, size_t size);
/* Text that lives as long as the figure; "" with f->rc set where there is no memory. */
const char *fig_text(fig *f, const char *fmt, ...) LM_PRINTF(2, 3);
void fig_note(const fig *f, const char *fmt, ...) LM_PRINTF(2, 3);

/* Is `out` the name of a table (.md, .tsv, "-")? If the figure's is, fig_table writes it. */
bool fig_is_table(const char *out);
bool fig_wants_table(const fig *f);
LM_CHECKED int fig_table(fig *f, const lm_plot_table *t);

/* ---- fields of a line (base.c) ----------------------------------------------------------- */

/* LM_EDATA at the line: "FILE:NUMBER: " and the text. */
int fig_fail(const fig_line *l, const char *fmt, ...) LM_PRINTF(2, 3);

/* A field as a number: null is infinite (a value that left all bounds). */
LM_CHECKED int fig_number(const fig_line *l, const char *key, double *out);
/* The same, NAN where it is absent. */
LM_CHECKED int fig_number_or(const fig_line *l, const char *key, double *out);
/* A field as it is shown: strings bare, else as in JSON; NULL where it is absent. */
const char *fig_field(fig *f, const fig_line *l, const char *key);

/* ---- lines (read.c) ---------------------------------------------------------------------- */

/* Read all files. With `eval` only lines of these evaluations (divided by blanks) stay, and --where
 * is heeded; LM_EUSAGE where none does. Without: every line is kept as it is. */
LM_CHECKED int fig_read(fig *f, const char *eval);

/* Leave out lines whose field `key` is there and is not `value`, unless --where, --by or --over
 * speak of the field. */
LM_CHECKED int fig_only(fig *f, const char *key, const char *value);

/* ---- series (series.c) ------------------------------------------------------------------- */

/* Tell the series apart and name them. All lines must agree in every field before "value", but for
 * the series' own and the blank-divided `cell`, which say where a line stands in the figure. */
LM_CHECKED int fig_find_series(fig *f, const char *cell);

/* NAME of the first MODEL=NAME of the list that speaks of `model`, NULL: none; and the last part of
 * a path. */
const char *fig_named(const fig_words *list, const char *model);
const char *fig_short_name(fig *f, const char *path);

/* A measurement, and what it is of: its place (a, b) in the figure. */
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

/* Leave the lines of one score: --score, else "repo" where there are several. */
LM_CHECKED int fig_pick_score(fig *f, const char **score);

/* The mean and standard deviation of the runs of each place, by series, a, b; a run with several
 * parts counts as their mean. A measurement that is
 * there twice with two values is LM_EUSAGE. Samples are reordered. */
LM_CHECKED int fig_average(fig *f, fig_sample *s, size_t n, fig_cell **out, size_t *cells);

/* Samples of all lines: a and b are read from the fields of these names (b NULL: 0), the value from
 * `value`. */
LM_CHECKED int fig_sample_lines(fig *f, const char *a, const char *b, const char *value,
                                fig_sample **out);

/* Set each sample's run (another seed, or other weights of models of one name) and part. */
LM_CHECKED int fig_set_runs(fig *f, fig_sample *s, size_t n);

/* The cell at a place; NULL where there is none. */
const fig_cell *fig_find(const fig_cell *c, size_t n, size_t series, double a, double b);

/* The greatest number of runs of a cell. */
size_t fig_runs(const fig_cell *c, size_t n);

/* Rising values without repeats: those of a (or of b) in the cells. */
LM_CHECKED int fig_values(fig *f, const fig_cell *c, size_t n, bool of_b, double **out,
                          size_t *count);

/* 2.345 or 2.345 ± 0.012, "" where there is no cell, "inf". */
const char *fig_value_text(fig *f, const fig_cell *c, int digits);

/* A sentence on what `bar` is, shown by what `sign` says ("Bars:"); "" where there is none. */
const char *fig_runs_text(fig *f, const fig_cell *c, size_t n, const char *sign);

/* The figure's own title, and what all its series share. */
const char *fig_title(fig *f, const char *title);

/* A length as figures write it: 4K, 1000. */
const char *fig_length(fig *f, double length);

/* The names of several: with K where all are such, else all as they are. NULL with f->rc set. */
const char **fig_lengths(fig *f, const double *length, size_t n);

/* Upright marks at the lengths that models were trained at, appended to mark[*n]; at most 4. */
LM_CHECKED int fig_trained(fig *f, lm_plot_mark *mark, size_t *n);

/* A line for each series, in line[*n]; a table of rows for series and columns for a. (length.c) */
LM_CHECKED int fig_series_lines(fig *f, const fig_cell *c, size_t cells, lm_plot_line *line,
                                size_t *n);
LM_CHECKED int fig_series_table(fig *f, const fig_cell *c, size_t cells, const char *corner,
                                int digits, const char **(*names)(fig *, const double *, size_t),
                                const char *caption);

/* An exponential mean over about `steps` values, corrected for its beginning; and means of
 * neighbours that leave at most `max` points, in place: their number. (loss.c) */
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
