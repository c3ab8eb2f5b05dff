/* lines.c -- panels of lines with axes, error bars, marks and a legend. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/plot/internal.h"

/* Points. */
enum {
    MARGIN = 22,
    TITLE = 26,
    LEGEND_LINE = 16,
    PANEL_TITLE = 16,
    PANEL_LABEL = 18,
    PANEL_FOOT = 42,
    GAP = 34,
    CAPTION_LEADING = 13,
    LINES_MAX = 64,
    PANELS_MAX = 64,
};

/* Okabe and Ito's colours, with wine for the yellow, which is too light for a line. */
static const pl_colour palette[] = { { 0.00, 0.45, 0.70 }, { 0.84, 0.37, 0.00 },
                                     { 0.00, 0.62, 0.45 }, { 0.80, 0.47, 0.65 },
                                     { 0.90, 0.62, 0.00 }, { 0.34, 0.71, 0.91 },
                                     { 0.53, 0.13, 0.33 }, { 0.20, 0.20, 0.22 } };
enum { COLOURS = sizeof palette / sizeof *palette };
static const pl_colour alarm_colour = { 0.72, 0.09, 0.17 };

typedef struct frame {
    pl_canvas *c;
    const lm_plot_panel *p;
    double left, top, right, bottom; /* of the plotting area */
    pl_scale x, y;
    pl_ticks x_ticks, y_ticks;
} frame;

static pl_colour colour_of(const lm_plot_line *l) { return palette[l->colour % COLOURS]; }

/* ---- axes ------------------------------------------------------------------------------- */

static bool shown(const lm_plot_axis *a, double v) { return !isnan(v) && (!a->log || v > 0); }

static void widen(double v, double *low, double *high)
{
    if (v < *low) *low = v;
    if (v > *high) *high = v;
}

/* The values at the ends of both axes. */
static void find_ranges(frame *f)
{
    const lm_plot_panel *p = f->p;
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (size_t k = 0; k < p->lines; k++)
        for (size_t i = 0; i < p->line[k].n; i++) {
            double x = p->line[k].x[i], y = p->line[k].y[i];
            double e = p->line[k].error ? p->line[k].error[i] : 0;
            if (!shown(&p->x, x) || !shown(&p->y, y)) continue;
            if (x < p->x.low || x > p->x.high) continue;
            widen(x, &x0, &x1);
            if (y < p->y.low || y > p->y.high || isinf(y)) continue;
            widen(y, &y0, &y1);
            if (e > 0 && shown(&p->y, y - e)) widen(y - e, &y0, &y1);
            if (e > 0) widen(y + e, &y0, &y1);
        }
    for (size_t i = 0; i < p->marks; i++)
        if (p->mark[i].level && shown(&p->y, p->mark[i].at)) widen(p->mark[i].at, &y0, &y1);
    if (!(x0 <= x1)) x0 = 0, x1 = 1;
    if (!(y0 <= y1)) y0 = 0, y1 = 1;
    if (p->x.zero && x0 > 0) x0 = 0;
    if (p->y.zero && y0 > 0) y0 = 0;
    if (p->x.log || !(x1 > x0)) pl_enclose(p->x.unit, p->x.log, &x0, &x1, 6);
    pl_enclose(p->y.unit, p->y.log, &y0, &y1, 5);
    f->x = (pl_scale){ isnan(p->x.low) ? x0 : p->x.low, isnan(p->x.high) ? x1 : p->x.high, 0, 0,
                       p->x.log };
    f->y = (pl_scale){ isnan(p->y.low) ? y0 : p->y.low, isnan(p->y.high) ? y1 : p->y.high, 0, 0,
                       p->y.log };
}

