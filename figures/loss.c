/* loss.c -- learning curves from logs of lmtrain: smoothed training loss, held-out loss by
 * domain. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"
#include "longmix/json.h"

enum { RUNS_MAX = 24, CURVES_MAX = 48, POINTS_MAX = 1500 };

/* Curve 0 of a run is its training loss, 1 its held-out loss, then the domains. */
enum { TRAIN, HELD_OUT, DOMAINS };

typedef struct curve {
    double *x, *y;
    size_t n;
} curve;

typedef struct log_run {
    const char *file, *name;
    size_t first, lines; /* in f->line */
    curve v[CURVES_MAX];
    double *smooth; /* smoothed training loss */
    double steps;   /* its averaging window */
} log_run;

typedef struct curves {
    fig *f;
    log_run *run;
    size_t runs;
    const char *name[CURVES_MAX]; /* of the curves, shared by all runs */
    size_t n;
} curves;

/* ---- reading ----------------------------------------------------------------------------- */

/* runs/a/log.jsonl is a, as is a.jsonl. */
static const char *run_name(fig *f, const char *file)
{
    const char *base = strrchr(file, '/'), *end, *given = fig_named(&f->o->names, file);
    if (given) return given;
    if (base && !strcmp(base, "/log.jsonl") && base > file) {
        const char *from = base;
        while (from > file && from[-1] != '/') from--;
        return fig_text(f, "%.*s", (int)(base - from), from);
    }
    base = base ? base + 1 : file;
    end = strstr(base, ".jsonl");
    return end ? fig_text(f, "%.*s", (int)(end - base), base) : base;
}

static int curve_named(curves *c, const char *name, size_t *which)
{
    for (*which = DOMAINS; *which < c->n; ++*which)
        if (!strcmp(c->name[*which], name)) return LM_OK;
    if (c->n == CURVES_MAX) return lm_fail(LM_EUSAGE, "more than %d domains", CURVES_MAX - DOMAINS);
    c->name[c->n++] = name;
    return LM_OK;
}

static int add(curves *c, log_run *r, size_t which, double x, double y, const fig_line *l)
{
    curve *v = &r->v[which];
    if (!v->x) {
        v->x = fig_new(c->f, r->lines, sizeof *v->x);
        v->y = fig_new(c->f, r->lines, sizeof *v->y);
        if (c->f->rc) return c->f->rc;
    }
    if (v->n && x <= v->x[v->n - 1])
        return fig_fail(l, "\"tokens\" does not increase: are two runs in one log?");
    v->x[v->n] = x;
    v->y[v->n++] = y;
    return LM_OK;
}

static int add_domains(curves *c, log_run *r, double tokens, const fig_line *l)
{
    const lm_json *domains = lm_json_get(l->json, "domains"), *one;
    const char *key;
    int rc = LM_OK;
    for (size_t i = 0; !rc && lm_json_member(domains, i, &key, &one); i++) {
        size_t which;
        double loss;
        rc = lm_json_f64(&loss, one, "loss");
        if (!rc) rc = curve_named(c, key, &which);
        if (!rc) rc = add(c, r, which, tokens, loss, l);
    }
    return rc;
}

static int read_run(curves *c, log_run *r)
{
    int rc = LM_OK;
    for (size_t i = r->first; !rc && i < r->first + r->lines; i++) {
        const fig_line *l = &c->f->line[i];
        double tokens, train, held;
        rc = fig_number(l, "tokens", &tokens);
        if (!rc) rc = fig_number_or(l, "loss", &train);
        if (!rc) rc = fig_number_or(l, "eval_loss", &held);
        if (rc) break;
        if (isnan(train) && isnan(held))
            rc = fig_fail(l, "neither \"loss\" nor \"eval_loss\": not a log of lmtrain");
        if (!rc && !isnan(train)) rc = add(c, r, TRAIN, tokens, train, l);
        if (!rc && !isnan(held)) rc = add(c, r, HELD_OUT, tokens, held, l);
        if (!rc && !isnan(held)) rc = add_domains(c, r, tokens, l);
    }
    return rc;
}

