/* figures.h -- result lines become figures and tables: what lmplot draws.
 *
 * A result line is a JSON object (eval/harness/results.h, docs/evaluation.md): which evaluation,
 * which model with which attention, which cell, and a value. Lines of one model and attention are a
 * series; lines that differ in their seed alone, or in the weights of models that were given one
 * name, are runs of one series, drawn as their mean with the standard deviation. All else that may
 * differ between lines of one figure is where they stand in it; lines that differ in anything more
 * are refused, with both lines and the field. */
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
    FIG_OWN,     /* the figure's own: needle as FIG_STACKED, passkey as FIG_IN_A_ROW */
    FIG_STACKED, /* Fu et al.: wide maps under each other, a dashed grid, slanted lengths */
    FIG_IN_A_ROW /* An et al.: small maps beside each other */,
};

typedef struct fig_options {
    fig_words files;   /* result lines, logs or histograms; "-" is standard input */
    const char *out;   /* .svg .png .pdf draw; .md .tsv write a table; "-": Markdown to stdout */
    const char *title; /* NULL: the figure's own */
    fig_words where;   /* FIELD=VALUE: only such lines */
    fig_words by;      /* FIELD: lines that differ in it are series of their own */
    fig_words over;    /* FIELD: lines that differ in it are parts of one run; it is their mean */
    fig_words names;   /* MODEL=NAME; models of one name are runs of one series */
    fig_words tokens;  /* MODEL=COUNT: what it was trained on, for `curve` */
    const char *score; /* needle: which score; NULL: repo, or the only one */
    int layout;        /* needle, passkey: enum fig_layout */
    bool overlay;      /* loss: a panel for each curve and a line for each run */
    double smooth;     /* loss: steps over which it is averaged; 0: a fiftieth of the run */
    double max;        /* upper end of the y axis; NAN: the figure's own */
    bool log;          /* ppl, speed: a logarithmic y axis */
    bool red_flag;     /* ppl: a line 1.0 above the value at the trained length */
    const char *baseline; /* domains: the series to compare the others with; NULL: the first */
    bool at;              /* domains: losses at positions in place of those in ranges */
    void (*note)(void *arg, const char *line); /* words for the user; NULL: none */
    void *arg;
} fig_options;

typedef struct fig_entry {
    const char *name, *summary;
} fig_entry;
extern const fig_entry fig_list[]; /* ends with a name of NULL */

/* 0 when `name` is a figure and `out` a name it can be written to, else LM_EUSAGE. */
LM_CHECKED int fig_check(const char *name, const char *out);

/* Draw the figure `name`, or write its table. 0, LM_EUSAGE (nothing to draw, settings that do not
 * mix), LM_EDATA (a bad line, with file and number), LM_EIO, LM_ENOMEM. */
LM_CHECKED int fig_draw(const char *name, const fig_options *o);

#endif
