/* plot.h -- figures and tables from plain arrays: histograms, lines, heat maps. The only interface
 * to cairo.
 *
 * Every figure is written to PATH as SVG, PNG (150 dots per inch) or PDF, by its extension, and is
 * renamed into place when complete. Arguments are borrowed during the call. Each function returns
 * 0, LM_EUSAGE (another extension; nothing to draw), LM_EIO or LM_ENOMEM. Equal input gives an
 * equal SVG, except for cairo's running number of the figures of a process. */
#ifndef LM_LIB_PLOT_PLOT_H
#define LM_LIB_PLOT_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/buf.h"
#include "longmix/err.h"
#include "longmix/hist.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 0 when the name ends in .svg, .png or .pdf, else LM_EUSAGE: call it before long work. */
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

/* ---- lines --------------------------------------------------------------------------- */

/* The number format and tick positions of an axis. */
enum lm_plot_unit {
    LM_PLOT_NUMBER, /* 0.5, 20, 1,000 */
    LM_PLOT_LENGTH, /* powers of two: 512, 1K, 128K */
    LM_PLOT_COUNT,  /* 500K, 5M, 2B */
};

typedef struct lm_plot_axis {
    const char *label;
    enum lm_plot_unit unit;
    bool log;         /* values of 0 and below are omitted */
    double low, high; /* NAN: from the data. Values beyond y.high or y.low are drawn at the
                       * edge as triangles with their number; beyond x they are omitted. */
    bool zero;        /* without `low`: start at 0 */
} lm_plot_axis;

typedef struct lm_plot_line {
    const char *name; /* NULL: not in the legend */
    size_t n;
    const double *x, *y; /* x ascending; a NAN y breaks the line, an infinite one is beyond the
                          * edge */
    const double *error; /* half the length of each error bar; NULL: none */
    unsigned colour;     /* 0, 1, ...: index into a colour-blind safe palette */
    bool dots;           /* a marker at each point */
    bool dashed;
    bool band;  /* errors as a shaded band, not as bars */
    bool faint; /* thin and light, behind the others */
} lm_plot_line;

/* A labelled line across the panel: horizontal at a y if `level`, else vertical at an x. */
typedef struct lm_plot_mark {
    double at;
    const char *label; /* NULL: none */
    bool level, alarm; /* alarm: in red */
} lm_plot_mark;

typedef struct lm_plot_panel {
    const char *title; /* NULL: none */
    lm_plot_axis x, y;
    const lm_plot_line *line;
    size_t lines;
    const lm_plot_mark *mark;
    size_t marks;
} lm_plot_panel;

typedef struct lm_plot_chart {
    const char *title, *caption; /* NULL: none; \n breaks the caption */
    const lm_plot_panel *panel;
    size_t panels, columns; /* columns: panels side by side */
    bool legend;            /* one legend above all panels; else names at the ends of lines */
} lm_plot_chart;

LM_CHECKED int lm_plot_lines(const char *path, const lm_plot_chart *chart);

/* ---- heat maps ----------------------------------------------------------------------- */

enum lm_plot_palette {
    LM_PLOT_SCORE,     /* #F0496E, #EBB839, #0CD79F: the papers' */
    LM_PLOT_DIVERGING, /* blue, white, orange */
};

typedef struct lm_plot_map {
    const char *title;       /* NULL: none */
    const double *value;     /* [rows][columns]; NAN: missing, hatched */
    const char *const *text; /* [rows][columns]; NULL: none */
    const bool *strong;      /* [rows][columns]: text in bold; NULL: none */
    double mark;             /* a dashed vertical line, in columns from the left edge; NAN: none */
    const char *mark_label;  /* above it; NULL: none */
} lm_plot_map;

typedef struct lm_plot_heat {
    const char *title, *caption;               /* NULL: none */
    const char *x_label, *y_label, *bar_label; /* NULL: none; bar: the colour bar */
    const char *const *column_name, *const *row_name;
    size_t columns, rows;
    enum lm_plot_palette palette;
    double low, high; /* the values at the ends of the palette */
    const lm_plot_map *map;
    size_t maps, across;            /* across: maps side by side */
    double cell_width, cell_height; /* points; 0: fit the figure to a page's width */
    bool grid;                      /* a dashed grey line between cells */
    bool slanted;                   /* column names at 45 degrees if they are wider than a column */
} lm_plot_heat;

LM_CHECKED int lm_plot_heat_maps(const char *path, const lm_plot_heat *heat);

/* ---- tables -------------------------------------------------------------------------- */

/* cell[rows][columns]; NULL is an empty cell. Column 0 names the row. `caption` follows a
 * Markdown table (NULL: none); TSV has none. */
typedef struct lm_plot_table {
    const char *caption;
    const char *const *head;
    const char *const *cell;
    size_t rows, columns;
} lm_plot_table;

/* Append the table: Markdown with aligned columns, numbers to the right; or TSV, a header and a
 * line per row. Tabs and line ends in cells become blanks; | is escaped in Markdown. 0 or
 * LM_ENOMEM. */
LM_CHECKED int lm_plot_table_markdown(lm_buf *out, const lm_plot_table *t);
LM_CHECKED int lm_plot_table_tsv(lm_buf *out, const lm_plot_table *t);

#ifdef __cplusplus
}
#endif
#endif
