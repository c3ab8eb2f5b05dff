/* hist.c -- histograms as small multiples: a column per input, a row per domain. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/plot/internal.h"

/* Points. */
enum {
    MARGIN = 28,
    LABELS = 112,
    PANEL = 250,
    NARROW_PANEL = 180, /* of three columns: 1,600 dots fit a page's width */
    GAP = 30,
    HEAD = 60,
    SCALE = 30, /* below the last row, where another block of columns follows */
    ROW = 66,
    LOW_ROW = 50, /* of more than one block */
    ROW_TEXT = 15,
    ROW_GAP = 12,
    FOOT = 56,
    INPUTS_MAX = 64,
};

/* Blue and vermilion of Okabe and Ito: distinct in colour blindness and in grey. */
static const pl_colour short_colour = { 0.34, 0.62, 0.80 }, long_colour = { 0.80, 0.33, 0.0 };

typedef struct figure {
    pl_canvas *c;
    const lm_plot_hist_column *column;
    size_t inputs, rows;     /* "all", the last row, included */
    const char *const *name; /* [rows - 1] */
    unsigned low, high;      /* buckets shown */
    bool narrow;             /* one column: the key needs three lines */
    size_t across;           /* columns side by side; further ones are in blocks below */
    double panel, row;       /* width and height of a panel */
    double width, height;
} figure;

static const char key_left[] = "Left: share of all. ";

/* ---- what is drawn ---------------------------------------------------------------------- */

static double share(uint64_t part, uint64_t all) { return all ? (double)part / (double)all : 0; }
static const lm_hist_row *all_of(const figure *f, size_t input)
{
    return &f->column[input].row[f->rows - 1];
}

/* From 64 to 128K, extended to the last bucket with at least 1/200 of some row. */
static void find_range(figure *f)
{
    f->low = LM_LONG_BUCKET - 7;
    f->high = LM_LONG_BUCKET + 4;
    for (size_t i = 0; i < f->inputs * f->rows; i++)
        for (unsigned b = 0; b < LM_BUCKETS; b++) {
            const lm_hist_row *r = &f->column[i / f->rows].row[i % f->rows];
            double s = share(r->bucket_tokens[b], r->tokens);
            if (s < 0.005) continue;
            if (b < f->low) f->low = b;
            if (b > f->high) f->high = b;
        }
}

/* The highest bar of a row in any column: one scale per row makes inputs comparable. */
static double peak(const figure *f, size_t k)
{
    double max = 0;
    for (size_t i = 0; i < f->inputs; i++)
        for (unsigned b = f->low; b <= f->high; b++) {
            const lm_hist_row *r = &f->column[i].row[k];
            double s = share(r->bucket_tokens[b], r->tokens);
            if (s > max) max = s;
        }
    return max > 0 ? max : 1;
}

/* 1234567 -> "1,234,567" */
static void count_text(uint64_t v, char out[32])
{
    char digits[24];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, v), k = 0;
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
}

/* 1234567 -> "1.23M" */
static void short_count_text(uint64_t v, char out[32])
{
    static const char unit[] = " KMBT";
    double value = (double)v;
    size_t i = 0;
    for (; value >= 999.5 && i + 2 < sizeof unit; i++) value /= 1000;
    if (!i) snprintf(out, 32, "%" PRIu64, v);
    else snprintf(out, 32, "%.*f%c", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, unit[i]);
}

/* ---- the figure ------------------------------------------------------------------------- */

static double step(const figure *f) { return f->panel / (double)(f->high - f->low + 1); }

/* The position of the bucket's upper end. */
static double bucket_x(const figure *f, double left, unsigned b)
{
    return left + (double)(b + 1 - f->low) * step(f);
}

static void draw_bars(const figure *f, const lm_hist_row *r, double scale, double left, double base)
{
    for (unsigned b = f->low; b <= f->high; b++) {
        double h = share(r->bucket_tokens[b], r->tokens) * scale;
        if (h <= 0) continue;
        pl_colour_set(f->c, b < LM_LONG_BUCKET ? short_colour : long_colour, 1);
        pl_rect(f->c, bucket_x(f, left, b) - step(f) + 0.75, base - h, step(f) - 1.5, h);
    }
}

