/* series.c -- grouping lines into series, labels, averaging runs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"
#include "lib/base/hash.h"

/* ---- names ------------------------------------------------------------------------------- */

const char *fig_named(const fig_words *list, const char *model)
{
    size_t n = strlen(model);
    for (size_t i = 0; i < list->n; i++)
        if (!strncmp(list->v[i], model, n) && list->v[i][n] == '=') return list->v[i] + n + 1;
    return NULL;
}

/* The last part of a path; for a checkpoint, with its run. */
const char *fig_short_name(fig *f, const char *path)
{
    size_t n = strlen(path), from;
    while (n > 1 && path[n - 1] == '/') n--;
    if (n > 6 && !strncmp(path + n - 6, ".jsonl", 6)) n -= 6;
    for (from = n; from > 0 && path[from - 1] != '/'; from--) {}
    if (!strncmp(path + from, "checkpoint-", 11) && from > 1)
        for (from--; from > 0 && path[from - 1] != '/'; from--) {}
    return fig_text(f, "%.*s", (int)(n - from), path + from);
}

/* The model; for `compare`, the file of results. */
static const char *subject_of(fig *f, const fig_line *l)
{
    const char *model = fig_field(f, l, "model");
    return model ? model : fig_field(f, l, "results");
}

/* The run's directory if the checkpoints of a run are one series, else the model. */
static const char *run_of(fig *f, const char *model)
{
    const char *checkpoint = f->by_run ? strstr(model, "/checkpoint-") : NULL;
    return checkpoint ? fig_text(f, "%.*s", (int)(checkpoint - model), model) : model;
}

/* The --name of the model, or of the run it is a checkpoint of; NULL: none. */
static const char *given_name(fig *f, const char *model)
{
    const char *name = model ? fig_named(&f->o->names, model) : NULL;
    return name || !model ? name : fig_named(&f->o->names, run_of(f, model));
}

static const char *model_of(fig *f, const fig_line *l)
{
    const char *model = subject_of(f, l), *name = given_name(f, model);
    return name ? name : model ? run_of(f, model) : "";
}

static const char *scaling_text(fig *f, const char *s)
{
    static const char *const known[][2] = {
        { "linear:", "PI" }, { "ntk:", "NTK" }, { "dynamic:", "dynamic NTK" }, { "yarn:", "YaRN" }
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i][0]);
        if (!strncmp(s, known[i][0], n)) return fig_text(f, "%s ×%s", known[i][1], s + n);
    }
    return s;
}

/* "RoPE", "PI ×4", "DCA (intra) + NTK ×2": attention and scaling as in the papers. */
static const char *method_of(fig *f, const fig_line *l)
{
    const char *attention = fig_field(f, l, "attention"), *scaling = fig_field(f, l, "scaling");
    const char *parts = fig_field(f, l, "dca_parts");
    double mscale;
    if (!attention) return "";
    bool plain = !strcmp(attention, "rope");
    bool scaled = scaling && *scaling && strcmp(scaling, "none");
    const char *name = attention;
    if (plain) name = scaled ? scaling_text(f, scaling) : "RoPE";
    else if (!strncmp(attention, "dca", 3))
        name = attention[3] == ':' ? fig_text(f, "DCA %s", attention + 4) : "DCA";
    if (!plain && parts && strcmp(parts, "all")) name = fig_text(f, "%s (%s)", name, parts);
    if (!plain && scaled) name = fig_text(f, "%s + %s", name, scaling_text(f, scaling));
    if (!fig_number_or(l, "mscale", &mscale) && mscale > 0)
        name = fig_text(f, "%s, mscale %g", name, mscale);
    return name;
}

static const char *extra_of(fig *f, const fig_line *l)
{
    const char *all = "";
    for (size_t i = 0; i < f->o->by.n; i++) {
        const char *v = fig_field(f, l, f->o->by.v[i]);
        all = fig_text(f, "%s%s%s %s", all, *all ? ", " : "", f->o->by.v[i], v ? v : "-");
    }
    return all;
}

enum { MODEL, METHOD, BASE, EXTRA, PARTS };

typedef struct identity {
    const char *part[PARTS];
} identity;

static identity identify(fig *f, const fig_line *l)
{
    const char *base = fig_field(f, l, "rope_base");
    return (identity){ { model_of(f, l), method_of(f, l), base ? base : "", extra_of(f, l) } };
}

static bool same(const identity *a, const identity *b)
{
    for (int p = 0; p < PARTS; p++)
        if (strcmp(a->part[p], b->part[p])) return false;
    return true;
}

