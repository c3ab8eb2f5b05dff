/* histogram.c -- Figure 2 of Fu et al. from the JSON of lmhist. */
#include <stdlib.h>
#include <string.h>

#include "figures/internal.h"
#include "longmix/json.h"

enum { INPUTS_MAX = 64, NAMES_MAX = 256 };

typedef struct inputs {
    fig *f;
    lm_json *root[INPUTS_MAX]; /* one per file */
    size_t roots;
    const lm_json *hist[INPUTS_MAX];
    const char *title[INPUTS_MAX];
    size_t n;
    const char *name[NAMES_MAX]; /* of domains, in order of appearance */
    size_t names;
} inputs;

static int name_domains(inputs *in, const lm_json *hist)
{
    const lm_json *domains;
    int rc = lm_json_need(&domains, hist, "domains");
    for (size_t i = 0; !rc && i < lm_json_size(domains); i++) {
        const char *name;
        size_t k = 0;
        rc = lm_json_str(&name, lm_json_at(domains, i), "name");
        while (!rc && k < in->names && strcmp(in->name[k], name)) k++;
        if (rc || k < in->names) continue;
        if (in->names == NAMES_MAX) return lm_fail(LM_EUSAGE, "more than %d domains", NAMES_MAX);
        in->name[in->names++] = name;
    }
    return rc;
}

static int add_input(inputs *in, const lm_json *hist, const char *title)
{
    const char *format;
    int rc = lm_json_str(&format, hist, "format");
    if (!rc && strcmp(format, "longmix histogram 1"))
        rc = lm_json_fail(hist, "\"%s\" is not a histogram of lmhist --json", format);
    if (!rc && in->n == INPUTS_MAX) rc = lm_fail(LM_EUSAGE, "more than %d histograms", INPUTS_MAX);
    if (rc) return rc;
    if (lm_json_get(hist, "input")) rc = lm_json_str(&title, hist, "input");
    const char *given = rc ? NULL : fig_named(&in->f->o->names, title);
    in->title[in->n] = given ? given : title;
    in->hist[in->n++] = hist;
    return rc ? rc : name_domains(in, hist);
}

static int load(inputs *in)
{
    int rc = LM_OK;
    for (size_t i = 0; !rc && i < in->f->o->files.n; i++) {
        const char *path = in->f->o->files.v[i];
        lm_json *root = NULL;
        if (in->roots == INPUTS_MAX) return lm_fail(LM_EUSAGE, "more than %d files", INPUTS_MAX);
        rc = lm_json_load(&root, path, (size_t)1 << 28);
        if (rc) break;
        in->root[in->roots++] = root;
        if (lm_json_type(root) != LM_JSON_ARRAY) rc = add_input(in, root, path);
        else
            for (size_t k = 0; !rc && k < lm_json_size(root); k++)
                rc = add_input(in, lm_json_at(root, k), path);
    }
    if (!rc && !in->n)
        rc = lm_fail(LM_EUSAGE, "%s: nothing to draw: no histogram in it", in->f->o->files.v[0]);
    return rc;
}

static int read_bucket(const lm_json *b, const char *unit, lm_hist_row *r)
{
    uint64_t upto, documents, tokens;
    int rc = lm_json_u64(&upto, b, "upto");
    if (!rc) rc = lm_json_u64(&documents, b, "documents");
    if (!rc) rc = lm_json_u64(&tokens, b, unit);
    if (rc) return rc;
    unsigned k = lm_bucket(upto);
    r->bucket_documents[k] += documents;
    r->bucket_tokens[k] += tokens;
    r->documents += documents;
    r->tokens += tokens;
    if (k < LM_LONG_BUCKET) return LM_OK;
    r->long_documents += documents;
    r->long_tokens += tokens;
    return LM_OK;
}

static void add_row(lm_hist_row *to, const lm_hist_row *from)
{
    to->documents += from->documents;
    to->tokens += from->tokens;
    to->long_documents += from->long_documents;
    to->long_tokens += from->long_tokens;
    for (unsigned b = 0; b < LM_BUCKETS; b++) {
        to->bucket_documents[b] += from->bucket_documents[b];
        to->bucket_tokens[b] += from->bucket_tokens[b];
    }
}

/* The rows by name, then the row of all. */
static int read_rows(const inputs *in, size_t i, const char *unit, lm_hist_row *row)
{
    const lm_json *domains = lm_json_get(in->hist[i], "domains"), *buckets;
    int rc = LM_OK;
    for (size_t d = 0; !rc && d < lm_json_size(domains); d++) {
        const lm_json *domain = lm_json_at(domains, d);
        const char *name;
        size_t k = 0;
        rc = lm_json_str(&name, domain, "name");
        while (!rc && strcmp(in->name[k], name)) k++;
        if (!rc) rc = lm_json_need(&buckets, domain, "buckets");
        for (size_t b = 0; !rc && b < lm_json_size(buckets); b++)
            rc = read_bucket(lm_json_at(buckets, b), unit, &row[k]);
    }
    for (size_t k = 0; k < in->names; k++) add_row(&row[in->names], &row[k]);
    return rc;
}

static double percent(uint64_t part, uint64_t all)
{
    return all ? 100 * (double)part / (double)all : 0;
}

static int write_table(const inputs *in, const lm_plot_hist_column *column)
{
    static const char *const head[] = { "input, domain", "documents", "tokens", "share %",
                                        "over 4,096 %" };
    enum { COLUMNS = sizeof head / sizeof *head };
    fig *f = in->f;
    size_t rows = in->n * (in->names + 1);
    const char **cell = fig_new(f, rows * COLUMNS, sizeof *cell);
    if (!cell) return f->rc;
    for (size_t r = 0; r < rows; r++) {
        const lm_plot_hist_column *c = &column[r / (in->names + 1)];
        size_t k = r % (in->names + 1);
        const lm_hist_row *row = &c->row[k], *all = &c->row[in->names];
        const char **to = cell + r * COLUMNS;
        to[0] = fig_text(f, "%s, %s", c->title, k < in->names ? in->name[k] : "all");
        to[1] = fig_text(f, "%llu", (unsigned long long)row->documents);
        to[2] = fig_text(f, "%llu", (unsigned long long)row->tokens);
        to[3] = fig_text(f, "%.2f", percent(row->tokens, all->tokens));
        to[4] = fig_text(f, "%.1f", percent(row->long_tokens, row->tokens));
    }
    lm_plot_table t = { .head = head, .cell = cell, .rows = rows, .columns = COLUMNS };
    return fig_table(f, &t);
}

int fig_histogram(fig *f)
{
    inputs in = { .f = f };
    lm_plot_hist_column column[INPUTS_MAX];
    int rc = load(&in);
    for (size_t i = 0; !rc && i < in.n; i++) {
        const char *unit;
        lm_hist_row *row = fig_new(f, in.names + 1, sizeof *row);
        rc = row ? lm_json_str(&unit, in.hist[i], "unit") : f->rc;
        if (!rc) rc = read_rows(&in, i, unit, row);
        if (!rc) column[i] = (lm_plot_hist_column){ in.title[i], unit, row };
    }
    if (!rc && fig_wants_table(f)) rc = write_table(&in, column);
    else if (!rc) rc = lm_plot_hist_rows(f->o->out, in.name, in.names, column, in.n);
    for (size_t i = 0; i < in.roots; i++) lm_json_free(in.root[i]);
    return rc;
}
