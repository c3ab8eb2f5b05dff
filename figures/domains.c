/* domains.c -- Table 5 of Fu et al.: loss by domain and range, as differences to a baseline. From
 * lines of `domains`, or of `compare`, which have errors of paired differences. */
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
    bool paired;      /* values are already differences */
    const char *base; /* the baseline's name */
    size_t baseline;  /* its series; f->n_series if paired */
    fig_cell *cell;   /* a: domain, b: range */
    size_t cells;
    fig_cell *loss; /* of the baseline if paired: [domains][ranges] */
} losses;

/* ---- reading ----------------------------------------------------------------------------- */

static int index_of(const char **name, size_t *n, const char *s, double *out)
{
    size_t k = 0;
    while (k < *n && strcmp(name[k], s)) k++;
    if (k == NAMES_MAX) return lm_fail(LM_EUSAGE, "more than %d domains or ranges", NAMES_MAX);
    if (k == *n) name[(*n)++] = s;
    *out = (double)k;
    return LM_OK;
}

/* "4096-131072" -> "4K-128K", "1024" -> "at 1K" */
static const char *range_text(fig *f, const char *s)
{
    char *end, *last;
    double from = strtod(s, &end);
    if (end != s && !*end) return fig_text(f, "at %s", fig_length(f, from));
    double to = *end == '-' ? strtod(end + 1, &last) : 0;
    if (end == s || *end != '-' || last == end + 1 || *last) return s;
    return fig_text(f, "%s-%s", fig_length(f, from), fig_length(f, to));
}

static int set_cell(losses *t, const fig_line *l, fig_sample *s)
{
    const char *domain = fig_field(t->f, l, "domain"), *range = fig_field(t->f, l, "range");
    if (!range) range = fig_field(t->f, l, "position");
    if (!domain || !range)
        return fig_fail(l, "\"domain\" and \"range\" or \"position\" are missing");
    s->line = l;
    int rc = index_of(t->domain, &t->domains, domain, &s->a);
    return rc ? rc : index_of(t->range, &t->ranges, range, &s->b);
}

static int sample(losses *t)
{
    fig *f = t->f;
    fig_sample *s = fig_new(f, f->lines, sizeof *s);
    int rc = f->rc;
    for (size_t i = 0; !rc && i < f->lines; i++) {
        s[i].series = f->line[i].series;
        rc = set_cell(t, &f->line[i], &s[i]);
        if (!rc) rc = fig_number(s[i].line, "value", &s[i].value);
    }
    return rc ? rc : fig_average(f, s, f->lines, &t->cell, &t->cells);
}

static int find_baseline(losses *t)
{
    const char *want = t->f->o->baseline, *all = "";
    for (t->baseline = 0; t->baseline < t->f->n_series; t->baseline++) {
        t->base = t->f->series[t->baseline].label;
        if (!want || !strcmp(t->base, want)) return LM_OK;
        all = fig_text(t->f, "%s%s%s", all, t->baseline ? ", " : "", t->base);
    }
    return lm_fail(LM_EUSAGE, "--baseline %s: the series are %s", want, all);
}

/* Keep the lines of ranges (or positions), and only those of `compare` if there are any. */
static int read_lines(losses *t)
{
    fig *f = t->f;
    const char *field = f->o->at ? "position" : "range";
    size_t kept = 0, all = f->lines;
    for (size_t i = 0; i < all; i++)
        t->paired = t->paired || !strcmp(fig_field(f, &f->line[i], "eval"), "compare");
    for (size_t i = 0; i < all; i++) {
        fig_line l = f->line[i];
        bool compared = !strcmp(fig_field(f, &l, "eval"), "compare");
        if (compared == t->paired && lm_json_get(l.json, field)) f->line[kept++] = l;
        else lm_json_free(l.json);
    }
    f->lines = kept;
    return kept ? f->rc : lm_fail(LM_EUSAGE, "nothing to draw: no line with \"%s\"", field);
}