static void draw_axes(const frame *f)
{
    pl_canvas *c = f->c;
    pl_pen(c, 0.75, 0, 0);
    pl_font(c, 9, false);
    for (size_t i = 0; i < f->y_ticks.n; i++) {
        double y = pl_position(&f->y, f->y_ticks.at[i]);
        pl_colour_set(c, pl_rule, 1);
        pl_line(c, f->left, y, f->right, y);
        pl_colour_set(c, pl_pale, 1);
        pl_text(c, f->left - 6, y + 3.2, PL_RIGHT, f->y_ticks.text[i]);
    }
    pl_colour_set(c, pl_pale, 1);
    pl_line(c, f->left, f->bottom, f->right, f->bottom);
    for (size_t i = 0; i < f->x_ticks.n; i++) {
        double x = pl_position(&f->x, f->x_ticks.at[i]);
        pl_line(c, x, f->bottom, x, f->bottom + 4);
        pl_text(c, x, f->bottom + 15, PL_MIDDLE, f->x_ticks.text[i]);
    }
    pl_font(c, 9.5, false);
    pl_colour_set(c, pl_ink, 1);
    if (f->p->x.label)
        pl_text(c, (f->left + f->right) / 2, f->bottom + 30, PL_MIDDLE, f->p->x.label);
    if (f->p->y.label) pl_text(c, f->left, f->top - 10, PL_LEFT, f->p->y.label);
    if (f->p->title) {
        pl_font(c, 11, true);
        pl_text(c, f->left, f->top - (f->p->y.label ? PANEL_LABEL : 2) - 8, PL_LEFT, f->p->title);
    }
}

static void draw_marks(const frame *f)
{
    pl_canvas *c = f->c;
    for (size_t i = 0; i < f->p->marks; i++) {
        const lm_plot_mark *m = &f->p->mark[i];
        const pl_scale *s = m->level ? &f->y : &f->x;
        if (m->at < s->low || m->at > s->high) continue;
        double at = pl_position(s, m->at);
        pl_colour_set(c, m->alarm ? alarm_colour : pl_pale, 1);
        pl_pen(c, 1, 4, 3);
        if (m->level) pl_line(c, f->left, at, f->right, at);
        else pl_line(c, at, f->top, at, f->bottom);
    }
}

/* Labels of vertical marks go above the panel, right of the axis label; those of horizontal marks
 * go over the lines, on a translucent background. */
static void draw_mark_labels(const frame *f)
{
    pl_canvas *c = f->c;
    pl_font(c, 9.5, false);
    double free_from = f->left + (f->p->y.label ? pl_text_width(c, f->p->y.label) + 10 : 0);
    pl_font(c, 8.5, false);
    for (size_t i = 0; i < f->p->marks; i++) {
        const lm_plot_mark *m = &f->p->mark[i];
        const pl_scale *s = m->level ? &f->y : &f->x;
        if (!m->label || m->at < s->low || m->at > s->high) continue;
        double at = pl_position(s, m->at), w = pl_text_width(c, m->label);
        double x = m->level ? f->left + 4 : fmin(fmax(at - w / 2, free_from), f->right - w);
        double y = m->level ? at - 4 : f->top - 10;
        if (!m->level) free_from = x + w + 6;
        pl_colour_set(c, pl_white, 0.75);
        if (m->level) pl_rect(c, x - 1, y - 8, w + 2, 10);
        pl_colour_set(c, m->alarm ? alarm_colour : pl_pale, 1);
        pl_text(c, x, y, PL_LEFT, m->label);
    }
}

/* ---- lines ------------------------------------------------------------------------------ */

/* A shape for each colour, so that lines differ in grey, too. */
static void draw_dot(pl_canvas *c, unsigned colour, double x, double y, double r)
{
    double d = r * 1.3;
    double square[2][4] = { { x - r, x + r, x + r, x - r }, { y - r, y - r, y + r, y + r } };
    double up[2][3] = { { x - d, x, x + d }, { y + r, y - d, y + r } };
    double diamond[2][4] = { { x - d, x, x + d, x }, { y, y - d, y, y + d } };
    double down[2][3] = { { x - d, x, x + d }, { y - r, y + d, y - r } };
    switch (colour % 5) {
    case 0: pl_disc(c, x, y, r); break;
    case 1: pl_polygon(c, square[0], square[1], 4); break;
    case 2: pl_polygon(c, up[0], up[1], 3); break;
    case 3: pl_polygon(c, diamond[0], diamond[1], 4); break;
    default: pl_polygon(c, down[0], down[1], 3); break;
    }
}

