/* Histograms drawn with cairo: small multiples, inputs across, domains down. */
#include "longmix/plot.h"

#include <cairo/cairo-pdf.h>
#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "longmix/zio.h"

/* Points. */
enum { MARGIN = 28, LABELS = 112, PANEL = 250, GAP = 30, HEAD = 60, ROW = 66, ROW_TEXT = 15,
       ROW_GAP = 12, FOOT = 56, INPUTS_MAX = 64, PNG_SCALE = 2 };

typedef struct colour {
    double r, g, b;
} colour;

/* Blue and vermilion of Okabe and Ito: they differ for every kind of colour vision, and in grey. */
static const colour short_colour = { 0.34, 0.62, 0.80 }, long_colour = { 0.80, 0.33, 0.0 },
                    ink = { 0.13, 0.13, 0.15 }, pale = { 0.45, 0.45, 0.48 },
                    line = { 0.86, 0.86, 0.88 };

typedef struct figure {
    cairo_t *c;
    lm_hist *const *hist;
    const char *const *title;
    size_t inputs, rows;  /* "all", the last row, included */
    const char **name;    /* [rows - 1] */
    lm_hist_row *row;     /* [inputs][rows] */
    unsigned low, high;   /* buckets shown */
    double width, height;
} figure;

/* ---- what is drawn ---------------------------------------------------------------------- */

static double share(uint64_t part, uint64_t all) { return all ? (double)part / (double)all : 0; }
static const lm_hist_row *all_of(const figure *f, size_t input)
{
    return &f->row[(input + 1) * f->rows - 1];
}

/* From 64 to 128K, or on to the last bucket that holds 1 in 200 of its row somewhere. */
static void find_range(figure *f)
{
    f->low = LM_LONG_BUCKET - 7;
    f->high = LM_LONG_BUCKET + 4;
    for (size_t i = 0; i < f->inputs * f->rows; i++)
        for (unsigned b = 0; b < LM_BUCKETS; b++) {
            double s = share(f->row[i].bucket_tokens[b], f->row[i].tokens);
            if (s < 0.005) continue;
            if (b < f->low) f->low = b;
            if (b > f->high) f->high = b;
        }
}

/* The highest bar of a row in any column: a row has one scale, so that inputs compare. */
static double peak(const figure *f, size_t k)
{
    double most = 0;
    for (size_t i = 0; i < f->inputs; i++)
        for (unsigned b = f->low; b <= f->high; b++) {
            const lm_hist_row *r = &f->row[i * f->rows + k];
            double s = share(r->bucket_tokens[b], r->tokens);
            if (s > most) most = s;
        }
    return most > 0 ? most : 1;
}

static int prepare(figure *f)
{
    int rc = lm_hist_names(&f->name, &f->rows, f->hist, f->inputs);
    if (rc) return rc;
    f->rows++;
    f->row = calloc(f->inputs * f->rows, sizeof *f->row);
    if (!f->row) return lm_fail_nomem(f->inputs * f->rows * sizeof *f->row);
    for (size_t i = 0; !rc && i < f->inputs; i++) {
        lm_hist_row *r = &f->row[i * f->rows];
        for (size_t k = 0; k + 1 < f->rows; k++) lm_hist_row_named(f->hist[i], f->name[k], &r[k]);
        rc = lm_hist_row_get(f->hist[i], LM_ALL, &r[f->rows - 1]);
    }
    find_range(f);
    f->width = 2 * MARGIN + LABELS + (double)f->inputs * (PANEL + GAP) - GAP;
    f->height = HEAD + (double)f->rows * (ROW + ROW_GAP) + FOOT;
    return rc;
}

/* ---- strokes ---------------------------------------------------------------------------- */

enum align { LEFT, MIDDLE, RIGHT };

static void use(cairo_t *c, colour k) { cairo_set_source_rgb(c, k.r, k.g, k.b); }

static void set_font(cairo_t *c, double size, bool bold)
{
    cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c, size);
}

static double text_width(cairo_t *c, const char *s)
{
    cairo_text_extents_t e;
    cairo_text_extents(c, s, &e);
    return e.x_advance;
}

static void put_text(cairo_t *c, double x, double y, enum align how, const char *s)
{
    double w = how == LEFT ? 0 : text_width(c, s);
    cairo_move_to(c, x - (how == MIDDLE ? w / 2 : w), y);
    cairo_show_text(c, s);
}

