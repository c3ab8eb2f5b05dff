/* Table 5 of Fu et al.: loss by domain and range, as differences to a baseline. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"

enum { NAMES_MAX = 64 };

typedef struct losses {
    fig *f;
    const char *domain[NAMES_MAX], *range[NAMES_MAX];
    size_t domains, ranges;
    fig_cell *cell; /* a: domain, b: range */
    size_t cells, baseline;
} losses;

static int index_of(const char **name, size_t *n, const char *s, double *out)
{
    size_t k = 0;
    while (k < *n && strcmp(name[k], s)) k++;
    if (k == NAMES_MAX) return lm_fail(LM_EUSAGE, "more than %d domains or ranges", NAMES_MAX);
    if (k == *n) name[(*n)++] = s;
    *out = (double)k;
    return LM_OK;
}

/* "4096-131072" -> "4K-128K" */
static const char *range_text(fig *f, const char *s)
{
    char *end, *last;
    double from = strtod(s, &end), to = *end == '-' ? strtod(end + 1, &last) : 0;
    if (end == s || *end != '-' || last == end + 1 || *last) return s;
    return fig_text(f, "%s-%s", fig_length(f, from), fig_length(f, to));
}

static int sample(losses *t)
{
    fig *f = t->f;
    fig_sample *s = fig_new(f, f->lines, sizeof *s);
    int rc = f->rc;
    for (size_t i = 0; !rc && i < f->lines; i++) {
        const fig_line *l = &f->line[i];
        const char *domain = fig_field(f, l, "domain"), *range = fig_field(f, l, "range");
        if (!domain || !range) return fig_fail(l, "\"domain\" or \"range\" is missing");
        s[i].line = l;
        s[i].series = l->series;
        rc = index_of(t->domain, &t->domains, domain, &s[i].a);
        if (!rc) rc = index_of(t->range, &t->ranges, range, &s[i].b);
        if (!rc) rc = fig_number(l, "value", &s[i].value);
    }
    return rc ? rc : fig_average(f, s, f->lines, &t->cell, &t->cells);
}

static int find_baseline(losses *t)
{
    const char *want = t->f->o->baseline;
    for (t->baseline = 0; want && t->baseline < t->f->n_series; t->baseline++)
        if (!strcmp(t->f->series[t->baseline].label, want)) return LM_OK;
    if (!want) return LM_OK;
    const char *all = "";
    for (size_t i = 0; i < t->f->n_series; i++)
        all = fig_text(t->f, "%s%s%s", all, i ? ", " : "", t->f->series[i].label);
    return lm_fail(LM_EUSAGE, "--baseline %s: the series are %s", want, all);
}

static const fig_cell *cell_of(const losses *t, size_t series, size_t domain, size_t range)
{
    return fig_find(t->cell, t->cells, series, (double)domain, (double)range);
}

/* A difference of at least 0.01 counts: below that the paper calls two mixtures equal. As shown, so
 * that what is written decides. */
static bool counts(double delta) { return round(fabs(delta) * 1000) >= 10; }

/* What stands in the cell of a series: the baseline's loss, or the difference to it. */
static const char *text_of(const losses *t, size_t series, size_t domain, size_t range, bool errors,
                           double *delta)
{
    fig *f = t->f;
    const fig_cell *c = cell_of(t, series, domain, range);
    const fig_cell *base = cell_of(t, t->baseline, domain, range);
    *delta = NAN;
    if (series == t->baseline && c) *delta = 0;
    if (series == t->baseline)
        return errors ? fig_value_text(f, c, 3) : c ? fig_text(f, "%.3f", c->mean) : "";
    if (!c || !base) return "";
    *delta = c->mean - base->mean;
    double error = sqrt(c->bar * c->bar + base->bar * base->bar);
    return errors && error > 0 ? fig_text(f, "%+.3f ± %.3f", *delta, error)
                               : fig_text(f, "%+.3f", *delta);
}