static int read_logs(curves *c)
{
    fig *f = c->f;
    int rc = fig_read(f, NULL);
    c->run = fig_new(f, RUNS_MAX, sizeof *c->run);
    c->name[TRAIN] = "training";
    c->name[HELD_OUT] = "held out";
    c->n = DOMAINS;
    for (size_t i = 0; !rc && !f->rc && i < f->lines;) {
        if (c->runs == RUNS_MAX) return lm_fail(LM_EUSAGE, "more than %d logs", RUNS_MAX);
        log_run *r = &c->run[c->runs++];
        r->file = f->line[i].file;
        r->name = run_name(f, r->file);
        for (r->first = i; i < f->lines && f->line[i].file == r->file; i++) r->lines++;
        rc = read_run(c, r);
    }
    if (!rc && !c->runs)
        rc = lm_fail(LM_EUSAGE, "%s: nothing to draw: the log is empty", f->o->files.v[0]);
    return rc ? rc : f->rc;
}

/* ---- smoothing --------------------------------------------------------------------------- */

void fig_smooth(const double *y, size_t n, double steps, double *out)
{
    double keep = steps > 1 ? exp(-1 / steps) : 0, sum = 0, weight = 0;
    for (size_t i = 0; i < n; i++) {
        sum = keep * sum + (1 - keep) * y[i];
        weight = keep * weight + (1 - keep);
        out[i] = sum / weight;
    }
}

size_t fig_thin(double *x, double *y, size_t n, size_t max)
{
    size_t bins = n < max ? n : max;
    for (size_t b = 0; b < bins; b++) {
        size_t from = b * n / bins, to = (b + 1) * n / bins;
        double sx = 0, sy = 0;
        for (size_t i = from; i < to; i++) sx += x[i], sy += y[i];
        x[b] = sx / (double)(to - from);
        y[b] = sy / (double)(to - from);
    }
    return bins;
}

static int smooth_runs(curves *c)
{
    for (size_t i = 0; i < c->runs; i++) {
        log_run *r = &c->run[i];
        curve *v = &r->v[TRAIN];
        r->steps = c->f->o->smooth > 0 ? c->f->o->smooth : ceil((double)v->n / 50);
        double *x = fig_new(c->f, v->n, sizeof *x);
        r->smooth = fig_new(c->f, v->n, sizeof *r->smooth);
        if (c->f->rc) return c->f->rc;
        if (!v->n) continue;
        fig_smooth(v->y, v->n, r->steps, r->smooth);
        memcpy(x, v->x, v->n * sizeof *x);
        fig_thin(x, r->smooth, v->n, POINTS_MAX);
        v->n = fig_thin(v->x, v->y, v->n, POINTS_MAX);
    }
    return LM_OK;
}

/* ---- drawing ---------------------------------------------------------------------------- */

/* One y axis for all panels, from the smoothed and held-out losses. */
static void find_range(const curves *c, double *low, double *high)
{
    *low = INFINITY, *high = -INFINITY;
    for (size_t i = 0; i < c->runs; i++)
        for (size_t k = 0; k < c->n; k++)
            for (size_t j = 0; j < c->run[i].v[k].n; j++) {
                double y = k == TRAIN ? c->run[i].smooth[j] : c->run[i].v[k].y[j];
                if (!isfinite(y)) continue;
                *low = fmin(*low, y);
                *high = fmax(*high, y);
            }
    if (!(*low <= *high)) *low = 0, *high = 1;
    double edge = fmax((*high - *low) * 0.04, 1e-3);
    *low -= edge;
    *high += edge;
}

static lm_plot_panel new_panel(const curves *c, const char *title, lm_plot_line *line)
{
    double low, high;
    find_range(c, &low, &high);
    return (lm_plot_panel){ .title = title,
                            .line = line,
                            .x = { "tokens", LM_PLOT_COUNT, .low = NAN, .high = NAN, .zero = true },
                            .y = { "loss", .low = low,
                                   .high = isnan(c->f->o->max) ? high : c->f->o->max } };
}

/* The lines of one curve of a run; the training loss is drawn twice, faint and smoothed. */
static size_t add_lines(const log_run *r, size_t which, const char *name, unsigned colour,
                        lm_plot_line *line)
{
    const curve *v = &r->v[which];
    size_t n = 0;
    if (!v->n) return 0;
    if (which == TRAIN)
        line[n++] =
            (lm_plot_line){ .n = v->n, .x = v->x, .y = v->y, .colour = colour, .faint = true };
    line[n++] = (lm_plot_line){ .name = name,
                                .n = v->n,
                                .x = v->x,
                                .y = which == TRAIN ? r->smooth : v->y,
                                .colour = colour,
                                .dots = which != TRAIN && v->n < 40,
                                .dashed = which == HELD_OUT };
    return n;
}

