/* canvas.c -- a page to draw on: the only user of cairo. */
#include <cairo/cairo-pdf.h>
#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "longmix/zio.h"
#include "lib/plot/internal.h"

#define PNG_SCALE (150.0 / 72) /* 150 dots per inch */

struct pl_canvas {
    cairo_t *c;
    cairo_surface_t *surface;
    lm_out *out; /* NULL: only to measure text */
    const char *path;
    bool png;
};

#ifdef __SANITIZE_ADDRESS__
/* fontconfig keeps its configuration until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig"; }
const char *__lsan_default_options(void);
const char *__lsan_default_options(void) { return "print_suppressions=0"; }
#endif

/* ---- files ------------------------------------------------------------------------------ */

static cairo_status_t to_out(void *out, const unsigned char *p, unsigned n)
{
    return lm_out_write(out, p, n) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

int lm_plot_name(const char *path)
{
    if (lm_has_suffix(path, ".png") || lm_has_suffix(path, ".pdf") || lm_has_suffix(path, ".svg"))
        return LM_OK;
    return lm_fail(LM_EUSAGE, "%s: a figure must end in .svg, .png or .pdf", path);
}

static cairo_surface_t *open_surface(pl_canvas *c, double width, double height)
{
    cairo_surface_t *s = NULL;
    if (!c->out) return cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    if (c->png) {
        s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lround(width * PNG_SCALE),
                                       (int)lround(height * PNG_SCALE));
        cairo_surface_set_device_scale(s, PNG_SCALE, PNG_SCALE);
    } else if (lm_has_suffix(c->path, ".pdf")) {
        s = cairo_pdf_surface_create_for_stream(to_out, c->out, width, height);
        cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    } else {
        s = cairo_svg_surface_create_for_stream(to_out, c->out, width, height);
    }
    return s;
}

int pl_open(pl_canvas **out, const char *path, double width, double height)
{
    *out = NULL;
    int rc = path ? lm_plot_name(path) : LM_OK;
    pl_canvas *c = rc ? NULL : calloc(1, sizeof *c);
    if (rc) return rc;
    if (!c) return lm_fail_nomem(sizeof *c);
    if (path) rc = lm_out_open(&c->out, path, LM_OUT_PLAIN, 0);
    if (rc) {
        free(c);
        return rc;
    }
    c->path = path;
    c->png = path && lm_has_suffix(path, ".png");
    c->surface = open_surface(c, width, height);
    c->c = cairo_create(c->surface);
    cairo_set_source_rgb(c->c, 1, 1, 1);
    cairo_paint(c->c);
    *out = c;
    return LM_OK;
}

int pl_finish(pl_canvas *c, int rc)
{
    if (!c) return rc;
    cairo_status_t status = cairo_status(c->c);
    cairo_destroy(c->c);
    if (!rc && !status && c->png)
        status = cairo_surface_write_to_png_stream(c->surface, to_out, c->out);
    cairo_surface_finish(c->surface);
    if (!status) status = cairo_surface_status(c->surface);
    cairo_surface_destroy(c->surface);
    /* A failed write has set the message. */
    if (!rc && status == CAIRO_STATUS_WRITE_ERROR) rc = LM_EIO;
    else if (!rc && status)
        rc = lm_fail(LM_EIO, "%s: cairo: %s", c->path ? c->path : "measuring",
                     cairo_status_to_string(status));
    if (!rc && c->out) rc = lm_out_commit(c->out);
    else lm_out_abandon(c->out);
    free(c);
    return rc;
}

/* ---- drawing ---------------------------------------------------------------------------- */

void pl_colour_set(pl_canvas *c, pl_colour k, double alpha)
{
    if (alpha < 1) cairo_set_source_rgba(c->c, k.r, k.g, k.b, alpha);
    else cairo_set_source_rgb(c->c, k.r, k.g, k.b);
}

void pl_pen(pl_canvas *c, double width, double on, double off)
{
    double dash[] = { on, off };
    cairo_set_line_width(c->c, width);
    cairo_set_dash(c->c, dash, on > 0 ? 2 : 0, 0);
}

void pl_line(pl_canvas *c, double x0, double y0, double x1, double y1)
{
    cairo_move_to(c->c, x0, y0);
    cairo_line_to(c->c, x1, y1);
    cairo_stroke(c->c);
}

