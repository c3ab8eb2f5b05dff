/* length.c -- against length: perplexity, loss by position, time and memory; a line per series. */
#include <math.h>
#include <string.h>

#include "figures/internal.h"

/* A line for each series that has cells with this b, in line[*n]. */
static int lines_at(fig *f, const fig_cell *c, size_t cells, double b, lm_plot_line *line,
                    size_t *n)
{
    for (size_t s = 0; s < f->n_series; s++) {
        double *x = fig_new(f, cells, sizeof *x), *y = fig_new(f, cells, sizeof *y);
        double *error = fig_new(f, cells, sizeof *error);
        size_t points = 0;
        if (f->rc) return f->rc;
        for (size_t i = 0; i < cells; i++) {
            if (c[i].series != s || c[i].b != b) continue;
            x[points] = c[i].a;
            y[points] = c[i].mean;
            error[points++] = c[i].bar;
        }
        if (points)
            line[(*n)++] = (lm_plot_line){ .name = f->series[s].label,
                                           .n = points,
                                           .x = x,
                                           .y = y,
                                           .error = error,
                                           .colour = (unsigned)s,
                                           .dots = true,
                                           .dashed = s >= 8 };
    }
    return LM_OK;
}

int fig_series_lines(fig *f, const fig_cell *c, size_t cells, lm_plot_line *line, size_t *n)
{
    return lines_at(f, c, cells, 0, line, n);
}

int fig_series_table(fig *f, const fig_cell *c, size_t cells, const char *corner, int digits,
                     const char **(*names)(fig *, const double *, size_t), const char *caption)
{
    double *a;
    size_t n;
    int rc = fig_values(f, c, cells, false, &a, &n);
    const char **head = fig_new(f, n + 1, sizeof *head);
    const char **cell = fig_new(f, f->n_series * (n + 1), sizeof *cell);
    const char **name = rc ? NULL : names(f, a, n);
    if (rc || f->rc) return rc ? rc : f->rc;
    head[0] = corner;
    memcpy(head + 1, name, n * sizeof *name);
    for (size_t s = 0; s < f->n_series; s++) {
        const char **row = cell + s * (n + 1);
        row[0] = f->series[s].label;
        for (size_t k = 0; k < n; k++)
            row[k + 1] = fig_value_text(f, fig_find(c, cells, s, a[k], 0), digits);
    }
    lm_plot_table t = { .caption = *caption ? caption : NULL,
                        .head = head,
                        .cell = cell,
                        .rows = f->n_series,
                        .columns = n + 1 };
    return fig_table(f, &t);
}

static int sample(fig *f, const char *cell, fig_cell **c, size_t *cells)
{
    fig_sample *s;
    int rc = fig_find_series(f, cell);
    if (!rc) rc = fig_sample_lines(f, "length", NULL, "value", &s);
    return rc ? rc : fig_average(f, s, f->lines, c, cells);
}

/* ---- perplexity -------------------------------------------------------------------------- */

/* If one series diverges, the axis shows the differences of the others: it ends at three times the
 * minimum, rounded up. NAN: none diverges. */
static double sensible_end(const fig_cell *c, size_t n)
{
    double min = INFINITY, max = 0;
    for (size_t i = 0; i < n; i++) {
        min = fmin(min, c[i].mean);
        max = fmax(max, c[i].mean);
    }
    if (!isfinite(min) || max <= 4 * min) return NAN;
    double unit = pow(10, floor(log10(3 * min))) / 2;
    return ceil(3 * min / unit - 1e-9) * unit;
}

static int add_red_flag(fig *f, const fig_cell *c, size_t cells, lm_plot_mark *mark, size_t *n)
{
    for (size_t s = 0; s < f->n_series; s++) {
        double trained;
        int rc = fig_number_or(f->series[s].first, "trained", &trained);
        if (rc) return rc;
        const fig_cell *at = fig_find(c, cells, s, trained, 0);
        if (!at || !isfinite(at->mean)) continue;
        mark[(*n)++] =
            (lm_plot_mark){ .at = at->mean + 1,
                            .level = true,
                            .alarm = true,
                            .label = fig_text(f, "1.0 above %s at %s", f->series[s].label,
                                              fig_length(f, trained)) };
        return f->rc;
    }
    return lm_fail(LM_EUSAGE, "--red-flag: no series has a value at its training length");
}

