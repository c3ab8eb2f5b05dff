/* needle.c -- retrieval: heat maps over depth and length, and scores against training tokens. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"
#include "longmix/json.h"

/* ---- the score ------------------------------------------------------------------------- */

int fig_pick_score(fig *f, const char **score)
{
    const char *first = NULL;
    *score = f->o->score;
    for (size_t i = 0; i < f->lines && !*score; i++) {
        const char *s = fig_field(f, &f->line[i], "score");
        if (!s) continue;
        if (first && strcmp(first, s)) *score = "repo";
        if (!first) first = s;
    }
    if (!*score) *score = first;
    return *score ? fig_only(f, "score", *score) : f->rc;
}

/* The maximum of the score. */
static double score_max(const char *score) { return score && !strcmp(score, "rouge1") ? 10 : 1; }

static const char *score_text(const char *score)
{
    static const char *const known[][2] = {
        { "repo", "Score: the answer's words that are in the response, as the authors count." },
        { "dedup", "Score: the answer's different words that are in the response." },
        { "rouge1", "Score: 10 times ROUGE-1 F of response and needle." },
        { "exact", "Score: 1 where the response has the answer word for word, else 0." }
    };
    for (size_t i = 0; score && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i][0], score)) return known[i][1];
    return "Score: share of the trials that were right.";
}

/* "A perfect answer scores 0.917, a wrong sentence 0.333." from the lines' own fields. */
static int bounds_text(fig *f, const char **out)
{
    double ceiling = NAN, low = NAN;
    int rc = fig_number_or(&f->line[0], "ceiling", &ceiling);
    if (!rc) rc = fig_number_or(&f->line[0], "floor", &low);
    *out = "";
    if (!isnan(ceiling)) *out = fig_text(f, " A perfect answer scores %.3f.", ceiling);
    if (!isnan(low)) *out = fig_text(f, "%s A fluent wrong one scores %.3f.", *out, low);
    return rc;
}

/* ---- heat maps --------------------------------------------------------------------------- */

typedef struct grid {
    fig_cell *cell;
    size_t cells, lengths, depths, missing;
    double *length, *depth;
} grid;

/* The mark separates columns up to the training length from longer ones. */
static double trained_column(const grid *g, double trained)
{
    size_t k = 0;
    while (k < g->lengths && g->length[k] <= trained) k++;
    return trained > 0 && k > 0 && k < g->lengths ? (double)k : NAN;
}

static int make_map(fig *f, grid *g, size_t s, lm_plot_map *map)
{
    double *value = fig_new(f, g->lengths * g->depths, sizeof *value), sum = 0, trained;
    size_t n = 0;
    int rc = fig_number_or(f->series[s].first, "trained", &trained);
    if (rc || f->rc) return rc ? rc : f->rc;
    for (size_t i = 0; i < g->lengths * g->depths; i++) {
        const fig_cell *c =
            fig_find(g->cell, g->cells, s, g->length[i % g->lengths], g->depth[i / g->lengths]);
        value[i] = c ? c->mean : NAN;
        if (c) sum += c->mean, n++;
    }
    g->missing += g->lengths * g->depths - n;
    const char *mean = fig_text(f, "mean %.3f of %zu cells", sum / (double)n, n);
    double mark = trained_column(g, trained);
    *map = (lm_plot_map){
        .title = f->n_series > 1 ? fig_text(f, "%s: %s", f->series[s].label, mean) : mean,
        .value = value,
        .mark = mark,
        .mark_label = isnan(mark) ? NULL : fig_text(f, "trained at %s", fig_length(f, trained))
    };
    return f->rc;
}

static int grid_table(fig *f, const grid *g)
{
    size_t columns = g->lengths + 1, rows = f->n_series * g->depths;
    const char **head = fig_new(f, columns, sizeof *head);
    const char **cell = fig_new(f, rows * columns, sizeof *cell);
    const char **lengths = fig_lengths(f, g->length, g->lengths);
    if (f->rc) return f->rc;
    head[0] = "depth (%)";
    memcpy(head + 1, lengths, g->lengths * sizeof *lengths);
    for (size_t r = 0; r < rows; r++) {
        size_t s = r / g->depths;
        double depth = g->depth[r % g->depths];
        cell[r * columns] = f->n_series > 1 ? fig_text(f, "%s, %g", f->series[s].label, depth)
                                            : fig_text(f, "%g", depth);
        for (size_t k = 0; k < g->lengths; k++)
            cell[r * columns + k + 1] =
                fig_value_text(f, fig_find(g->cell, g->cells, s, g->length[k], depth), 3);
    }
    lm_plot_table t = { .head = head, .cell = cell, .rows = rows, .columns = columns };
    return fig_table(f, &t);
}