static bool in_x(const frame *f, double x)
{
    return shown(&f->p->x, x) && x >= f->x.low * (1 - 1e-12) && x <= f->x.high * (1 + 1e-12);
}

/* The position of a y, clamped: cairo cannot represent infinity. */
static double y_position(const frame *f, double v)
{
    return fmin(fmax(pl_position(&f->y, v), -1e6), 1e6);
}

/* The errors of points from..to as a shaded band behind the line. */
static void draw_band(const frame *f, const lm_plot_line *l, double *scratch, size_t from,
                      size_t to)
{
    double *x = scratch, *y = scratch + 2 * l->n;
    size_t n = to - from;
    for (size_t i = 0; i < n; i++) {
        double v = l->y[from + i], e = l->error[from + i];
        x[i] = x[2 * n - 1 - i] = pl_position(&f->x, l->x[from + i]);
        y[i] = y_position(f, v + e);
        y[2 * n - 1 - i] = shown(&f->p->y, v - e) ? y_position(f, v - e) : f->bottom;
    }
    pl_colour_set(f->c, colour_of(l), 0.15);
    pl_polygon(f->c, x, y, 2 * n);
    pl_colour_set(f->c, colour_of(l), 1);
}

static void draw_segment(const frame *f, const lm_plot_line *l, double *scratch, size_t from,
                         size_t to)
{
    double *x = scratch, *y = scratch + l->n;
    if (l->band && l->error && to - from > 1) draw_band(f, l, scratch, from, to);
    for (size_t i = from; i < to; i++) {
        x[i] = pl_position(&f->x, l->x[i]);
        y[i] = y_position(f, l->y[i]);
    }
    if (to - from > 1) pl_path(f->c, x + from, y + from, to - from);
    else if (!l->dots) draw_dot(f->c, l->colour, x[from], y[from], 2.2);
}

static void draw_line(const frame *f, const lm_plot_line *l, double *scratch)
{
    pl_canvas *c = f->c;
    pl_clip(c, f->left - 4, f->top - 1, f->right - f->left + 8, f->bottom - f->top + 2);
    pl_colour_set(c, colour_of(l), l->faint ? 0.28 : 1);
    pl_pen(c, l->faint ? 0.8 : 1.8, l->dashed ? 5 : 0, 3);
    for (size_t i = 0; i < l->n;) {
        size_t to = i;
        while (to < l->n && in_x(f, l->x[to]) && shown(&f->p->y, l->y[to])) to++;
        if (to > i) draw_segment(f, l, scratch, i, to);
        i = to + 1;
    }
    pl_pen(c, 1, 0, 0);
    for (size_t i = 0; l->error && !l->band && i < l->n; i++) {
        if (!in_x(f, l->x[i]) || !shown(&f->p->y, l->y[i]) || !(l->error[i] > 0)) continue;
        double low = l->y[i] - l->error[i], x = pl_position(&f->x, l->x[i]);
        double y0 = shown(&f->p->y, low) ? y_position(f, low) : f->bottom;
        double y1 = y_position(f, l->y[i] + l->error[i]);
        pl_line(c, x, y0, x, y1);
        pl_line(c, x - 2.5, y0, x + 2.5, y0);
        pl_line(c, x - 2.5, y1, x + 2.5, y1);
    }
    pl_unclip(c);
    pl_colour_set(c, colour_of(l), l->faint ? 0.28 : 1);
    for (size_t i = 0; l->dots && i < l->n; i++)
        if (in_x(f, l->x[i]) && shown(&f->p->y, l->y[i]) && l->y[i] >= f->y.low &&
            l->y[i] <= f->y.high)
            draw_dot(c, l->colour, pl_position(&f->x, l->x[i]), pl_position(&f->y, l->y[i]), 2.8);
}

