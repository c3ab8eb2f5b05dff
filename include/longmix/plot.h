/* plot.h -- figures and tables from plain arrays: histograms, lines, heat maps. The only face of
 * cairo.
 *
 * Every figure is drawn into PATH as SVG, PNG (150 dots an inch) or PDF, by its name, and appears by
 * rename. What it is given is borrowed during the call. Each returns 0, LM_EUSAGE (another name;
 * nothing to draw), LM_EIO or LM_ENOMEM. Equal input gives an equal SVG, but for cairo's running
 * number of the figures of a process. */
#ifndef LONGMIX_PLOT_H
#define LONGMIX_PLOT_H

#include <stddef.h>

#include "longmix/err.h"
#include "longmix/hist.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 0 when the name ends in .svg, .png or .pdf, else LM_EUSAGE: to be asked before long work. */
LM_CHECKED int lm_plot_name(const char *path);

/* ---- histograms ---------------------------------------------------------------------- */

/* Histograms side by side, a column each, a row of bars by length bucket for each domain, as in
 * Figure 2 of Fu et al.; at most 64 columns. row[names + 1]: a row for each name, then one for all
 * together. */
typedef struct lm_plot_hist_column {
    const char *title, *unit; /* unit: "tokens" or "characters" */
    const lm_hist_row *row;
} lm_plot_hist_column;
LM_CHECKED int lm_plot_hist_rows(const char *path, const char *const *name, size_t names,
                                 const lm_plot_hist_column *column, size_t n);

/* The same from n histograms, title[i] above each. */
LM_CHECKED int lm_plot_hist(const char *path, lm_hist *const *hist, const char *const *title,
                            size_t n);

#ifdef __cplusplus
}
#endif
#endif
