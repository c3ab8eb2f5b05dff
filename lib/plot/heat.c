/* heat.c -- heat maps: cells coloured by value, missing ones hatched, with a colour bar. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/plot/internal.h"

/* Points. */
enum {
    MARGIN = 22,
    TITLE = 17,
    MAP_TITLE = 18,
    MARK_ROOM = 13,
    GAP = 26,
    BAR = 14,
    BAR_GAP = 18,
    CAPTION_LEADING = 13,
    BAR_STEPS = 96,
    SIDE_MAX = 1024,
    MAPS_MAX = 64,
};

typedef struct layout {
    const lm_plot_heat *f;
    double cell_w, cell_h;     /* a cell */
    double map_w, map_h;       /* the cells of a map */
    double left, above, below; /* space for row names, titles and column names */
    double head, foot;         /* of the page */
    double bar_w;              /* the bar with its numbers and label */
    double width, height;      /* of the page */
    pl_ticks ticks;            /* of the bar */
    size_t across, down;
    size_t every_row, every_column; /* a name for each so many */
    bool slanted;
} layout;

/* ---- sizes ------------------------------------------------------------------------------ */

static double widest(pl_canvas *c, const char *const *name, size_t n)
{
    double max = 0;
    for (size_t i = 0; i < n; i++) max = fmax(max, pl_text_width(c, name[i]));
    return max;
}

static bool any(const lm_plot_heat *f, bool marks)
{
    for (size_t i = 0; i < f->maps; i++)
        if (marks ? !isnan(f->map[i].mark) && f->map[i].mark_label != NULL
                  : f->map[i].title != NULL)
            return true;
    return false;
}

/* The interval at which names of `need` points fit into steps of `step` points. */
static size_t thin(double need, double step)
{
    return step >= need ? 1 : (size_t)ceil(need / step);
}

static void measure(layout *l, pl_canvas *c)
{
    const lm_plot_heat *f = l->f;
    l->across = f->across && f->across < f->maps ? f->across : f->maps;
    if (!f->across) l->across = 1;
    l->down = (f->maps + l->across - 1) / l->across;
    double room = f->across < 2 ? 740 : l->across == 1 ? 440 : l->across == 2 ? 360 : 270;
    l->cell_w = f->cell_width > 0 ? f->cell_width : fmin(60, fmax(room / (double)f->columns, 3));
    room = f->across < 2 ? 250 : 180;
    l->cell_h = f->cell_height > 0 ? f->cell_height : fmin(26, fmax(room / (double)f->rows, 3));
    l->map_w = l->cell_w * (double)f->columns;
    l->map_h = l->cell_h * (double)f->rows;
    pl_font(c, 9, false);
    double names = widest(c, f->column_name, f->columns);
    l->left = widest(c, f->row_name, f->rows) + 8 + (f->y_label ? 16 : 0);
    l->every_row = thin(11, l->cell_h);
    l->slanted = f->slanted && names + 6 > l->cell_w;
    l->every_column = thin(l->slanted ? 11 : names + 6, l->cell_w);
    l->below = (l->slanted ? names * 0.71 + 14 : 16) + (f->x_label ? 16 : 0);
    l->above = (any(f, false) ? MAP_TITLE : 0) + (any(f, true) ? MARK_ROOM : 0) + 4;
    pl_ticks_make(&l->ticks, LM_PLOT_NUMBER, false, f->low, f->high, 5);
    double numbers = 0;
    for (size_t i = 0; i < l->ticks.n; i++)
        numbers = fmax(numbers, pl_text_width(c, l->ticks.text[i]));
    l->bar_w = f->bar_label ? BAR_GAP + BAR + numbers + 26 : 0;
    l->width = 2 * MARGIN + l->left + (double)l->across * (l->map_w + GAP) - GAP + l->bar_w;
    if (l->width < 420) l->width = 420; /* for title and caption */
    pl_font(c, 13, true);
    room = l->width - 2 * MARGIN;
    l->head = MARGIN - 4;
    if (f->title) l->head += (double)pl_text_wrapped(c, 0, 0, room, 0, f->title) * TITLE + 7;
    pl_font(c, 9, false);
    l->foot = 14;
    if (f->caption)
        l->foot += (double)pl_text_wrapped(c, 0, 0, room, 0, f->caption) * CAPTION_LEADING + 4;
    l->height = l->head + (double)l->down * (l->above + l->map_h + l->below) +
                (double)(l->down - 1) * 10 + l->foot;
}

/* ---- a map ------------------------------------------------------------------------------ */

static pl_colour colour_at(const lm_plot_heat *f, double v)
{
    return pl_palette(f->palette, (v - f->low) / (f->high - f->low));
}

