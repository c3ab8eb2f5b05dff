/* score_file.c -- predictions scored without a model: files that were made elsewhere. */
#include <stdlib.h>
#include <string.h>

#include "eval/harness/ask.h"
#include "eval/data/jsonl.h"
#include "eval/metrics/score.h"

static struct {
    cli_list files;
} opt;

static const cli_opt opts[] = {
    { CLI_ARGS, NULL, 0, &opt.files, "KIND FILE...",
      "KIND is needle, passkey, ruler, bookqa, narrative_qa, qasper, quality, qmsum, "
      "leval-coursera, "
      "leval-quality, leval-tpo or leval-sci_fi. A line of FILE has prediction and answers." },
    { .kind = CLI_END },
};

enum { METRICS = 4 };

/* One measure of a kind. */
typedef struct metric {
    const char *name;
    score_fn *fn;
    bool first; /* against the first answer alone, not the best of all */
} metric;

static int rouge(const char *response, const eval_texts *e, double out[METRICS]);
static int judge(const char *response, const eval_texts *e, double out[METRICS]);
static int ruler(const char *response, const eval_texts *e, double out[METRICS]);
static int passkey(const char *response, const eval_texts *e, double out[METRICS]);

static const struct kind {
    const char *name;
    metric metric[METRICS];
    int (*all)(const char *response, const eval_texts *e, double out[METRICS]); /* in place of fn */
} KINDS[] = {
    { "needle",
      { { "repo", score_needle_repo, true },
        { "dedup", score_needle_dedup, true },
        { "rouge1", score_rouge1, true },
        { "exact", score_exact, true } },
      NULL },
    { "passkey", { { "number", NULL, true } }, passkey },
    { "ruler", { { "ruler", NULL, false } }, ruler },
    { "bookqa", { { "recall", score_recall, true }, { "f1", score_f1, false } }, NULL },
    { "narrative_qa", { { "f1", score_f1, false } }, NULL },
    { "qasper", { { "f1", score_f1, false } }, NULL },
    { "quality", { { "exact_match", score_em, false } }, NULL },
    { "qmsum",
      { { "rouge1", NULL, false }, { "rouge2", NULL, false }, { "rougeL", NULL, false } },
      rouge },
    { "leval-coursera", { { "exact_match", score_leval_several, false } }, NULL },
    { "leval-quality", { { "exact_match", score_leval_single, false } }, NULL },
    { "leval-tpo", { { "exact_match", score_leval_single, false } }, NULL },
    { "leval-sci_fi",
      { { "exact_match", NULL, true }, { "loyalty", NULL, true }, { "fact", NULL, true } },
      judge },
};

typedef struct scoring {
    const struct kind *kind;
    double sum[METRICS];
    size_t n;
} scoring;

static int rouge(const char *response, const eval_texts *e, double out[METRICS])
{
    for (size_t i = 0; i < e->n; i++) {
        double f[3];
        int rc = score_rouge(f, response, e->v[i], false);
        if (rc) return rc;
        for (int k = 0; k < 3; k++)
            if (f[k] > out[k]) out[k] = f[k];
    }
    return LM_OK;
}

static int judge(const char *response, const eval_texts *e, double out[METRICS])
{
    int rc = score_leval_judge(out + 1, response, e->v[0]);
    out[0] = (out[1] + out[2]) / 2;
    return rc;
}

static int ruler(const char *response, const eval_texts *e, double out[METRICS])
{
    out[0] = score_ruler(response, e->v, e->n);
    return out[0] < 0 ? LM_ENOMEM : LM_OK;
}

static int passkey(const char *response, const eval_texts *e, double out[METRICS])
{
    uint64_t key;
    int rc = lm_parse_size(e->v[0], &key);
    if (!rc) out[0] = score_passkey_number(response, key);
    return rc;
}

/* The prediction of a line: "prediction", "pred", or what ends in "_pred" as L-Eval's files have
 * it. */
static int get_prediction(const lm_json *line, const char **out)
{
    const char *key, *found = NULL;
    const lm_json *value;
    for (size_t i = 0; !found && lm_json_member(line, i, &key, &value); i++) {
        size_t n = strlen(key);
        if (!strcmp(key, "prediction") || !strcmp(key, "pred") ||
            (n > 5 && !strcmp(key + n - 5, "_pred")))
            found = key;
    }
    return found ? lm_json_str(out, line, found) : lm_json_str(out, line, "prediction");
}