static void trace(pl_canvas *c, const double *x, const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) cairo_line_to(c->c, x[i], y[i]);
}

void pl_path(pl_canvas *c, const double *x, const double *y, size_t n)
{
    cairo_set_line_join(c->c, CAIRO_LINE_JOIN_ROUND);
    trace(c, x, y, n);
    cairo_stroke(c->c);
}

void pl_polygon(pl_canvas *c, const double *x, const double *y, size_t n)
{
    trace(c, x, y, n);
    cairo_close_path(c->c);
    cairo_fill(c->c);
}

void pl_disc(pl_canvas *c, double x, double y, double radius)
{
    cairo_new_sub_path(c->c);
    cairo_arc(c->c, x, y, radius, 0, 2 * M_PI);
    cairo_fill(c->c);
}

void pl_rect(pl_canvas *c, double x, double y, double w, double h)
{
    cairo_rectangle(c->c, x, y, w, h);
    cairo_fill(c->c);
}

void pl_frame(pl_canvas *c, double x, double y, double w, double h)
{
    cairo_rectangle(c->c, x, y, w, h);
    cairo_stroke(c->c);
}

void pl_clip(pl_canvas *c, double x, double y, double w, double h)
{
    cairo_save(c->c);
    cairo_rectangle(c->c, x, y, w, h);
    cairo_clip(c->c);
}

void pl_unclip(pl_canvas *c) { cairo_restore(c->c); }

void pl_hatch(pl_canvas *c, double x, double y, double w, double h, double gap)
{
    pl_clip(c, x, y, w, h);
    /* Aligned with the neighbouring cells. */
    for (double t = gap - fmod(x + y, gap); t < w + h; t += gap) {
        cairo_move_to(c->c, x + t, y);
        cairo_line_to(c->c, x + t - h, y + h);
    }
    cairo_stroke(c->c);
    pl_unclip(c);
}

/* ---- text ------------------------------------------------------------------------------- */

void pl_font(pl_canvas *c, double size, bool bold)
{
    cairo_select_font_face(c->c, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->c, size);
}

double pl_text_width(pl_canvas *c, const char *s)
{
    cairo_text_extents_t e;
    cairo_text_extents(c->c, s, &e);
    return e.x_advance;
}

void pl_text(pl_canvas *c, double x, double y, enum pl_align how, const char *s)
{
    double w = how == PL_LEFT ? 0 : pl_text_width(c, s);
    cairo_move_to(c->c, x - (how == PL_MIDDLE ? w / 2 : w), y);
    cairo_show_text(c->c, s);
    cairo_new_path(c->c);
}

void pl_text_rotated(pl_canvas *c, double x, double y, double degrees, enum pl_align how,
                     const char *s)
{
    cairo_save(c->c);
    cairo_translate(c->c, x, y);
    cairo_rotate(c->c, -degrees * M_PI / 180);
    pl_text(c, 0, 0, how, s);
    cairo_restore(c->c);
}

void pl_text_fitted(pl_canvas *c, double x, double y, double room, const char *s)
{
    char cut[512];
    const char *from = s;
    snprintf(cut, sizeof cut, "%s", s);
    while (*from && pl_text_width(c, cut) > room) {
        do from++;
        while (((unsigned char)*from & 0xc0) == 0x80);
        snprintf(cut, sizeof cut, "…%s", from);
    }
    pl_text(c, x, y, PL_LEFT, cut);
}

size_t pl_text_wrapped(pl_canvas *c, double x, double y, double room, double leading, const char *s)
{
    char line[512];
    size_t lines = 0;
    while (*s) {
        /* The longest prefix that ends at a blank and fits; at least one word. */
        size_t end = strcspn(s, " \n");
        for (size_t next = end; s[next] == ' ';) {
            next += 1 + strcspn(s + next + 1, " \n");
            if (next >= sizeof line) break;
            snprintf(line, sizeof line, "%.*s", (int)next, s);
            if (pl_text_width(c, line) > room) break;
            end = next;
        }
        snprintf(line, sizeof line, "%.*s", (int)(end < sizeof line ? end : sizeof line - 1), s);
        if (c->out) pl_text(c, x, y + (double)lines * leading, PL_LEFT, line);
        lines++;
        s += end;
        if (*s) s++;
    }
    return lines;
}