static size_t series_at(const losses *t, size_t row)
{
    return row == 0 ? t->baseline : row <= t->baseline ? row - 1 : row;
}

static const char *words(const losses *t)
{
    fig *f = t->f;
    size_t runs = fig_runs(t->cell, t->cells);
    const char *rows = fig_text(f, "Differences in loss to %s (first row); bold: at least 0.01.",
                                f->series[t->baseline].label);
    const char *average = runs > 1 ? fig_text(f, " Means of %zu runs.", runs) : "";
    return fig_text(f, "%s%s%s", rows, average,
                    fig_wants_table(f) ? " Errors are of unpaired differences: one standard "
                                         "deviation between runs, of a single run one standard "
                                         "error." : "");
}

static int write_table(losses *t)
{
    fig *f = t->f;
    size_t columns = t->domains + 2, rows = t->ranges * f->n_series, len = strlen(f->o->out);
    bool bold = len < 4 || strcmp(f->o->out + len - 4, ".tsv") != 0;
    const char **head = fig_new(f, columns, sizeof *head);
    const char **cell = fig_new(f, rows * columns, sizeof *cell);
    if (f->rc) return f->rc;
    head[0] = "range";
    head[1] = "series";
    for (size_t k = 0; k < t->domains; k++) head[k + 2] = t->domain[k];
    for (size_t r = 0; r < rows; r++) {
        size_t series = series_at(t, r % f->n_series), range = r / f->n_series;
        const char **to = cell + r * columns;
        to[0] = range_text(f, t->range[range]);
        to[1] = f->series[series].label;
        for (size_t k = 0; k < t->domains; k++) {
            double delta;
            to[k + 2] = text_of(t, series, k, range, true, &delta);
            if (bold && counts(delta)) to[k + 2] = fig_text(f, "**%s**", to[k + 2]);
        }
    }
    lm_plot_table table = { .caption = words(t), .head = head, .cell = cell, .rows = rows,
                            .columns = columns };
    return fig_table(f, &table);
}

static int draw(losses *t)
{
    fig *f = t->f;
    size_t size = f->n_series * t->domains;
    const char **row = fig_new(f, f->n_series, sizeof *row);
    lm_plot_map *map = fig_new(f, t->ranges, sizeof *map);
    double most = 0.02;
    for (size_t i = 0; !f->rc && i < f->n_series; i++) row[i] = f->series[series_at(t, i)].label;
    for (size_t m = 0; !f->rc && m < t->ranges; m++) {
        double *value = fig_new(f, size, sizeof *value);
        const char **text = fig_new(f, size, sizeof *text);
        bool *strong = fig_new(f, size, sizeof *strong);
        if (f->rc) break;
        for (size_t i = 0; i < size; i++) {
            text[i] = text_of(t, series_at(t, i / t->domains), i % t->domains, m, false, &value[i]);
            strong[i] = counts(value[i]);
            if (isfinite(value[i])) most = fmax(most, fabs(value[i]));
        }
        map[m] = (lm_plot_map){ .title = range_text(f, t->range[m]), .value = value, .text = text,
                                .strong = strong, .mark = NAN };
    }
    lm_plot_heat heat = {
        .title = fig_title(f, "Loss by domain"), .caption = words(t),
        .bar_label = "difference in loss", .column_name = t->domain, .row_name = row,
        .columns = t->domains, .rows = f->n_series, .palette = LM_PLOT_DIVERGING, .low = -most,
        .high = most, .map = map, .maps = t->ranges, .across = 1, .cell_width = 84,
        .cell_height = 24 };
    return f->rc ? f->rc : lm_plot_heat_maps(f->o->out, &heat);
}

int fig_domains(fig *f)
{
    losses t = { .f = f };
    int rc = fig_read(f, "domains");
    if (!rc) rc = fig_find_series(f, "domain range");
    if (!rc) rc = sample(&t);
    if (!rc) rc = find_baseline(&t);
    if (rc) return rc;
    return fig_wants_table(f) ? write_table(&t) : draw(&t);
}