static void draw_cells(const layout *l, pl_canvas *c, const lm_plot_map *m, double x0, double y0)
{
    const lm_plot_heat *f = l->f;
    double seam = f->grid ? 0 : 0.4; /* overlap, so that the page does not show between cells */
    for (size_t r = 0; r < f->rows; r++)
        for (size_t k = 0; k < f->columns; k++) {
            double v = m->value[r * f->columns + k], x = x0 + (double)k * l->cell_w;
            double y = y0 + (double)r * l->cell_h;
            double w = l->cell_w + (k + 1 < f->columns ? seam : 0);
            double h = l->cell_h + (r + 1 < f->rows ? seam : 0);
            if (isnan(v)) {
                pl_colour_set(c, pl_white, 1);
                pl_rect(c, x, y, w, h);
                pl_colour_set(c, pl_pale, 0.7);
                pl_pen(c, 0.5, 0, 0);
                pl_hatch(c, x, y, l->cell_w, l->cell_h, 5);
                continue;
            }
            pl_colour_set(c, colour_at(f, v), 1);
            pl_rect(c, x, y, w, h);
        }
}

static void draw_cell_text(const layout *l, pl_canvas *c, const lm_plot_map *m, double x0,
                           double y0)
{
    const lm_plot_heat *f = l->f;
    double size = fmin(10, l->cell_h * 0.55);
    for (size_t i = 0; m->text && i < f->rows * f->columns; i++) {
        double v = m->value[i];
        if (!m->text[i]) continue;
        pl_colour k = isnan(v) ? pl_white : colour_at(f, v);
        bool dark = 0.30 * k.r + 0.59 * k.g + 0.11 * k.b < 0.5;
        pl_font(c, size, m->strong && m->strong[i]);
        pl_colour_set(c, dark ? pl_white : pl_ink, 1);
        pl_text(c, x0 + ((double)(i % f->columns) + 0.5) * l->cell_w,
                y0 + ((double)(i / f->columns) + 0.5) * l->cell_h + size * 0.36, PL_MIDDLE,
                m->text[i]);
    }
}

static void draw_grid(const layout *l, pl_canvas *c, double x0, double y0)
{
    static const pl_colour grey = { 0.5, 0.5, 0.5 };
    pl_colour_set(c, grey, 1);
    pl_pen(c, 0.5, 2, 1.5);
    for (size_t k = 0; k <= l->f->columns; k++)
        pl_line(c, x0 + (double)k * l->cell_w, y0, x0 + (double)k * l->cell_w, y0 + l->map_h);
    for (size_t r = 0; r <= l->f->rows; r++)
        pl_line(c, x0, y0 + (double)r * l->cell_h, x0 + l->map_w, y0 + (double)r * l->cell_h);
}

static void draw_mark(const layout *l, pl_canvas *c, const lm_plot_map *m, double x0, double y0)
{
    if (isnan(m->mark)) return;
    double x = x0 + m->mark * l->cell_w, width = fmin(4, fmax(2, l->cell_w / 5));
    /* White alone would be invisible on missing cells. */
    pl_colour_set(c, pl_ink, 0.55);
    pl_pen(c, width + 1.4, 9, 5);
    pl_line(c, x, y0, x, y0 + l->map_h);
    pl_colour_set(c, pl_white, 1);
    pl_pen(c, width, 9, 5);
    pl_line(c, x, y0, x, y0 + l->map_h);
    if (!m->mark_label) return;
    pl_font(c, 9, false);
    pl_colour_set(c, pl_pale, 1);
    double w = pl_text_width(c, m->mark_label);
    double at = fmax(x0, fmin(x - w / 2, x0 + l->map_w - w));
    pl_text(c, at, y0 - 4, PL_LEFT, m->mark_label);
}

static void draw_names(const layout *l, pl_canvas *c, bool first, double x0, double y0)
{
    const lm_plot_heat *f = l->f;
    double bottom = y0 + l->map_h;
    pl_font(c, 9, false);
    pl_colour_set(c, pl_pale, 1);
    for (size_t r = 0; first && r < f->rows; r += l->every_row)
        pl_text(c, x0 - 6, y0 + ((double)r + 0.5) * l->cell_h + 3.2, PL_RIGHT, f->row_name[r]);
    for (size_t k = 0; k < f->columns; k += l->every_column) {
        double x = x0 + ((double)k + 0.5) * l->cell_w;
        if (l->slanted) pl_text_rotated(c, x + 4, bottom + 10, 45, PL_RIGHT, f->column_name[k]);
        else pl_text(c, x, bottom + 13, PL_MIDDLE, f->column_name[k]);
    }
    pl_font(c, 10, false);
    pl_colour_set(c, pl_ink, 1);
    if (f->x_label) pl_text(c, x0 + l->map_w / 2, bottom + l->below - 3, PL_MIDDLE, f->x_label);
    if (f->y_label && first)
        pl_text_rotated(c, x0 - l->left + 9, y0 + l->map_h / 2, 90, PL_MIDDLE, f->y_label);
}