static void value_text(double v, char out[16])
{
    if (isinf(v)) snprintf(out, 16, "∞");
    else if (v >= 1e5) snprintf(out, 16, "%.0e", v);
    else snprintf(out, 16, v >= 100 ? "%.0f" : "%.1f", v);
}

/* The number of the last point that is drawn; l->n: none. */
static size_t last_shown(const frame *f, const lm_plot_line *l)
{
    for (size_t i = l->n; i-- > 0;)
        if (in_x(f, l->x[i]) && shown(&f->p->y, l->y[i])) return i;
    return l->n;
}

/* Points beyond the y axis: triangles with their values at the edge, stacked if several lines have
 * one at the same x. */
static void draw_clipped(const frame *f, bool names)
{
    double taken[2][LINES_MAX * 2];
    size_t n = 0;
    pl_font(f->c, 7.5, false);
    for (size_t k = 0; k < f->p->lines; k++) {
        const lm_plot_line *l = &f->p->line[k];
        pl_colour_set(f->c, colour_of(l), 1);
        for (size_t i = 0; l->dots && i < l->n; i++) {
            double v = l->y[i];
            if (!in_x(f, l->x[i]) || !shown(&f->p->y, v)) continue;
            if (v >= f->y.low && v <= f->y.high) continue;
            bool over = v > f->y.high;
            double x = pl_position(&f->x, l->x[i]), way = over ? 1 : -1,
                   y = over ? f->top : f->bottom;
            for (size_t t = 0; t < n; t++)
                if (fabs(taken[0][t] - x) < 26 && taken[1][t] == way) y += way * 11;
            if (n < LINES_MAX * 2) taken[0][n] = x, taken[1][n++] = way;
            double tx[] = { x - 4, x, x + 4 }, ty[] = { y + way * 5, y - way * 2, y + way * 5 };
            char text[16];
            pl_polygon(f->c, tx, ty, 3);
            value_text(v, text);
            if (names && last_shown(f, l) == i) continue; /* it is with the name */
            double w = pl_text_width(f->c, text), base = y + way * 2 + 2.8;
            bool late = x + 26 + w > f->right;
            if (late) { /* the text is on the left, where lines come from */
                pl_colour_set(f->c, pl_white, 0.75);
                pl_rect(f->c, x - 7 - w, base - 7, w + 2, 9);
                pl_colour_set(f->c, colour_of(l), 1);
            }
            pl_text(f->c, late ? x - 6 : x + 6, base, late ? PL_RIGHT : PL_LEFT, text);
        }
    }
}

/* ---- names ------------------------------------------------------------------------------ */

/* The last point of a line, clamped to the plotting area; false: none. */
static bool end_of(const frame *f, const lm_plot_line *l, double *x, double *y)
{
    size_t i = last_shown(f, l);
    if (i == l->n) return false;
    *x = pl_position(&f->x, l->x[i]);
    *y = fmin(fmax(pl_position(&f->y, l->y[i]), f->top), f->bottom);
    return true;
}

/* The name of a line, with the value of its last point if that is beyond the axis: next to the point
 * it would be on the line. */
static void name_text(const frame *f, const lm_plot_line *l, char out[160])
{
    size_t i = last_shown(f, l);
    bool beyond = l->dots && i < l->n && (l->y[i] < f->y.low || l->y[i] > f->y.high);
    char value[16] = "";
    if (beyond) value_text(l->y[i], value);
    snprintf(out, 160, beyond ? "%s (%s)" : "%s", l->name, value);
}