int fig_ppl(fig *f)
{
    fig_cell *c = NULL;
    size_t cells = 0, lines = 0, marks = 0;
    lm_plot_line line[FIG_SERIES_MAX];
    lm_plot_mark mark[8];
    bool clipped = false;
    int rc = fig_read(f, "ppl");
    if (!rc) rc = fig_only(f, "mode", "full");
    if (!rc) rc = sample(f, "length", &c, &cells);
    if (rc) return rc;
    const char *runs = fig_runs_text(f, c, cells, "Bars:");
    if (fig_wants_table(f))
        return fig_series_table(f, c, cells, "perplexity at", 3, fig_lengths, runs);

    rc = lines_at(f, c, cells, 0, line, &lines);
    if (!rc) rc = fig_trained(f, mark, &marks);
    if (!rc && f->o->red_flag) rc = add_red_flag(f, c, cells, mark, &marks);
    if (rc) return rc;
    double end = isnan(f->o->max) && !f->o->log ? sensible_end(c, cells) : f->o->max;
    for (size_t i = 0; i < cells; i++) clipped = clipped || isinf(c[i].mean) || c[i].mean > end;
    lm_plot_panel panel = { .x = { "length (tokens)", LM_PLOT_LENGTH, .log = true, .low = NAN,
                                   .high = NAN },
                            .y = { "perplexity", .log = f->o->log, .low = NAN, .high = end },
                            .line = line,
                            .lines = lines,
                            .mark = mark,
                            .marks = marks };
    lm_plot_chart chart = { .title = fig_title(f, "Perplexity against length"),
                            .caption = fig_text(
                                f, "%s%s%s", runs, *runs && clipped ? " " : "",
                                clipped ? "Triangles: values past the end of the axis." : ""),
                            .panel = &panel,
                            .panels = 1,
                            .columns = 1 };
    return f->rc ? f->rc : lm_plot_lines(f->o->out, &chart);
}

/* ---- loss by position -------------------------------------------------------------------- */

/* The lines of `ppl` with "mode" position: a is the middle of from..to, b the length. */
static int sample_positions(fig *f, fig_cell **c, size_t *cells)
{
    fig_sample *s;
    int rc = fig_sample_lines(f, "from", "length", "value", &s);
    for (size_t i = 0; !rc && i < f->lines; i++) {
        double to;
        rc = fig_number(s[i].line, "to", &to);
        s[i].a = (s[i].a + to) / 2;
    }
    return rc ? rc : fig_average(f, s, f->lines, c, cells);
}

static int position_table(fig *f, const fig_cell *c, size_t cells)
{
    static const char *const head[] = { "series", "length", "middle of positions", "loss" };
    const char **cell = fig_new(f, cells * 4, sizeof *cell);
    if (!cell) return f->rc;
    for (size_t i = 0; i < cells; i++) {
        cell[4 * i] = f->series[c[i].series].label;
        cell[4 * i + 1] = fig_length(f, c[i].b);
        cell[4 * i + 2] = fig_text(f, "%g", c[i].a);
        cell[4 * i + 3] = fig_value_text(f, &c[i], 4);
    }
    lm_plot_table t = { .head = head, .cell = cell, .rows = cells, .columns = 4 };
    return fig_table(f, &t);
}

int fig_position(fig *f)
{
    enum { LENGTHS_MAX = 16 };
    lm_plot_panel panel[LENGTHS_MAX] = { { 0 } };
    lm_plot_line line[LENGTHS_MAX][FIG_SERIES_MAX];
    lm_plot_mark mark[4];
    fig_cell *c = NULL;
    double *length = NULL;
    size_t cells = 0, n = 0, marks = 0;
    int rc = fig_read(f, "ppl");
    if (!rc) rc = fig_only(f, "mode", "position");
    if (!rc) rc = fig_find_series(f, "length from to");
    if (!rc) rc = sample_positions(f, &c, &cells);
    if (rc) return rc;
    if (fig_wants_table(f)) return position_table(f, c, cells);

    rc = fig_values(f, c, cells, true, &length, &n);
    if (!rc && n > LENGTHS_MAX)
        return lm_fail(LM_EUSAGE, "%zu lengths: at most %d panels; --where length=N picks one", n,
                       LENGTHS_MAX);
    if (!rc) rc = fig_trained(f, mark, &marks);
    for (size_t i = 0; !rc && i < n; i++) {
        panel[i] =
            (lm_plot_panel){ .title =
                                 n > 1 ? fig_text(f, "%s tokens", fig_length(f, length[i])) : NULL,
                             .x = { "position", LM_PLOT_LENGTH, .low = 0, .high = length[i] },
                             .y = { "loss", .low = NAN, .high = f->o->max },
                             .line = line[i],
                             .mark = mark,
                             .marks = marks };
        rc = lines_at(f, c, cells, length[i], line[i], &panel[i].lines);
        /* Bins are dense: dots and bars would hide the lines. */
        for (size_t k = 0; k < panel[i].lines; k++) {
            line[i][k].dots = line[i][k].n < 2;
            line[i][k].band = true;
        }
    }
    lm_plot_chart chart = { .title = fig_title(f, "Loss by position"),
                            .caption = fig_runs_text(f, c, cells, "Pale:"),
                            .panel = panel,
                            .panels = n,
                            .columns = n < 3 ? n : 2,
                            .legend = n > 1 };
    if (!rc) rc = f->rc;
    return rc ? rc : lm_plot_lines(f->o->out, &chart);
}