/* Short names of models, unless two would be equal. */
static void shorten(fig *f, identity *id, size_t n)
{
    const char **brief = fig_new(f, n, sizeof *brief);
    if (!brief) return;
    for (size_t i = 0; i < n; i++) brief[i] = fig_short_name(f, id[i].part[MODEL]);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(brief[i], brief[k]) && strcmp(id[i].part[MODEL], id[k].part[MODEL])) return;
    for (size_t i = 0; i < n; i++) id[i].part[MODEL] = brief[i];
}

/* Parts that all series share go into `common`, the others into the labels. */
static void label(fig *f, const identity *id)
{
    bool differs[PARTS] = { false };
    f->common = "";
    for (size_t i = 1; i < f->n_series; i++)
        for (int p = 0; p < PARTS; p++)
            if (strcmp(id[i].part[p], id[0].part[p])) differs[p] = true;
    if (differs[MODEL]) differs[BASE] = false;
    for (int p = 0; p < PARTS; p++)
        if (!differs[p] && p != BASE && *id[0].part[p])
            f->common = fig_text(f, "%s%s%s", f->common, *f->common ? ", " : "", id[0].part[p]);
    for (size_t i = 0; i < f->n_series; i++) {
        const char *text = "";
        for (int p = 0; p < PARTS; p++)
            if (differs[p] && *id[i].part[p])
                text = fig_text(f, "%s%s%s%s", text, *text ? ", " : "", p == BASE ? "base " : "",
                                id[i].part[p]);
        f->series[i].label = *text ? text : f->common;
        f->series[i].model = id[i].part[MODEL];
        f->series[i].method = id[i].part[METHOD];
    }
}

/* ---- settings ---------------------------------------------------------------------------- */

static bool in_words(const fig_words *w, const char *s)
{
    for (size_t i = 0; i < w->n; i++)
        if (!strcmp(w->v[i], s)) return true;
    return false;
}

/* Whether lines of one figure may differ in this field. */
static bool free_field(const fig *f, const char *key, const char *cell)
{
    static const char *const of_series[] = { "model",     "attention", "dca_parts",     "scaling",
                                             "rope_base", "mscale",    "trained",       "backend",
                                             "weights",   "seed",      "trained_tokens" };
    for (size_t i = 0; i < sizeof of_series / sizeof *of_series; i++)
        if (!strcmp(of_series[i], key)) return true;
    for (const char *p = cell; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        if (strlen(key) == n && !strncmp(p, key, n)) return true;
        p += n;
    }
    return in_words(&f->o->by, key) || in_words(&f->o->over, key);
}

/* Require that every field of `a` before "value" is free or the same in `b`. */
static int check_fields(fig *f, const fig_line *a, const fig_line *b, const char *cell)
{
    const char *key;
    const lm_json *ignored;
    for (size_t i = 0; lm_json_member(a->json, i, &key, &ignored) && strcmp(key, "value"); i++) {
        if (free_field(f, key, cell)) continue;
        const char *x = fig_field(f, a, key), *y = fig_field(f, b, key);
        if (f->rc) return f->rc;
        if (y && !strcmp(x, y)) continue;
        return lm_fail(
            LM_EUSAGE,
            "%s:%zu and %s:%zu do not belong in one figure: \"%s\" is %.100s and "
            "%.100s; --where %s=... selects one, --by %s draws both, --over %s their mean",
            a->file, a->number, b->file, b->number, key, x, y ? y : "absent", key, key, key);
    }
    return LM_OK;
}

int fig_find_series(fig *f, const char *cell)
{
    identity *id = fig_new(f, FIG_SERIES_MAX, sizeof *id);
    f->series = fig_new(f, FIG_SERIES_MAX, sizeof *f->series);
    int rc = f->rc;
    for (size_t i = 0; !rc && i < f->lines; i++) {
        fig_line *l = &f->line[i];
        identity mine = identify(f, l);
        for (l->series = 0; l->series < f->n_series; l->series++)
            if (same(&mine, &id[l->series])) break;
        if (i) rc = check_fields(f, &f->line[0], l, cell);
        if (!rc && i) rc = check_fields(f, l, &f->line[0], cell);
        if (rc || l->series < f->n_series) continue;
        if (f->n_series == FIG_SERIES_MAX)
            return lm_fail(LM_EUSAGE,
                           "%s:%zu: a figure has at most %d series; --where FIELD=VALUE "
                           "excludes some",
                           l->file, l->number, FIG_SERIES_MAX);
        id[f->n_series] = mine;
        f->series[f->n_series++] = (fig_series){ .first = l };
    }
    if (rc) return rc;
    shorten(f, id, f->n_series);
    label(f, id);
    return f->rc;
}