/* The baseline of lines of `compare`, which must be the same in all. */
static int find_base(losses *t)
{
    fig *f = t->f;
    for (size_t i = 0; i < f->lines; i++) {
        const char *base = fig_field(f, &f->line[i], "base");
        if (!base) return fig_fail(&f->line[i], "\"base\" is missing");
        const char *name = fig_named(&f->o->names, base);
        if (!name) name = fig_short_name(f, base);
        if (t->base && strcmp(t->base, name))
            return lm_fail(LM_EUSAGE,
                           "%s:%zu: compared with %s, another line with %s; --name FILE=NAME makes "
                           "them runs of one",
                           f->line[i].file, f->line[i].number, name, t->base);
        t->base = name;
    }
    t->baseline = f->n_series;
    if (f->o->baseline && strcmp(f->o->baseline, t->base))
        return lm_fail(LM_EUSAGE, "--baseline %s: the differences are to %s", f->o->baseline,
                       t->base);
    return f->rc;
}

/* The mean of the compared files' own losses: each file once, although many lines repeat it. */
static int base_losses(losses *t)
{
    fig *f = t->f;
    const char **seen = fig_new(f, f->lines, sizeof *seen);
    fig_sample *s = fig_new(f, f->lines, sizeof *s);
    size_t n = t->domains * t->ranges;
    t->loss = fig_new(f, n, sizeof *t->loss);
    int rc = f->rc;
    for (size_t i = 0; !rc && i < f->lines; i++) rc = set_cell(t, &f->line[i], &s[i]);
    for (size_t k = 0; !rc && k < n; k++) {
        fig_cell *c = &t->loss[k];
        for (size_t i = 0; !rc && i < f->lines; i++) {
            const char *base = fig_field(f, s[i].line, "base");
            size_t j = 0;
            double loss;
            if (s[i].a != (double)(k / t->ranges) || s[i].b != (double)(k % t->ranges)) continue;
            while (j < c->runs && strcmp(seen[j], base)) j++;
            if (j < c->runs) continue;
            seen[c->runs++] = base;
            rc = fig_number(s[i].line, "base_loss", &loss);
            c->mean += loss;
        }
        c->mean /= (double)c->runs;
    }
    return rc;
}

/* ---- output ----------------------------------------------------------------------- */

/* Differences of at least 0.01 count: the paper calls smaller ones equal. Rounded as printed, so
 * that the printed number decides. */
static bool counts(double delta) { return round(fabs(delta) * 1000) >= 10; }

static size_t row_count(const losses *t) { return t->f->n_series + t->paired; }

/* The series of a row; row 0 is the baseline's. */
static size_t series_at(const losses *t, size_t row)
{
    return row == 0 ? t->baseline : row <= t->baseline ? row - 1 : row;
}

static const char *name_at(const losses *t, size_t row)
{
    return row ? t->f->series[series_at(t, row)].label : t->base;
}

static const fig_cell *base_cell(const losses *t, size_t domain, size_t range)
{
    const fig_cell *c = t->paired ? &t->loss[domain * t->ranges + range] : NULL;
    return t->paired ? (c->runs ? c : NULL)
                     : fig_find(t->cell, t->cells, t->baseline, (double)domain, (double)range);
}

/* The text of a cell: the baseline's loss, or the difference to it. */
static const char *text_of(const losses *t, size_t row, size_t domain, size_t range, bool errors,
                           double *delta)
{
    fig *f = t->f;
    const fig_cell *base = base_cell(t, domain, range);
    const fig_cell *c =
        fig_find(t->cell, t->cells, series_at(t, row), (double)domain, (double)range);
    *delta = NAN;
    if (row == 0) {
        if (base) *delta = 0;
        return errors ? fig_value_text(f, base, 3) : base ? fig_text(f, "%.3f", base->mean) : "";
    }
    if (!c || !base) return "";
    *delta = t->paired ? c->mean : c->mean - base->mean;
    double error = t->paired ? c->bar : sqrt(c->bar * c->bar + base->bar * base->bar);
    return errors && error > 0 ? fig_text(f, "%+.3f ± %.3f", *delta, error)
                               : fig_text(f, "%+.3f", *delta);
}

