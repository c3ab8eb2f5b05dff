/* plot.h -- histograms drawn: the only face of cairo. */
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

/* Draw n histograms side by side, a column each (title[i] above it), a row of bars by length
 * bucket for each domain, as in Figure 2 of Fu et al. The format is chosen by the name: .svg,
 * .png or .pdf. Appears by rename. 0, LM_EUSAGE (another name), LM_EIO. Equal input gives an
 * equal SVG, but for cairo's running number of the figures of a process. */
LM_CHECKED int lm_plot_hist(const char *path, lm_hist *const *hist, const char *const *title,
                            size_t n);

#ifdef __cplusplus
}
#endif
#endif