/* As much of the end of `s` as fits: of a path, that says most. */
static void put_fitted(cairo_t *c, double x, double y, double room, const char *s)
{
    char cut[512];
    const char *from = s;
    snprintf(cut, sizeof cut, "%s", s);
    while (*from && text_width(c, cut) > room) {
        do from++;
        while (((unsigned char)*from & 0xc0) == 0x80);
        snprintf(cut, sizeof cut, "…%s", from);
    }
    put_text(c, x, y, LEFT, cut);
}

static void put_line(cairo_t *c, double x0, double y0, double x1, double y1)
{
    cairo_move_to(c, x0, y0);
    cairo_line_to(c, x1, y1);
    cairo_stroke(c);
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

/* ---- the figure ------------------------------------------------------------------------- */

static double step(const figure *f) { return (double)PANEL / (double)(f->high - f->low + 1); }

/* Where the bucket's upper end is. */
static double bucket_x(const figure *f, double left, unsigned b)
{
    return left + (double)(b + 1 - f->low) * step(f);
}

static void draw_bars(const figure *f, const lm_hist_row *r, double scale, double left, double base)
{
    for (unsigned b = f->low; b <= f->high; b++) {
        double h = share(r->bucket_tokens[b], r->tokens) * scale;
        if (h <= 0) continue;
        use(f->c, b < LM_LONG_BUCKET ? short_colour : long_colour);
        cairo_rectangle(f->c, bucket_x(f, left, b) - step(f) + 0.75, base - h, step(f) - 1.5, h);
        cairo_fill(f->c);
    }
}

static void draw_panel(const figure *f, size_t input, size_t k, double left, double base)
{
    const lm_hist_row *r = &f->row[input * f->rows + k];
    cairo_t *c = f->c;
    char text[64];
    double dash[] = { 2, 2 }, at = bucket_x(f, left, LM_LONG_BUCKET - 1);
    cairo_set_line_width(c, 0.75);
    use(c, line);
    put_line(c, left, base, left + PANEL, base);
    draw_bars(f, r, (ROW - ROW_TEXT) / peak(f, k), left, base);
    use(c, pale);
    cairo_set_dash(c, dash, 2, 0);
    put_line(c, at, base - ROW + ROW_TEXT, at, base);
    cairo_set_dash(c, NULL, 0, 0);

    set_font(c, 11, true);
    use(c, ink);
    snprintf(text, sizeof text, "%.2f %%", 100 * share(r->tokens, all_of(f, input)->tokens));
    put_text(c, left, base - ROW + 9, LEFT, text);
    use(c, long_colour);
    snprintf(text, sizeof text, "%.1f %%", 100 * share(r->long_tokens, r->tokens));
    put_text(c, left + PANEL, base - ROW + 9, RIGHT, text);
}

static void draw_scale(const figure *f, double left, double base)
{
    static const char *const unit[] = { "", "K", "M", "G" };
    cairo_t *c = f->c;
    char text[16];
    set_font(c, 9, false);
    cairo_set_line_width(c, 0.75);
    use(c, pale);
    for (unsigned b = f->low; b <= f->high; b++) {
        if (b % 2) continue;
        snprintf(text, sizeof text, "%u%s", 1u << b % 10, unit[b / 10]);
        put_line(c, bucket_x(f, left, b), base, bucket_x(f, left, b), base + 3);
        put_text(c, bucket_x(f, left, b), base + 13, MIDDLE, text);
    }
}

static void draw_column(const figure *f, size_t input, double left)
{
    const lm_hist_row *all = all_of(f, input);
    const char *unit = lm_hist_unit(f->hist[input]);
    cairo_t *c = f->c;
    char text[160], tokens[32], documents[32];
    set_font(c, 13, true);
    use(c, ink);
    put_fitted(c, left, MARGIN + 4, PANEL, f->title[input]);
    count_text(all->tokens, tokens);
    count_text(all->documents, documents);
    snprintf(text, sizeof text, "%s %s, %s documents", tokens, unit, documents);
    set_font(c, 10, false);
    use(c, pale);
    put_text(c, left, MARGIN + 19, LEFT, text);
    for (size_t k = 0; k < f->rows; k++)
        draw_panel(f, input, k, left, HEAD + (double)(k + 1) * (ROW + ROW_GAP) - ROW_GAP / 2);
    draw_scale(f, left, HEAD + (double)f->rows * (ROW + ROW_GAP) - ROW_GAP / 2);
}

static void draw(const figure *f)
{
    cairo_t *c = f->c;
    char text[200];
    cairo_set_source_rgb(c, 1, 1, 1);
    cairo_paint(c);
    for (size_t k = 0; k < f->rows; k++) {
        double base = HEAD + (double)(k + 1) * (ROW + ROW_GAP) - ROW_GAP / 2;
        set_font(c, 12, true);
        use(c, ink);
        put_text(c, MARGIN + LABELS - 14, base - ROW / 2 + 4, RIGHT,
                 k + 1 < f->rows ? f->name[k] : "all");
    }
    for (size_t i = 0; i < f->inputs; i++)
        draw_column(f, i, MARGIN + LABELS + (double)i * (PANEL + GAP));
    double y = f->height - 18;
    set_font(c, 9.5, false);
    use(c, pale);
    snprintf(text, sizeof text,
             "Bars: the domain's %s by length of document, each row to its own scale. "
             "Left: share of all. ",
             lm_hist_unit(f->hist[0]));
    put_text(c, MARGIN, y, LEFT, text);
    double x = MARGIN + text_width(c, text);
    use(c, long_colour);
    put_text(c, x, y, LEFT, "Right: share over 4,096.");
}

#ifdef __SANITIZE_ADDRESS__
/* fontconfig keeps what it has read until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig"; }
#endif

/* ---- files ------------------------------------------------------------------------------ */

static cairo_status_t to_out(void *out, const unsigned char *p, unsigned n)
{
    return lm_out_write(out, p, n) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static bool named(const char *path, const char *end)
{
    size_t n = strlen(path), k = strlen(end);
    return n > k && !strcmp(path + n - k, end);
}

int lm_plot_name(const char *path)
{
    if (named(path, ".png") || named(path, ".pdf") || named(path, ".svg")) return LM_OK;
    return lm_fail(LM_EUSAGE, "%s: the name of a plot ends in .svg, .png or .pdf", path);
}

int lm_plot_hist(const char *path, lm_hist *const *hist, const char *const *title, size_t n)
{
    figure f = { .hist = hist, .title = title, .inputs = n };
    bool png = named(path, ".png"), pdf = named(path, ".pdf");
    lm_out *out = NULL;
    cairo_surface_t *s = NULL;
    cairo_status_t status = CAIRO_STATUS_SUCCESS;
    int rc = lm_plot_name(path);
    if (rc) return rc;
    if (!n || n > INPUTS_MAX)
        return lm_fail(LM_EUSAGE, "a plot has 1 to %d columns, not %zu", INPUTS_MAX, n);
    rc = prepare(&f);
    if (!rc) rc = lm_out_open(&out, path, LM_OUT_PLAIN, 0);
    if (rc) goto out;

    if (png) {
        s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)f.width * PNG_SCALE,
                                       (int)f.height * PNG_SCALE);
        cairo_surface_set_device_scale(s, PNG_SCALE, PNG_SCALE);
    } else if (pdf) {
        s = cairo_pdf_surface_create_for_stream(to_out, out, f.width, f.height);
        cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    } else {
        s = cairo_svg_surface_create_for_stream(to_out, out, f.width, f.height);
    }
    f.c = cairo_create(s);
    draw(&f);
    status = cairo_status(f.c);
    cairo_destroy(f.c);
    if (!status && png) status = cairo_surface_write_to_png_stream(s, to_out, out);
    cairo_surface_finish(s);
    if (!status) status = cairo_surface_status(s);
    cairo_surface_destroy(s);
    /* A failed write has set the message. */
    if (status == CAIRO_STATUS_WRITE_ERROR) rc = LM_EIO;
    else if (status) rc = lm_fail(LM_EIO, "%s: cairo: %s", path, cairo_status_to_string(status));
    if (!rc) {
        rc = lm_out_commit(out);
        out = NULL;
    }
out:
    lm_out_abandon(out);
    free(f.name);
    free(f.row);
    return rc;
}