static int draw_runs(curves *c, lm_plot_panel *panel, lm_plot_chart *chart)
{
    for (size_t i = 0; i < c->runs; i++) {
        lm_plot_line *line = fig_new(c->f, c->n + 1, sizeof *line);
        if (!line) return c->f->rc;
        panel[i] = new_panel(c, c->runs > 1 ? c->run[i].name : NULL, line);
        for (size_t k = 0; k < c->n; k++)
            panel[i].lines +=
                add_lines(&c->run[i], k, c->name[k], k < DOMAINS ? 7 : (unsigned)(k - DOMAINS) % 7,
                          line + panel[i].lines);
    }
    chart->panels = c->runs;
    if (!c->f->o->title && c->runs == 1)
        chart->title = fig_text(c->f, "%s: %s", chart->title, c->run[0].name);
    return c->f->rc;
}

static int draw_overlaid(curves *c, lm_plot_panel *panel, lm_plot_chart *chart)
{
    for (size_t k = 0; k < c->n; k++) {
        lm_plot_line *line = fig_new(c->f, 2 * c->runs, sizeof *line);
        if (!line) return c->f->rc;
        lm_plot_panel *p = &panel[chart->panels];
        *p = new_panel(c, c->name[k], line);
        p->y.label = NULL; /* the title names it */
        for (size_t i = 0; i < c->runs; i++)
            p->lines += add_lines(&c->run[i], k, c->run[i].name, (unsigned)i, line + p->lines);
        for (size_t i = 0; i < p->lines; i++) line[i].dashed = line[i].colour >= 8;
        if (p->lines) chart->panels++;
    }
    chart->legend = true;
    return c->f->rc;
}

static int last_table(curves *c)
{
    size_t columns = c->n + 2;
    const char **head = fig_new(c->f, columns, sizeof *head);
    const char **cell = fig_new(c->f, c->runs * columns, sizeof *cell);
    if (c->f->rc) return c->f->rc;
    head[0] = "run";
    head[1] = "tokens";
    for (size_t k = 0; k < c->n; k++) head[k + 2] = c->name[k];
    for (size_t i = 0; i < c->runs; i++) {
        const log_run *r = &c->run[i];
        double tokens = 0;
        for (size_t k = 0; k < c->n; k++) {
            const curve *v = &r->v[k];
            if (!v->n) continue;
            tokens = fmax(tokens, v->x[v->n - 1]);
            cell[i * columns + k + 2] =
                fig_text(c->f, "%.4f", k == TRAIN ? r->smooth[v->n - 1] : v->y[v->n - 1]);
        }
        cell[i * columns] = r->name;
        cell[i * columns + 1] = fig_text(c->f, "%.0f", tokens);
    }
    lm_plot_table t = { .caption = "Losses at the end; training: smoothed.",
                        .head = head,
                        .cell = cell,
                        .rows = c->runs,
                        .columns = columns };
    return fig_table(c->f, &t);
}

int fig_loss(fig *f)
{
    curves c = { .f = f };
    lm_plot_chart chart = { .title = f->o->title ? f->o->title : "Loss" };
    int rc = read_logs(&c);
    if (!rc) rc = smooth_runs(&c);
    if (!rc && fig_wants_table(f)) return last_table(&c);
    lm_plot_panel *panel = fig_new(f, RUNS_MAX + CURVES_MAX, sizeof *panel);
    if (rc || !panel) return rc ? rc : f->rc;
    rc = f->o->overlay ? draw_overlaid(&c, panel, &chart) : draw_runs(&c, panel, &chart);
    chart.panel = panel;
    double min = INFINITY, max = 0;
    for (size_t i = 0; i < c.runs; i++) {
        if (!c.run[i].v[TRAIN].n) continue;
        min = fmin(min, c.run[i].steps);
        max = fmax(max, c.run[i].steps);
    }
    if (max > 1)
        chart.caption = fig_text(f,
                                 "Training loss: pale as logged, dark its running mean over %s%g "
                                 "steps.",
                                 min < max ? "up to " : "", max);
    chart.columns = chart.panels < 4 && !f->o->overlay ? (chart.panels < 2 ? 1 : 2)
                    : chart.panels < 5                 ? 2
                                                       : 3;
    return rc ? rc : lm_plot_lines(f->o->out, &chart);
}