static void draw_names(const frame *f)
{
    struct {
        const lm_plot_line *l;
        double x, y;
    } end[LINES_MAX], swap;
    double label_y[LINES_MAX];
    char name[160];
    size_t n = 0;
    for (size_t k = 0; k < f->p->lines; k++) {
        end[n].l = &f->p->line[k];
        if (end[n].l->name && end_of(f, end[n].l, &end[n].x, &end[n].y)) n++;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && end[k].y < end[k - 1].y; k--)
            swap = end[k], end[k] = end[k - 1], end[k - 1] = swap;
    for (size_t i = 0; i < n; i++) label_y[i] = end[i].y;
    pl_spread(label_y, n, 12, f->top + 4, f->bottom - 4);
    pl_font(f->c, 9.5, true);
    for (size_t i = 0; i < n; i++) {
        pl_colour_set(f->c, colour_of(end[i].l), 1);
        pl_pen(f->c, 0.6, 0, 0);
        if (fabs(label_y[i] - end[i].y) > 4 || f->right - end[i].x > 12)
            pl_line(f->c, end[i].x + 5, end[i].y, f->right + 10, label_y[i]);
        name_text(f, end[i].l, name);
        pl_text(f->c, f->right + 13, label_y[i] + 3.4, PL_LEFT, name);
    }
}

static double names_width(const frame *f)
{
    double max = 0;
    char name[160];
    pl_font(f->c, 9.5, true);
    for (size_t k = 0; k < f->p->lines; k++) {
        if (!f->p->line[k].name) continue;
        name_text(f, &f->p->line[k], name);
        max = fmax(max, pl_text_width(f->c, name) + 13);
    }
    return max;
}

/* Whether this is the first line of the chart with its name. */
static bool first_of_name(const lm_plot_chart *f, size_t panel, size_t line)
{
    const char *name = f->panel[panel].line[line].name;
    for (size_t p = 0; name && p <= panel; p++)
        for (size_t k = 0; k < f->panel[p].lines && (p < panel || k < line); k++)
            if (f->panel[p].line[k].name && !strcmp(f->panel[p].line[k].name, name)) return false;
    return name != NULL;
}

/* Lay out the legend and draw it if `draw`. Returns its number of rows. */
static size_t put_legend(pl_canvas *c, const lm_plot_chart *f, double y, double width, bool draw)
{
    double x = MARGIN;
    size_t rows = 1;
    for (size_t p = 0; p < f->panels; p++)
        for (size_t k = 0; k < f->panel[p].lines; k++) {
            const lm_plot_line *l = &f->panel[p].line[k];
            if (!first_of_name(f, p, k)) continue;
            pl_font(c, 9.5, false);
            double room = 34 + pl_text_width(c, l->name) + 16;
            if (x > MARGIN && x + room > width - MARGIN) {
                x = MARGIN;
                y += LEGEND_LINE;
                rows++;
            }
            if (draw) {
                pl_colour_set(c, colour_of(l), 1);
                pl_pen(c, 1.8, l->dashed ? 5 : 0, 3);
                pl_line(c, x, y - 3.2, x + 24, y - 3.2);
                if (l->dots) draw_dot(c, l->colour, x + 12, y - 3.2, 2.8);
                pl_colour_set(c, pl_ink, 1);
                pl_text(c, x + 30, y, PL_LEFT, l->name);
            }
            x += room;
        }
    return rows;
}

/* ---- panels ----------------------------------------------------------------------------- */

static void draw_panel(pl_canvas *c, const lm_plot_panel *p, bool names, double left, double top,
                       double width, double height, double *scratch)
{
    double head = (p->title ? PANEL_TITLE : 0) + (p->y.label ? PANEL_LABEL : 2) + 4;
    frame f = { .c = c, .p = p, .top = top + head, .bottom = top + height - PANEL_FOOT };
    double labels = 0;
    find_ranges(&f);
    pl_ticks_make(&f.y_ticks, p->y.unit, p->y.log, f.y.low, f.y.high, 6);
    pl_font(c, 9, false);
    for (size_t i = 0; i < f.y_ticks.n; i++)
        labels = fmax(labels, pl_text_width(c, f.y_ticks.text[i]));
    f.left = left + labels + 8;
    f.right = left + width - (names ? names_width(&f) : 6);
    pl_ticks_make(&f.x_ticks, p->x.unit, p->x.log, f.x.low, f.x.high,
                  (size_t)fmax(2, (f.right - f.left) / 66));
    f.x.from = f.left;
    f.x.to = f.right;
    f.y.from = f.bottom;
    f.y.to = f.top;
    draw_axes(&f);
    draw_marks(&f);
    for (size_t k = 0; k < p->lines; k++)
        if (p->line[k].faint) draw_line(&f, &p->line[k], scratch);
    for (size_t k = 0; k < p->lines; k++)
        if (!p->line[k].faint) draw_line(&f, &p->line[k], scratch);
    draw_mark_labels(&f);
    draw_clipped(&f, names);
    if (names) draw_names(&f);
}

