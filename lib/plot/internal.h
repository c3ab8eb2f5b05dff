/* internal.h -- a page to draw on (canvas.c), axes and ticks (scale.c). Lengths are in points; y
 * grows downwards. */
#ifndef LM_LIB_PLOT_INTERNAL_H
#define LM_LIB_PLOT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/plot/plot.h"

/* ---- canvas ----------------------------------------------------------------------------- */

typedef struct pl_colour {
    double r, g, b;
} pl_colour;

static const pl_colour pl_ink = { 0.13, 0.13, 0.15 }, pl_pale = { 0.45, 0.45, 0.48 },
                       pl_rule = { 0.86, 0.86, 0.88 }, pl_white = { 1, 1, 1 };

enum pl_align { PL_LEFT, PL_MIDDLE, PL_RIGHT };

typedef struct pl_canvas pl_canvas;

/* A white page; `path` NULL: only to measure text. Drawing needs no checks: errors are sticky and
 * returned by pl_finish. */
LM_CHECKED int pl_open(pl_canvas **out, const char *path, double width, double height);

/* Write the page, rename it into place and free the canvas, also on failure; with rc != 0 only free
 * it and return rc. `c` may be NULL then. */
LM_CHECKED int pl_finish(pl_canvas *c, int rc);

/* Attributes of the next lines, fills and text. */
void pl_colour_set(pl_canvas *c, pl_colour k, double alpha);
void pl_pen(pl_canvas *c, double width, double on, double off); /* dashes; on 0: solid */
void pl_font(pl_canvas *c, double size, bool bold);

void pl_line(pl_canvas *c, double x0, double y0, double x1, double y1);
void pl_path(pl_canvas *c, const double *x, const double *y, size_t n);    /* a polyline */
void pl_polygon(pl_canvas *c, const double *x, const double *y, size_t n); /* filled */
void pl_disc(pl_canvas *c, double x, double y, double radius);             /* filled */
void pl_rect(pl_canvas *c, double x, double y, double w, double h);        /* filled */
void pl_frame(pl_canvas *c, double x, double y, double w, double h);       /* outline */
void pl_hatch(pl_canvas *c, double x, double y, double w, double h, double gap);

/* Clip to a box until pl_unclip. Boxes do not nest. */
void pl_clip(pl_canvas *c, double x, double y, double w, double h);
void pl_unclip(pl_canvas *c);

double pl_text_width(pl_canvas *c, const char *s);
void pl_text(pl_canvas *c, double x, double y, enum pl_align how, const char *s);
/* Rotated by `degrees` counterclockwise about (x, y), its start, middle or end. */
void pl_text_rotated(pl_canvas *c, double x, double y, double degrees, enum pl_align how,
                     const char *s);
/* As much of the end of `s` as fits: the most specific part of a path. */
void pl_text_fitted(pl_canvas *c, double x, double y, double room, const char *s);
/* Text in lines of at most `room`, broken at blanks and at \n, the first at y. Returns the number
 * of lines. Draws nothing on a canvas without a path. */
size_t pl_text_wrapped(pl_canvas *c, double x, double y, double room, double leading,
                       const char *s);

/* ---- scale: numbers and their positions ---------------------------------------------------- */

enum { PL_TICKS_MAX = 24 };

typedef struct pl_ticks {
    double at[PL_TICKS_MAX];
    char text[PL_TICKS_MAX][16];
    size_t n;
} pl_ticks;

typedef struct pl_scale {
    double low, high; /* values at the ends */
    double from, to;  /* positions of the ends */
    bool log;
} pl_scale;

/* The position of a value; it may be beyond the ends. */
double pl_position(const pl_scale *s, double value);

/* Format a number for an axis. */
void pl_number(enum lm_plot_unit unit, double value, char out[16]);

/* About `want` ticks within low..high: 1, 2 or 5 times a power of ten; powers of two for lengths;
 * decades, with 2 and 5 if there are few, on a logarithmic axis. */
void pl_ticks_make(pl_ticks *out, enum lm_plot_unit unit, bool log, double low, double high,
                   size_t want);

/* Widen low..high to the enclosing ticks, so that data ends inside; log: by a twentieth. */
void pl_enclose(enum lm_plot_unit unit, bool log, double *low, double *high, size_t want);

/* Move the n positions y (ascending) as little as possible so that neighbours are `gap` apart and
 * all stay within low..high. */
void pl_spread(double *y, size_t n, double gap, double low, double high);

/* The colour at 0..1 of a palette, clamped. */
pl_colour pl_palette(enum lm_plot_palette palette, double at);

#endif