static int draw_grid(fig *f, grid *g, const char *title, bool row, const char *score)
{
    lm_plot_map map[FIG_SERIES_MAX];
    const char **lengths = fig_lengths(f, g->length, g->lengths);
    const char **depths = fig_new(f, g->depths, sizeof *depths);
    const char *bounds = "";
    int rc = f->rc ? f->rc : bounds_text(f, &bounds);
    for (size_t k = 0; !rc && k < g->depths; k++) depths[k] = fig_text(f, "%.4g", g->depth[k]);
    for (size_t s = 0; !rc && s < f->n_series; s++) rc = make_map(f, g, s, &map[s]);
    if (rc) return rc;
    size_t n = fig_runs(g->cell, g->cells);
    const char *runs = n > 1 ? fig_text(f, " Means of up to %zu runs.", n) : "";
    lm_plot_heat heat = { .title = fig_title(f, title),
                          .caption = fig_text(f, "%s%s%s%s", score_text(score), bounds, runs,
                                              g->missing ? " Hatched: not measured." : ""),
                          .x_label = "Token Limit",
                          .y_label = "Depth Percent",
                          .bar_label = "Score",
                          .column_name = lengths,
                          .row_name = depths,
                          .columns = g->lengths,
                          .rows = g->depths,
                          .low = 0,
                          .high = score_max(score),
                          .map = map,
                          .maps = f->n_series,
                          .across = row ? 3 : 1,
                          .grid = !row,
                          .slanted = !row };
    return f->rc ? f->rc : lm_plot_heat_maps(f->o->out, &heat);
}

/* Keys at random depths have no grid: a line per series, as in Figure 6 of An et al. */
static int draw_random_depth(fig *f, const char *title)
{
    fig_sample *s = NULL;
    fig_cell *c = NULL;
    size_t cells = 0, lines = 0, marks = 0;
    lm_plot_line line[FIG_SERIES_MAX];
    lm_plot_mark mark[4];
    int rc = fig_find_series(f, "length");
    if (!rc) rc = fig_sample_lines(f, "length", NULL, "value", &s);
    if (!rc) rc = fig_average(f, s, f->lines, &c, &cells);
    if (rc) return rc;
    const char *runs = fig_runs_text(f, c, cells, "Bars:");
    if (fig_wants_table(f)) return fig_series_table(f, c, cells, "right at", 3, fig_lengths, runs);

    rc = fig_series_lines(f, c, cells, line, &lines);
    if (!rc) rc = fig_trained(f, mark, &marks);
    bool zero = false; /* a length of 0 has no position on a logarithmic axis */
    for (size_t i = 0; i < cells; i++) zero = zero || c[i].a <= 0;
    lm_plot_panel panel = { .x = { "length", LM_PLOT_LENGTH, .log = !zero, .low = NAN,
                                   .high = NAN },
                            .y = { "share of trials that were right", .low = 0, .high = 1 },
                            .line = line,
                            .lines = lines,
                            .mark = mark,
                            .marks = marks };
    lm_plot_chart chart = {
        .title = fig_title(f, title), .caption = runs, .panel = &panel, .panels = 1, .columns = 1
    };
    if (!rc) rc = f->rc;
    return rc ? rc : lm_plot_lines(f->o->out, &chart);
}

static int heat(fig *f, const char *eval, const char *title, bool row)
{
    grid g = { 0 };
    fig_sample *s;
    const char *score = NULL;
    if (f->o->layout != FIG_OWN) row = f->o->layout == FIG_IN_A_ROW;
    int rc = fig_read(f, eval);
    if (!rc) rc = fig_pick_score(f, &score);
    bool has_depth = false;
    for (size_t i = 0; i < f->lines; i++)
        has_depth = has_depth || lm_json_get(f->line[i].json, "depth");
    if (!rc && !has_depth) return draw_random_depth(f, title);
    if (!rc) rc = fig_find_series(f, "length depth score");
    if (!rc) rc = fig_sample_lines(f, "length", "depth", "value", &s);
    if (!rc) rc = fig_average(f, s, f->lines, &g.cell, &g.cells);
    if (!rc) rc = fig_values(f, g.cell, g.cells, false, &g.length, &g.lengths);
    if (!rc) rc = fig_values(f, g.cell, g.cells, true, &g.depth, &g.depths);
    if (rc) return rc;
    if (fig_wants_table(f)) return grid_table(f, &g);
    return draw_grid(f, &g, title, row, score);
}

int fig_needle(fig *f) { return heat(f, "needle", "Needle in a haystack", false); }
int fig_passkey(fig *f) { return heat(f, "passkey", "Passkey retrieval", true); }

/* ---- against training tokens ---------------------------------------------------------- */