static void draw_panel(const figure *f, size_t input, size_t k, double left, double base)
{
    const lm_hist_row *r = &f->column[input].row[k];
    pl_canvas *c = f->c;
    char text[64];
    double at = bucket_x(f, left, LM_LONG_BUCKET - 1);
    pl_pen(c, 0.75, 0, 0);
    pl_colour_set(c, pl_rule, 1);
    pl_line(c, left, base, left + f->panel, base);
    draw_bars(f, r, (f->row - ROW_TEXT) / peak(f, k), left, base);
    pl_colour_set(c, pl_pale, 1);
    pl_pen(c, 0.75, 2, 2);
    pl_line(c, at, base - f->row + ROW_TEXT, at, base);
    pl_pen(c, 0.75, 0, 0);

    pl_font(c, 11, true);
    pl_colour_set(c, pl_ink, 1);
    snprintf(text, sizeof text, "%.2f %%", 100 * share(r->tokens, all_of(f, input)->tokens));
    pl_text(c, left, base - f->row + 9, PL_LEFT, text);
    pl_colour_set(c, long_colour, 1);
    snprintf(text, sizeof text, "%.1f %%", 100 * share(r->long_tokens, r->tokens));
    pl_text(c, left + f->panel, base - f->row + 9, PL_RIGHT, text);
}

static void draw_scale(const figure *f, double left, double base)
{
    static const char *const unit[] = { "", "K", "M", "G" };
    pl_canvas *c = f->c;
    char text[16];
    pl_font(c, 9, false);
    pl_pen(c, 0.75, 0, 0);
    pl_colour_set(c, pl_pale, 1);
    for (unsigned b = f->low; b <= f->high; b++) {
        if (b % (step(f) < 14 ? 4 : 2)) continue;
        snprintf(text, sizeof text, "%u%s", 1u << b % 10, unit[b / 10]);
        pl_line(c, bucket_x(f, left, b), base, bucket_x(f, left, b), base + 3);
        pl_text(c, bucket_x(f, left, b), base + 13, PL_MIDDLE, text);
    }
}

/* Of row k in the block of columns that begins at `top`; k = rows: of the scale. */
static double base_of(const figure *f, double top, size_t k)
{
    return top + HEAD + (double)(k < f->rows ? k + 1 : k) * (f->row + ROW_GAP) - ROW_GAP / 2;
}

static void draw_column(const figure *f, size_t input, double left, double top)
{
    const lm_hist_row *all = all_of(f, input);
    pl_canvas *c = f->c;
    char text[160], tokens[32], documents[32];
    pl_font(c, 13, true);
    pl_colour_set(c, pl_ink, 1);
    pl_text_fitted(c, left, top + MARGIN + 4, f->panel, f->column[input].title);
    count_text(all->tokens, tokens);
    count_text(all->documents, documents);
    snprintf(text, sizeof text, "%s %s, %s documents", tokens, f->column[input].unit, documents);
    pl_font(c, 10, false);
    if (pl_text_width(c, text) > f->panel) {
        short_count_text(all->tokens, tokens);
        short_count_text(all->documents, documents);
        snprintf(text, sizeof text, "%s %s, %s documents", tokens, f->column[input].unit,
                 documents);
    }
    pl_colour_set(c, pl_pale, 1);
    pl_text(c, left, top + MARGIN + 19, PL_LEFT, text);
    for (size_t k = 0; k < f->rows; k++) draw_panel(f, input, k, left, base_of(f, top, k));
    draw_scale(f, left, base_of(f, top, f->rows));
}

static double block_height(const figure *f)
{
    return HEAD + (double)f->rows * (f->row + ROW_GAP) + SCALE;
}