/* ---- runs -------------------------------------------------------------------------------- */

static int by_cell(const void *pa, const void *pb)
{
    const fig_sample *x = pa, *y = pb;
    if (x->series != y->series) return x->series < y->series ? -1 : 1;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    if (x->b != y->b) return x->b < y->b ? -1 : 1;
    if (x->run != y->run) return x->run < y->run ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    if (x->line->file != y->line->file) return strcmp(x->line->file, y->line->file);
    return x->line->number < y->line->number ? -1 : x->line->number > y->line->number;
}

static bool same_cell(const fig_sample *x, const fig_sample *y)
{
    return x->series == y->series && x->a == y->a && x->b == y->b;
}

static bool same_run(const fig_sample *x, const fig_sample *y)
{
    return same_cell(x, y) && x->run == y->run;
}

int fig_set_runs(fig *f, fig_sample *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *seed = fig_field(f, s[i].line, "seed");
        const char *weights = fig_field(f, s[i].line, "weights");
        const char *model = subject_of(f, s[i].line);
        bool shared = given_name(f, model) != NULL;
        const char *text = fig_text(f, "%s %s %s", seed ? seed : "",
                                    weights && shared ? weights : "", shared ? model : "");
        s[i].run = lm_hash64(text, strlen(text));
        text = "";
        for (size_t k = 0; k < f->o->over.n; k++) {
            const char *v = fig_field(f, s[i].line, f->o->over.v[k]);
            text = fig_text(f, "%s%s\n", text, v ? v : "");
        }
        s[i].part = lm_hash64(text, strlen(text));
    }
    return f->rc;
}

static int no_repeats(fig *f, fig_sample *s, size_t *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        fig_sample *last = kept ? &s[kept - 1] : NULL;
        if (!last || !same_run(last, &s[i]) || last->part != s[i].part) {
            s[kept++] = s[i];
            continue;
        }
        const char *was = fig_field(f, last->line, "weights");
        const char *is = fig_field(f, s[i].line, "weights");
        if (last->value == s[i].value && (!was || !is || !strcmp(was, is))) continue;
        return lm_fail(LM_EUSAGE, "%s:%zu and %s:%zu are the same measurement but differ%s",
                       last->line->file, last->line->number, s[i].line->file, s[i].line->number,
                       was && is && strcmp(was, is) ? ", with other weights" : "");
    }
    *n = kept;
    return LM_OK;
}

static double deviation(const fig_sample *s, size_t n, double mean)
{
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (s[i].value - mean) * (s[i].value - mean);
    return n > 1 ? sqrt(square / (double)(n - 1)) : 0;
}

static double mean_of(const fig_sample *s, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += s[i].value;
    return sum / (double)n;
}

/* One sample per run: the mean of its parts with the standard error, or the line's own error. */
static int join_parts(fig_sample *s, size_t *n)
{
    size_t kept = 0, all = *n;
    int rc = LM_OK;
    for (size_t i = 0, to; !rc && i < all; i = to) {
        for (to = i; to < all && same_run(&s[i], &s[to]); to++) {}
        fig_sample mean = s[i];
        mean.value = mean_of(s + i, to - i);
        mean.error = deviation(s + i, to - i, mean.value) / sqrt((double)(to - i));
        if (to - i == 1) rc = fig_number_or(mean.line, "error", &mean.error);
        s[kept++] = mean;
    }
    *n = kept;
    return rc;
}

int fig_average(fig *f, fig_sample *s, size_t n, fig_cell **out, size_t *cells)
{
    int rc = fig_set_runs(f, s, n);
    if (rc) return rc;
    qsort(s, n, sizeof *s, by_cell);
    rc = no_repeats(f, s, &n);
    if (!rc) rc = join_parts(s, &n);
    fig_cell *c = *out = fig_new(f, n, sizeof *c);
    *cells = 0;
    if (rc || !c) return rc ? rc : f->rc;
    for (size_t i = 0, to; i < n; i = to) {
        for (to = i; to < n && same_cell(&s[i], &s[to]); to++) {}
        double mean = mean_of(s + i, to - i);
        double sd = to - i > 1 ? deviation(s + i, to - i, mean) : s[i].error;
        c[(*cells)++] =
            (fig_cell){ s[i].series, to - i, s[i].a, s[i].b, mean, isfinite(sd) ? sd : 0 };
    }
    return LM_OK;
}