/* The training tokens of the line's model: --tokens, or the line's own field. */
static int tokens_of(fig *f, const fig_line *l, double *out)
{
    const char *model = fig_field(f, l, "model");
    size_t n = model ? strlen(model) : 0;
    for (size_t i = 0; model && i < f->o->tokens.n; i++) {
        const char *given = f->o->tokens.v[i];
        uint64_t tokens;
        if (strncmp(given, model, n) || given[n] != '=') continue;
        int rc = lm_parse_size(given + n + 1, &tokens);
        *out = (double)tokens;
        return rc;
    }
    int rc = fig_number_or(l, "trained_tokens", out);
    if (!rc && isnan(*out))
        rc = lm_fail(LM_EUSAGE,
                     "%s:%zu: the training tokens of %s are unknown; give --tokens "
                     "%s=COUNT",
                     l->file, l->number, model ? model : "the model", model ? model : "MODEL");
    return rc;
}

static int by_model(const void *pa, const void *pb)
{
    const fig_sample *x = pa, *y = pb;
    if (x->series != y->series) return x->series < y->series ? -1 : 1;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    return x->run < y->run ? -1 : x->run > y->run;
}

/* One sample per run of a model: the mean of its cells. All must have the same number of cells, or
 * the means would not be comparable. */
static int mean_of_cells(fig *f, fig_sample *s, size_t *n)
{
    size_t kept = 0, of_first = 0;
    qsort(s, *n, sizeof *s, by_model);
    for (size_t i = 0, to; i < *n; i = to) {
        fig_sample mean = s[i];
        mean.value = 0;
        for (to = i; to < *n && !by_model(&s[i], &s[to]); to++) mean.value += s[to].value;
        mean.value /= (double)(to - i);
        if (!of_first) of_first = to - i;
        if (to - i != of_first)
            return lm_fail(LM_EUSAGE,
                           "%s:%zu: %zu cells of this model and %zu of another; their "
                           "means are not comparable",
                           mean.line->file, mean.line->number, to - i, of_first);
        s[kept++] = mean;
    }
    *n = kept;
    fig_note(f, "each point is the mean of %zu cells", of_first);
    return LM_OK;
}

static const char **count_names(fig *f, const double *tokens, size_t n)
{
    static const struct {
        double one;
        const char *suffix;
    } unit[] = { { 1e9, "B" }, { 1e6, "M" }, { 1e3, "K" }, { 1, "" } };
    const char **name = fig_new(f, n, sizeof *name);
    for (size_t i = 0; name && i < n; i++) {
        size_t k = 0;
        while (k < 3 && tokens[i] < unit[k].one) k++;
        name[i] = fig_text(f, "%.4g%s", tokens[i] / unit[k].one, unit[k].suffix);
    }
    return name;
}

int fig_curve(fig *f)
{
    fig_sample *s = NULL;
    fig_cell *c = NULL;
    size_t n = 0, cells = 0, lines = 0;
    lm_plot_line line[FIG_SERIES_MAX];
    const char *score = NULL;
    f->by_run = true;
    int rc = fig_read(f, "needle passkey");
    if (!rc) rc = fig_pick_score(f, &score);
    if (!rc) rc = fig_find_series(f, "length depth score");
    if (!rc) rc = fig_sample_lines(f, "length", "depth", "value", &s);
    if (!rc) rc = fig_set_runs(f, s, f->lines);
    for (n = 0; !rc && n < f->lines; n++) {
        rc = tokens_of(f, s[n].line, &s[n].a);
        s[n].b = 0;
    }
    if (!rc) rc = mean_of_cells(f, s, &n);
    if (!rc) rc = fig_average(f, s, n, &c, &cells);
    for (size_t i = 0; i < cells; i++)
        if (c[i].runs < 2) c[i].bar = 0; /* the error of one cell is not that of the mean */
    if (rc) return rc;
    const char *runs = fig_runs_text(f, c, cells, "Bars:");
    if (fig_wants_table(f))
        return fig_series_table(f, c, cells, "score after", 3, count_names, runs);

    rc = fig_series_lines(f, c, cells, line, &lines);
    double first = c[0].a;
    for (size_t i = 0; i < cells; i++) first = fmin(first, c[i].a);
    lm_plot_panel panel = {
        /* Tokens usually double from point to point; an untrained model is at 0. */
        .x = { "tokens of training", LM_PLOT_COUNT, .log = first > 0, .low = NAN, .high = NAN },
        .y = { "mean score", .low = 0, .high = isnan(f->o->max) ? score_max(score) : f->o->max },
        .line = line,
        .lines = lines
    };
    lm_plot_chart chart = { .title = fig_title(f, "Retrieval against tokens of training"),
                            .caption =
                                fig_text(f, "%s%s%s", score_text(score), *runs ? " " : "", runs),
                            .panel = &panel,
                            .panels = 1,
                            .columns = 1 };
    if (!rc) rc = f->rc;
    return rc ? rc : lm_plot_lines(f->o->out, &chart);
}
