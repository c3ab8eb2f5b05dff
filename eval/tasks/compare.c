/* compare -- what `domains` measured of several models over the same documents, as differences from
 * the first: Table 5 of Fu et al. 2024, with errors. A difference counts as significant from 0.01
 * on, as there; next to it is its standard error over documents. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/harness/harness.h"
#include "eval/metrics/bootstrap.h"

static struct {
    cli_list files;
    uint64_t bootstrap;
} opt = { .bootstrap = 1000 };

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &opt.files, "FILE...",
      "Results of domains: those to compare with, then those of the other models." },
    { CLI_SIZE, "bootstrap", 0, &opt.bootstrap, "N",
      "Bootstrap samples of documents for standard errors (1000)." },
    { .kind = CLI_END },
};

static const double significant = 0.01;

typedef struct comparison {
    eval_context *c;
    const char *base_path, *path;
    eval_results *base_results, *results;
    eval_sums base, sums;
    eval_loss *from, *to, *change; /* [columns] */
} comparison;

/* What must agree: that which says what was measured, not of which model. */
static const char *const same[] = { "data", "max_documents", "by",        "ranges",
                                    "at",   "at_width",      "tokenizer", NULL };

static int load(const char *path, eval_results **results, eval_sums *sums)
{
    int rc = eval_results_load(results, path, "domains");
    if (!rc && !eval_results_count(*results))
        return lm_fail(LM_EUSAGE, "%s: no results of domains in it", path);
    return rc ? rc : eval_sums_read(sums, *results);
}

static int check_same(const comparison *m)
{
    const lm_json *a = eval_results_at(m->base_results, 0), *b = eval_results_at(m->results, 0);
    lm_buf x = LM_BUF_INIT(1 << 20), y = LM_BUF_INIT(1 << 20);
    int rc = LM_OK;
    for (size_t i = 0; !rc && same[i]; i++) {
        const lm_json *p = lm_json_get(a, same[i]), *q = lm_json_get(b, same[i]);
        x.size = y.size = 0;
        if (p) rc = lm_json_dump(p, 0, &x);
        if (!rc && q) rc = lm_json_dump(q, 0, &y);
        if (!rc && (x.size != y.size || (x.size && memcmp(x.data, y.data, x.size))))
            rc = lm_fail(LM_EUSAGE, "%s and %s measured different things: \"%s\" is %.*s and %.*s",
                         m->base_path, m->path, same[i], (int)x.size, (char *)x.data, (int)y.size,
                         (char *)y.data);
    }
    lm_buf_free(&x);
    lm_buf_free(&y);
    return rc;
}

static lm_json *cell_json(const comparison *m, size_t domain, size_t column)
{
    lm_json *cell = lm_json_object();
    const lm_json *line = eval_results_at(m->results, 0);
    bool range = column < m->sums.ranges;
    lm_json_set_str(cell, "results", m->path);
    lm_json_set_copy(cell, "of", lm_json_get(line, "settings"));
    lm_json_set_str(cell, "domain", m->sums.domain[domain]);
    lm_json_set_str(cell, range ? "range" : "position", m->sums.column[column]);
    return cell;
}

static int add_change(comparison *m, size_t domain, size_t column)
{
    const eval_loss *change = &m->change[column];
    double v = round(change->loss * 1e12) / 1e12; /* so that 0.01 is not a matter of rounding */
    bool counts = fabs(v) >= significant;
    char error[EVAL_ERROR_TEXT];
    lm_json *more = lm_json_object();
    if (isfinite(change->error)) lm_json_set_f64(more, "error", change->error);
    lm_json_set_f64(more, "base_loss", m->from[column].loss);
    lm_json_set_f64(more, "loss", m->to[column].loss);
    lm_json_set_bool(more, "significant", counts);
    lm_json_set_u64(more, "tokens", change->tokens);
    lm_json_set_u64(more, "documents", change->documents);
    eval_note(m->c, "%-14s %s%-12s %.3f  %+.4f%s%s", m->sums.domain[domain],
              column < m->sums.ranges ? "   " : "at ", m->sums.column[column], m->from[column].loss,
              v, eval_error_text(error, change->error), counts ? " *" : "");
    return eval_add(m->c, cell_json(m, domain, column), v, more);
}

static int compare_domain(comparison *m, size_t domain)
{
    uint64_t seed = m->c->seed, times = opt.bootstrap;
    int rc = eval_sums_loss(&m->sums, &m->base, domain, seed, times, m->change);
    if (!rc) rc = eval_sums_loss(&m->base, NULL, domain, seed, 0, m->from);
    if (!rc) rc = eval_sums_loss(&m->sums, NULL, domain, seed, 0, m->to);
    for (size_t k = 0; !rc && k < m->sums.columns; k++)
        if (m->change[k].tokens) rc = add_change(m, domain, k);
    return rc;
}

static int compare_file(comparison *m, const char *path)
{
    m->path = path;
    int rc = load(path, &m->results, &m->sums);
    if (!rc) rc = check_same(m);
    if (!rc)
        eval_note(m->c, "%s: loss of %s, and the change from it, +- standard error; * from 0.01 on",
                  path, m->base_path);
    for (size_t d = 0; !rc && d <= m->sums.domains; d++) rc = compare_domain(m, d);
    eval_results_close(m->results);
    eval_sums_free(&m->sums);
    m->results = NULL;
    return rc;
}

static int begin(comparison *m)
{
    if (opt.files.n < 2)
        return lm_fail(LM_EUSAGE, "compare needs the results of two models or more");
    m->base_path = opt.files.v[0];
    int rc = load(m->base_path, &m->base_results, &m->base);
    if (rc) return rc;
    m->from = calloc(m->base.columns + 1, sizeof *m->from);
    m->to = calloc(m->base.columns + 1, sizeof *m->to);
    m->change = calloc(m->base.columns + 1, sizeof *m->change);
    if (!m->from || !m->to || !m->change) return lm_fail_nomem(m->base.columns * sizeof *m->from);
    lm_json *settings = lm_json_object();
    const lm_json *line = eval_results_at(m->base_results, 0);
    lm_json_set_str(settings, "base", m->base_path);
    lm_json_set_copy(settings, "of_base", lm_json_get(line, "settings"));
    lm_json_set_u64(settings, "bootstrap", opt.bootstrap);
    return eval_begin(m->c, 0, settings);
}

static int run(eval_context *c)
{
    comparison m = { .c = c };
    int rc = begin(&m);
    for (size_t i = 1; !rc && i < opt.files.n; i++) rc = compare_file(&m, opt.files.v[i]);
    eval_results_close(m.base_results);
    eval_sums_free(&m.base);
    free(m.from);
    free(m.to);
    free(m.change);
    return rc;
}

const eval_entry eval_compare = {
    .command = {
        .name = "compare",
        .summary = "results of domains, as differences from the first file",
        .about =
            "The losses that domains wrote for several models, as differences from those of the "
            "first file, with standard errors (Table 5 of Fu et al. 2024). Runs no model.",
        .opts = opts,
        .examples =
            "# what the other attention changed (a.jsonl and b.jsonl are results of domains)\n"
        "lmeval compare a.jsonl b.jsonl\n",
        .model = false,
    },
    .run = run,
};
