/* figures.h -- figures and tables from result lines: the work of lmplot.
 *
 * A result line is a JSON object (eval/data/results.h, docs/evaluation.md): which evaluation,
 * which model with which attention, which cell, and a value. Lines of one model and attention are a
 * series; lines that differ only in their seed, or in the weights of models with the same name, are
 * runs of one series, drawn as their mean with the standard deviation. Otherwise lines of a figure
 * may differ only in the fields that give their position in it; any other difference is an error
 * that names both lines and the field. */
#ifndef FIGURES_FIGURES_H
#define FIGURES_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/err.h"

typedef struct fig_words {
    char *const *v;
    size_t n;
} fig_words;

enum fig_layout {
    FIG_OWN,     /* the figure's default: needle FIG_STACKED, passkey FIG_IN_A_ROW */
    FIG_STACKED, /* Fu et al.: wide maps stacked vertically, a dashed grid, slanted lengths */
    FIG_IN_A_ROW /* An et al.: small maps side by side */,
};

typedef struct fig_options {
    fig_words files;      /* result lines, logs or histograms; "-" is standard input */
    const char *out;      /* .svg .png .pdf draw; .md .tsv write a table; "-": Markdown to stdout */
    const char *title;    /* NULL: the figure's default */
    fig_words where;      /* FIELD=VALUE: only these lines */
    fig_words by;         /* FIELD: lines that differ in it are separate series */
    fig_words over;       /* FIELD: lines that differ in it are parts of one run and averaged */
    fig_words names;      /* MODEL=NAME; models with the same name are runs of one series */
    fig_words tokens;     /* MODEL=COUNT: its training tokens, for `curve` */
    const char *score;    /* needle: the score to draw; NULL: repo, or the only one */
    int layout;           /* needle, passkey: enum fig_layout */
    bool overlay;         /* loss: a panel for each curve and a line for each run */
    double smooth;        /* loss: averaging window in steps; 0: 1/50 of the run */
    double max;           /* upper end of the y axis; NAN: the figure's default */
    bool log;             /* ppl, speed: a logarithmic y axis */
    bool red_flag;        /* ppl: a line 1.0 above the value at the training length */
    const char *baseline; /* domains: the series to compare the others with; NULL: the first */
    bool at;              /* domains: losses at positions instead of ranges */
    void (*note)(void *arg, const char *line); /* a message to the user; NULL: none */
    void *arg;
} fig_options;

typedef struct fig_entry {
    const char *name, *summary;
} fig_entry;
extern const fig_entry fig_list[]; /* ends with a name of NULL */

/* 0 if `name` is a figure and `out` has a supported extension, else LM_EUSAGE. */
LM_CHECKED int fig_check(const char *name, const char *out);

/* Draw the figure `name`, or write its table. 0, LM_EUSAGE (nothing to draw, lines that do
 * not belong together), LM_EDATA (a bad line, with file and number), LM_EIO, LM_ENOMEM. */
LM_CHECKED int fig_draw(const char *name, const fig_options *o);

#endif