/* The answers: the names that the published files have, a string or an array of them. */
static int get_answers(const lm_json *line, eval_texts *out)
{
    static const char *const NAMES[] = { "answers",      "answer", "outputs",
                                         "ground_truth", "label",  "gt" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (lm_json_get(line, NAMES[i])) return eval_get_texts(out, line, NAMES[i], 1);
    return eval_get_texts(out, line, "answers", 1);
}

static int score_line(void *arg, const lm_json *line, size_t i)
{
    scoring *s = arg;
    const char *response;
    eval_texts e = { 0 };
    double v[METRICS] = { 0 };
    int rc = get_prediction(line, &response);
    if (!rc) rc = get_answers(line, &e);
    if (!rc && s->kind->all) {
        rc = s->kind->all(response, &e, v);
        if (rc == LM_EUSAGE) rc = lm_json_fail(line, "the answer \"%.20s\" is no key", e.v[0]);
    } else if (!rc) {
        for (int k = 0; !rc && k < METRICS && s->kind->metric[k].name; k++) {
            const metric *m = &s->kind->metric[k];
            v[k] = score_best(m->fn, response, e.v, m->first ? 1 : e.n);
            rc = v[k] < 0 ? LM_ENOMEM : LM_OK;
        }
    }
    for (int k = 0; k < METRICS; k++) s->sum[k] += v[k];
    s->n = i + 1;
    free(e.v);
    return rc;
}

static int add_line(eval_context *c, const scoring *s, uint64_t hash, const char *name,
                    double value)
{
    lm_json *cell = lm_json_object();
    lm_json_set_str(cell, "kind", s->kind->name);
    lm_json_set_hex64(cell, "predictions", hash);
    lm_json_set_str(cell, "metric", name);
    return ask_mean_line(c, cell, value, s->n);
}

static int score_one(eval_context *c, const struct kind *kind, const char *path)
{
    scoring s = { .kind = kind };
    uint64_t hash;
    double mean[METRICS];
    int rc = eval_jsonl(path, &hash, score_line, &s);
    if (!rc && !s.n) rc = lm_fail(LM_EDATA, "%s: no prediction in it", path);
    for (int k = 0; !rc && k < METRICS && kind->metric[k].name; k++) {
        mean[k] = s.sum[k] / (double)s.n;
        /* the authors' ROUGE runs to 10 */
        double part = kind->metric[k].fn == score_rouge1 ? mean[k] / 10 : mean[k];
        rc = add_line(c, &s, hash, kind->metric[k].name, part);
    }
    if (!rc && kind->all == rouge)
        rc = add_line(c, &s, hash, "geometric_mean", score_rouge_mean(mean));
    return rc;
}

static int run(eval_context *c)
{
    const cli_list *p = &opt.files;
    const struct kind *kind = NULL;
    for (size_t i = 0; p->n && i < sizeof KINDS / sizeof *KINDS; i++)
        if (!strcmp(KINDS[i].name, p->v[0])) kind = &KINDS[i];
    if (!kind)
        return lm_fail(LM_EUSAGE,
                       "%s%sscore needs a kind of prediction: needle, passkey, ruler, bookqa, "
                       "narrative_qa, qasper, quality, qmsum, leval-coursera, leval-quality, "
                       "leval-tpo, leval-sci_fi",
                       p->n ? p->v[0] : "", p->n ? ": " : "");
    if (p->n < 2)
        return lm_fail(LM_EUSAGE, "score %s: which file? (JSON lines with prediction and answers)",
                       kind->name);
    int rc = eval_begin(c, 0, lm_json_object());
    for (size_t i = 1; !rc && i < p->n; i++) rc = score_one(c, kind, p->v[i]);
    return rc;
}

const eval_entry eval_score = {
    .command = {
        .name = "score",
        .summary = "predictions made elsewhere, scored by the measures of all these",
        .about =
            "Scores predictions from files, by the measures of the other evaluations. Runs no "
            "model.",
        .opts = opts,
        .examples = "# predictions made elsewhere\n"
        "echo '{\"prediction\": \"John Smith.\", \"answers\": [\"John Smith\"]}' | lmeval score "
        "bookqa -\n",
        .model = false,
    },
    .run = run,
};