static int check(const lm_plot_chart *f, size_t *longest)
{
    size_t points = 0;
    *longest = 0;
    if (!f->panels || f->panels > PANELS_MAX || !f->columns)
        return lm_fail(LM_EUSAGE, "a figure has 1 to %d panels, not %zu", PANELS_MAX, f->panels);
    for (size_t p = 0; p < f->panels; p++) {
        if (f->panel[p].lines > LINES_MAX)
            return lm_fail(LM_EUSAGE, "a panel has at most %d lines, not %zu", LINES_MAX,
                           f->panel[p].lines);
        for (size_t k = 0; k < f->panel[p].lines; k++) {
            points += f->panel[p].line[k].n;
            if (f->panel[p].line[k].n > *longest) *longest = f->panel[p].line[k].n;
        }
    }
    return points ? LM_OK : lm_fail(LM_EUSAGE, "nothing to draw");
}

int lm_plot_lines(const char *path, const lm_plot_chart *chart)
{
    const lm_plot_chart *f = chart;
    size_t longest = 0;
    pl_canvas *c = NULL;
    int rc = lm_plot_name(path);
    if (!rc) rc = check(f, &longest);
    if (rc) return rc;
    double *scratch = calloc(4 * longest, sizeof *scratch);
    if (!scratch) return lm_fail_nomem(4 * longest * sizeof *scratch);

    size_t columns = f->columns < f->panels ? f->columns : f->panels;
    size_t rows = (f->panels + columns - 1) / columns;
    double panel_width = columns == 1 ? 556 : columns == 2 ? 350 : 290;
    double panel_height = rows == 1 && columns == 1 ? 340 : rows == 1 ? 280 : 230;
    double width = 2 * MARGIN + (double)columns * (panel_width + GAP) - GAP;
    double head = MARGIN, foot = 0;
    rc = pl_open(&c, NULL, 1, 1);
    if (!rc) {
        pl_font(c, 9, false);
        size_t lines = f->caption ? pl_text_wrapped(c, 0, 0, width - 2 * MARGIN, 0, f->caption) : 0;
        foot = (double)lines * CAPTION_LEADING + 14;
        if (f->title) head += TITLE - 4;
        if (f->legend) head += (double)put_legend(c, f, 0, width, false) * LEGEND_LINE + 6;
    }
    rc = pl_finish(c, rc);
    c = NULL;
    double height = head + (double)rows * panel_height + foot;
    if (!rc) rc = pl_open(&c, path, width, height);
    if (!rc) {
        double y = MARGIN + 6;
        if (f->title) {
            pl_font(c, 13, true);
            pl_colour_set(c, pl_ink, 1);
            pl_text_fitted(c, MARGIN, y, width - 2 * MARGIN, f->title);
            y += TITLE - 2;
        }
        if (f->legend) put_legend(c, f, y, width, true);
        for (size_t i = 0; i < f->panels; i++)
            draw_panel(
                c, &f->panel[i], !f->legend, MARGIN + (double)(i % columns) * (panel_width + GAP),
                head + (double)(i / columns) * panel_height, panel_width, panel_height, scratch);
        pl_font(c, 9, false);
        pl_colour_set(c, pl_pale, 1);
        if (f->caption)
            pl_text_wrapped(c, MARGIN, height - foot + 8, width - 2 * MARGIN, CAPTION_LEADING,
                            f->caption);
    }
    rc = pl_finish(c, rc);
    free(scratch);
    return rc;
}