/* The columns from `first` on, with the names of the rows. */
static void draw_block(const figure *f, size_t first)
{
    pl_canvas *c = f->c;
    double top = (double)(first / f->across) * block_height(f);
    for (size_t k = 0; k < f->rows; k++) {
        pl_font(c, 12, true);
        pl_colour_set(c, pl_ink, 1);
        pl_text(c, MARGIN + LABELS - 14, base_of(f, top, k) - f->row / 2 + 4, PL_RIGHT,
                k + 1 < f->rows ? f->name[k] : "all");
    }
    for (size_t i = first; i < f->inputs && i < first + f->across; i++)
        draw_column(f, i, MARGIN + LABELS + (double)(i - first) * (f->panel + GAP), top);
}

static void draw(const figure *f)
{
    pl_canvas *c = f->c;
    char text[200];
    for (size_t i = 0; i < f->inputs; i += f->across) draw_block(f, i);
    double y = f->height - 18, x = MARGIN;
    pl_font(c, 9.5, false);
    pl_colour_set(c, pl_pale, 1);
    snprintf(text, sizeof text,
             "Bars: the domain's %s by length of document, each row to its own scale. %s",
             f->column[0].unit, f->narrow ? "" : key_left);
    if (f->narrow) { /* in lines of their own */
        pl_text_wrapped(c, x, y - 24, f->width - 2 * MARGIN, 12, text);
        snprintf(text, sizeof text, "%s", key_left);
    }
    pl_text(c, x, y, PL_LEFT, text);
    x += pl_text_width(c, text);
    pl_colour_set(c, long_colour, 1);
    pl_text(c, x, y, PL_LEFT, "Right: share over 4,096.");
}

int lm_plot_hist_rows(const char *path, const char *const *name, size_t names,
                      const lm_plot_hist_column *column, size_t n)
{
    figure f = { .column = column, .inputs = n, .name = name, .rows = names + 1 };
    int rc = lm_plot_name(path);
    if (rc) return rc;
    if (!n || n > INPUTS_MAX)
        return lm_fail(LM_EUSAGE, "a plot has 1 to %d columns, not %zu", INPUTS_MAX, n);
    find_range(&f);
    f.across = n < 3 ? n : n == 4 ? 2 : 3;
    f.panel = f.across < 3 ? PANEL : NARROW_PANEL;
    f.row = n > f.across ? LOW_ROW : ROW;
    f.width = 2 * MARGIN + LABELS + (double)f.across * (f.panel + GAP) - GAP;
    f.narrow = n == 1;
    size_t blocks = (n + f.across - 1) / f.across;
    f.height = (double)blocks * block_height(&f) - SCALE + FOOT + (f.narrow ? 12 : 0);
    rc = pl_open(&f.c, path, f.width, f.height);
    if (!rc) draw(&f);
    return pl_finish(f.c, rc);
}

int lm_plot_hist(const char *path, lm_hist *const *hist, const char *const *title, size_t n)
{
    const char **name = NULL;
    size_t names = 0;
    int rc = lm_plot_name(path);
    if (!rc) rc = lm_hist_names(&name, &names, hist, n);
    if (rc) return rc;
    lm_plot_hist_column *column = calloc(n + 1, sizeof *column);
    lm_hist_row *row = calloc(n + 1, (names + 1) * sizeof *row);
    if (!column || !row) rc = lm_fail_nomem((n + 1) * (names + 1) * sizeof *row);
    for (size_t i = 0; !rc && i < n; i++) {
        lm_hist_row *r = &row[i * (names + 1)];
        for (size_t k = 0; k < names; k++) lm_hist_row_named(hist[i], name[k], &r[k]);
        rc = lm_hist_row_get(hist[i], LM_ALL, &r[names]);
        column[i] = (lm_plot_hist_column){ title[i], lm_hist_unit(hist[i]), r };
    }
    if (!rc) rc = lm_plot_hist_rows(path, name, names, column, n);
    free(column);
    free(row);
    free(name);
    return rc;
}