static void draw_map(const layout *l, pl_canvas *c, size_t i)
{
    const lm_plot_map *m = &l->f->map[i];
    double x0 = MARGIN + l->left + (double)(i % l->across) * (l->map_w + GAP);
    double y0 =
        l->head + (double)(i / l->across) * (l->above + l->map_h + l->below + 10) + l->above;
    draw_cells(l, c, m, x0, y0);
    if (l->f->grid) draw_grid(l, c, x0, y0);
    draw_cell_text(l, c, m, x0, y0);
    pl_colour_set(c, pl_pale, 1);
    pl_pen(c, 0.5, 0, 0);
    if (!l->f->grid) pl_frame(c, x0, y0, l->map_w, l->map_h);
    draw_mark(l, c, m, x0, y0);
    draw_names(l, c, i % l->across == 0, x0, y0);
    if (!m->title) return;
    pl_font(c, 11, true);
    pl_colour_set(c, pl_ink, 1);
    pl_text_fitted(c, x0, y0 - l->above + 13, l->map_w, m->title);
}

static void draw_bar(const layout *l, pl_canvas *c)
{
    const lm_plot_heat *f = l->f;
    double x = MARGIN + l->left + (double)l->across * (l->map_w + GAP) - GAP + BAR_GAP;
    double y = l->head + l->above, h = l->map_h, step = h / BAR_STEPS;
    pl_scale s = { f->low, f->high, y + h, y, false };
    const pl_ticks *t = &l->ticks;
    if (!f->bar_label) return;
    for (size_t i = 0; i < BAR_STEPS; i++) {
        pl_colour_set(c, pl_palette(f->palette, 1 - ((double)i + 0.5) / BAR_STEPS), 1);
        pl_rect(c, x, y + (double)i * step, BAR, i + 1 < BAR_STEPS ? step + 0.4 : step);
    }
    pl_font(c, 9, false);
    pl_pen(c, 0.75, 0, 0);
    pl_colour_set(c, pl_pale, 1);
    for (size_t i = 0; i < t->n; i++) {
        double at = pl_position(&s, t->at[i]);
        pl_line(c, x + BAR, at, x + BAR + 3, at);
        pl_text(c, x + BAR + 6, at + 3.2, PL_LEFT, t->text[i]);
    }
    pl_font(c, 10, false);
    pl_colour_set(c, pl_ink, 1);
    pl_text_rotated(c, x + l->bar_w - BAR_GAP - 3, y + h / 2, 90, PL_MIDDLE, f->bar_label);
}

/* ---- the page --------------------------------------------------------------------------- */

int lm_plot_heat_maps(const char *path, const lm_plot_heat *heat)
{
    layout l = { .f = heat };
    pl_canvas *c = NULL;
    int rc = lm_plot_name(path);
    if (rc) return rc;
    if (!heat->maps || !heat->rows || !heat->columns) return lm_fail(LM_EUSAGE, "nothing to draw");
    if (heat->maps > MAPS_MAX || heat->rows > SIDE_MAX || heat->columns > SIDE_MAX)
        return lm_fail(LM_EUSAGE, "%zu maps of %zu x %zu cells: at most %d of %d x %d are drawn",
                       heat->maps, heat->rows, heat->columns, MAPS_MAX, SIDE_MAX, SIDE_MAX);
    rc = pl_open(&c, NULL, 1, 1);
    if (!rc) measure(&l, c);
    rc = pl_finish(c, rc);
    c = NULL;
    if (!rc) rc = pl_open(&c, path, l.width, l.height);
    if (rc) return rc;
    pl_font(c, 13, true);
    pl_colour_set(c, pl_ink, 1);
    if (heat->title)
        pl_text_wrapped(c, MARGIN, MARGIN + 8, l.width - 2 * MARGIN, TITLE, heat->title);
    for (size_t i = 0; i < heat->maps; i++) draw_map(&l, c, i);
    draw_bar(&l, c);
    pl_font(c, 9, false);
    pl_colour_set(c, pl_pale, 1);
    if (heat->caption)
        pl_text_wrapped(c, MARGIN, l.height - l.foot + 14, l.width - 2 * MARGIN, CAPTION_LEADING,
                        heat->caption);
    return pl_finish(c, LM_OK);
}