static const char *caption(const losses *t)
{
    fig *f = t->f;
    size_t runs = fig_runs(t->cell, t->cells);
    const char *rows =
        fig_text(f, "Differences in loss to %s (first row); bold: at least 0.01.", t->base);
    const char *average = runs > 1 ? fig_text(f, " Means of %zu runs.", runs) : "";
    const char *errors = runs > 1 ? "one standard deviation between runs" : "one standard error";
    if (!fig_wants_table(f)) return fig_text(f, "%s%s", rows, average);
    return fig_text(f, "%s%s ± %s of the %s difference.", rows, average, errors,
                    t->paired ? "paired" : "unpaired");
}

static int write_table(losses *t)
{
    fig *f = t->f;
    size_t columns = t->domains + 2, rows = t->ranges * row_count(t), len = strlen(f->o->out);
    bool bold = len < 4 || strcmp(f->o->out + len - 4, ".tsv") != 0;
    const char **head = fig_new(f, columns, sizeof *head);
    const char **cell = fig_new(f, rows * columns, sizeof *cell);
    if (f->rc) return f->rc;
    head[0] = f->o->at ? "position" : "range";
    head[1] = "series";
    for (size_t k = 0; k < t->domains; k++) head[k + 2] = t->domain[k];
    for (size_t r = 0; r < rows; r++) {
        size_t row = r % row_count(t), range = r / row_count(t);
        const char **to = cell + r * columns;
        to[0] = range_text(f, t->range[range]);
        to[1] = name_at(t, row);
        for (size_t k = 0; k < t->domains; k++) {
            double delta;
            to[k + 2] = text_of(t, row, k, range, true, &delta);
            if (bold && counts(delta)) to[k + 2] = fig_text(f, "**%s**", to[k + 2]);
        }
    }
    lm_plot_table table = {
        .caption = caption(t), .head = head, .cell = cell, .rows = rows, .columns = columns
    };
    return fig_table(f, &table);
}

static int draw(losses *t)
{
    fig *f = t->f;
    size_t rows = row_count(t), size = rows * t->domains;
    const char **row = fig_new(f, rows, sizeof *row);
    lm_plot_map *map = fig_new(f, t->ranges, sizeof *map);
    double max = 0.02;
    for (size_t i = 0; !f->rc && i < rows; i++) row[i] = name_at(t, i);
    for (size_t m = 0; !f->rc && m < t->ranges; m++) {
        double *value = fig_new(f, size, sizeof *value);
        const char **text = fig_new(f, size, sizeof *text);
        bool *strong = fig_new(f, size, sizeof *strong);
        if (f->rc) break;
        for (size_t i = 0; i < size; i++) {
            text[i] = text_of(t, i / t->domains, i % t->domains, m, false, &value[i]);
            strong[i] = counts(value[i]);
            if (isfinite(value[i])) max = fmax(max, fabs(value[i]));
        }
        map[m] = (lm_plot_map){ .title = range_text(f, t->range[m]),
                                .value = value,
                                .text = text,
                                .strong = strong,
                                .mark = NAN };
    }
    const char *title = f->o->at ? "Loss by domain and position" : "Loss by domain";
    lm_plot_heat heat = { .title = t->paired && !f->o->title ? title : fig_title(f, title),
                          .caption = caption(t),
                          .bar_label = "Δ loss",
                          .column_name = t->domain,
                          .row_name = row,
                          .columns = t->domains,
                          .rows = rows,
                          .palette = LM_PLOT_DIVERGING,
                          .low = -max,
                          .high = max,
                          .map = map,
                          .maps = t->ranges,
                          .across = 1,
                          .cell_width = 84,
                          .cell_height = 24 };
    return f->rc ? f->rc : lm_plot_heat_maps(f->o->out, &heat);
}

int fig_domains(fig *f)
{
    losses t = { .f = f };
    int rc = fig_read(f, "domains compare");
    if (!rc) rc = read_lines(&t);
    if (!rc)
        rc = fig_find_series(f, t.paired ? "domain range position results of base of_base"
                                         : "mode domain range position");
    if (!rc) rc = sample(&t);
    if (!rc) rc = t.paired ? find_base(&t) : find_baseline(&t);
    if (!rc && t.paired) rc = base_losses(&t);
    if (rc) return rc;
    return fig_wants_table(f) ? write_table(&t) : draw(&t);
}