/* ---- time and memory --------------------------------------------------------------------- */

/* A panel of the figure: a measurement in a suitable unit. */
typedef struct measure {
    fig_cell *cell;
    size_t cells;
    const char *unit;
    int digits; /* of its numbers in the table */
} measure;

/* A length that did not fit has the value null: shown in the table, the end of a line. */
static int measure_field(fig *f, const char *field, double scale, const char *small,
                         const char *large, double of_large, measure *m)
{
    fig_sample *s;
    double max = 0;
    int rc = fig_sample_lines(f, "length", NULL, field, &s);
    for (size_t i = 0; !rc && i < f->lines; i++) s[i].value *= scale;
    if (!rc) rc = fig_average(f, s, f->lines, &m->cell, &m->cells);
    for (size_t i = 0; !rc && i < m->cells; i++)
        if (isfinite(m->cell[i].mean)) max = fmax(max, m->cell[i].mean);
    bool big = max >= 10 * of_large;
    m->unit = big ? large : small;
    m->digits = big ? 3 : 1;
    for (size_t i = 0; !rc && big && i < m->cells; i++) {
        m->cell[i].mean /= of_large;
        m->cell[i].bar /= of_large;
    }
    return rc;
}

static bool drop_infinite(measure *m)
{
    size_t kept = 0, all = m->cells;
    for (size_t i = 0; i < all; i++)
        if (isfinite(m->cell[i].mean)) m->cell[kept++] = m->cell[i];
    m->cells = kept;
    return kept < all;
}

static int speed_table(fig *f, const measure m[2])
{
    double *a;
    size_t n;
    int rc = fig_values(f, m[0].cell, m[0].cells, false, &a, &n);
    const char **head = fig_new(f, n + 1, sizeof *head);
    const char **cell = fig_new(f, 2 * f->n_series * (n + 1), sizeof *cell);
    const char **name = rc ? NULL : fig_lengths(f, a, n);
    if (rc || f->rc) return rc ? rc : f->rc;
    head[0] = "length";
    memcpy(head + 1, name, n * sizeof *name);
    for (size_t r = 0; r < 2 * f->n_series; r++) {
        size_t s = r % f->n_series;
        const measure *of = &m[r / f->n_series];
        const char **row = cell + r * (n + 1);
        row[0] = fig_text(f, "%s, %s", f->series[s].label, of->unit);
        for (size_t k = 0; k < n; k++) {
            const fig_cell *at = fig_find(of->cell, of->cells, s, a[k], 0);
            row[k + 1] = at && isinf(at->mean) ? "does not fit" : fig_value_text(f, at, of->digits);
        }
    }
    lm_plot_table t = { .head = head, .cell = cell, .rows = 2 * f->n_series, .columns = n + 1 };
    return fig_table(f, &t);
}

int fig_speed(fig *f)
{
    lm_plot_line line[2][FIG_SERIES_MAX];
    lm_plot_panel panel[2];
    measure m[2] = { { 0 } };
    int rc = fig_read(f, "speed");
    if (!rc) rc = fig_find_series(f, "length");
    if (!rc) rc = measure_field(f, "value", 1000, "ms", "s", 1000, &m[0]);
    if (!rc) rc = measure_field(f, "memory_mib", 1, "MiB", "GiB", 1024, &m[1]);
    if (rc) return rc;
    if (fig_wants_table(f)) return speed_table(f, m);

    const char *runs = fig_runs_text(f, m[0].cell, m[0].cells, "Bars:");
    bool full = drop_infinite(&m[0]);
    full = drop_infinite(&m[1]) || full;
    for (size_t i = 0; !rc && i < 2; i++) {
        panel[i] = (lm_plot_panel){
            .x = { "length (tokens)", LM_PLOT_LENGTH, .log = true, .low = NAN, .high = NAN },
            .y = { fig_text(f, "%s (%s)", i ? "memory" : "time", m[i].unit), .low = NAN,
                   .high = i ? NAN : f->o->max, .zero = !f->o->log, .log = f->o->log },
            .line = line[i]
        };
        rc = lines_at(f, m[i].cell, m[i].cells, 0, line[i], &panel[i].lines);
    }
    lm_plot_chart chart = { .title = fig_title(f, "Time and memory against length"),
                            .caption = fig_text(
                                f, "%s%s%s", runs, *runs && full ? " " : "",
                                full ? "A line ends where the next length did not fit." : ""),
                            .panel = panel,
                            .panels = 2,
                            .columns = 2,
                            .legend = true };
    if (!rc) rc = f->rc;
    return rc ? rc : lm_plot_lines(f->o->out, &chart);
}