int fig_sample_lines(fig *f, const char *a, const char *b, const char *value, fig_sample **out)
{
    fig_sample *s = *out = fig_new(f, f->lines, sizeof *s);
    if (!s) return f->rc;
    for (size_t i = 0; i < f->lines; i++) {
        s[i].line = &f->line[i];
        s[i].series = f->line[i].series;
        int rc = fig_number(s[i].line, a, &s[i].a);
        if (!rc && b) rc = fig_number(s[i].line, b, &s[i].b);
        if (!rc) rc = fig_number(s[i].line, value, &s[i].value);
        if (rc) return rc;
    }
    return LM_OK;
}

const fig_cell *fig_find(const fig_cell *c, size_t n, size_t series, double a, double b)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const fig_cell *m = &c[mid];
        bool before = m->series != series ? m->series < series : m->a != a ? m->a < a : m->b < b;
        if (before) low = mid + 1;
        else high = mid;
    }
    return low < n && c[low].series == series && c[low].a == a && c[low].b == b ? &c[low] : NULL;
}

size_t fig_runs(const fig_cell *c, size_t n)
{
    size_t max = 0;
    for (size_t i = 0; i < n; i++)
        if (c[i].runs > max) max = c[i].runs;
    return max;
}

static int ascending(const void *pa, const void *pb)
{
    double x = *(const double *)pa, y = *(const double *)pb;
    return x < y ? -1 : x > y;
}

int fig_values(fig *f, const fig_cell *c, size_t n, bool of_b, double **out, size_t *count)
{
    double *v = *out = fig_new(f, n, sizeof *v);
    *count = 0;
    if (!v) return f->rc;
    for (size_t i = 0; i < n; i++) v[i] = of_b ? c[i].b : c[i].a;
    qsort(v, n, sizeof *v, ascending);
    for (size_t i = 0; i < n; i++)
        if (!*count || v[i] != v[*count - 1]) v[(*count)++] = v[i];
    return LM_OK;
}

/* ---- text ------------------------------------------------------------------------------- */

const char *fig_value_text(fig *f, const fig_cell *c, int digits)
{
    if (!c) return "";
    if (isinf(c->mean)) return "inf";
    return c->bar > 0 ? fig_text(f, "%.*f ± %.*f", digits, c->mean, digits, c->bar)
                      : fig_text(f, "%.*f", digits, c->mean);
}

const char *fig_runs_text(fig *f, const fig_cell *c, size_t n, const char *sign)
{
    size_t max = fig_runs(c, n), min = max;
    bool bars = false;
    for (size_t i = 0; i < n; i++) {
        if (c[i].runs < min) min = c[i].runs;
        bars = bars || c[i].bar > 0;
    }
    const char *is = fig_wants_table(f) ? "±" : sign;
    if (max < 2) return bars ? fig_text(f, "%s one standard error of the measurement.", is) : "";
    if (min == max)
        return fig_text(f, "Means of %zu runs. %s one standard deviation between runs.", max, is);
    return fig_text(f,
                    "Means of %zu to %zu runs. %s one standard deviation between runs, of a "
                    "single run one standard error of the measurement.",
                    min, max, is);
}

const char *fig_title(fig *f, const char *title)
{
    if (f->o->title) return f->o->title;
    return *f->common ? fig_text(f, "%s: %s", title, f->common) : title;
}

const char **fig_lengths(fig *f, const double *length, size_t n)
{
    const char **name = fig_new(f, n, sizeof *name);
    bool round = true;
    if (!name) return NULL;
    for (size_t i = 0; i < n; i++)
        round = round && (length[i] < 1024 || fmod(length[i], 1024) == 0);
    for (size_t i = 0; i < n; i++)
        name[i] = round ? fig_length(f, length[i]) : fig_text(f, "%.0f", length[i]);
    return name;
}

const char *fig_length(fig *f, double length)
{
    uint64_t n = length > 0 && length < 1e15 ? (uint64_t)length : 0;
    if (n >= 1048576 && n % 1048576 == 0) return fig_text(f, "%" PRIu64 "M", n / 1048576);
    if (n >= 1024 && n % 1024 == 0) return fig_text(f, "%" PRIu64 "K", n / 1024);
    return fig_text(f, "%g", length);
}

int fig_trained(fig *f, lm_plot_mark *mark, size_t *n)
{
    size_t before = *n;
    for (size_t i = 0; i < f->n_series; i++) {
        double trained;
        int rc = fig_number_or(f->series[i].first, "trained", &trained);
        if (rc) return rc;
        bool known = !(trained > 0);
        for (size_t k = before; k < *n; k++) known = known || mark[k].at == trained;
        if (!known && *n - before < 4)
            mark[(*n)++] =
                (lm_plot_mark){ .at = trained,
                                .label = fig_text(f, "trained at %s", fig_length(f, trained)) };
    }
    return f->rc;
}
