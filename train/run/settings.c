/* settings.c -- the options that change bits of the result: recorded in run.json, compared when a
 * run resumes. Those that decide which tokens are in a step, and the model, are compared in resume.c
 * and can never change. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "train/run/internal.h"

enum { SLICE_STEP = 2048, TEXT_MAX = 400 };

/* What --override may name. */
static const char *const options[] = {
    "tokens", "lr",   "schedule", "warmup",      "min-lr", "weight-decay", "beta1", "beta2",
    "eps",    "clip", "dtype",    "micro-batch", "slice",  "backend",      "blas",  "ranks",
};
enum { OPTIONS = sizeof options / sizeof *options };

static bool is_in(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == n && !memcmp(at, name, n)) return true;
    return false;
}

int tr_settings_check(const tr_run *r)
{
    char all[TEXT_MAX] = "";
    for (size_t i = 0, used = 0; i < OPTIONS && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", options[i]);
    for (const char *at = r->o.override; at && *at; at += strcspn(at, ","), at += *at == ',') {
        size_t n = strcspn(at, ","), i = 0;
        while (i < OPTIONS && (strlen(options[i]) != n || memcmp(options[i], at, n))) i++;
        if (i == OPTIONS)
            return lm_fail(LM_EUSAGE, "--override %.*s: not an option that may change in a run: %s",
                           (int)n, at, all);
    }
    return LM_OK;
}

int tr_settings_make(tr_run *r)
{
    static const char *const schedules[] = { "constant", "linear", "cosine" };
    const tr_optimizer *a = &r->o.optimizer;
    lm_json *o = r->settings = lm_json_object();
    lm_json_set_u64(o, "tokens", (uint64_t)a->total);
    lm_json_set_f64(o, "lr", a->lr);
    lm_json_set_str(o, "schedule", schedules[a->schedule]);
    lm_json_set_u64(o, "warmup", (uint64_t)a->warmup);
    lm_json_set_f64(o, "min-lr", a->min_lr);
    lm_json_set_f64(o, "weight-decay", a->decay);
    lm_json_set_f64(o, "beta1", a->beta1);
    lm_json_set_f64(o, "beta2", a->beta2);
    lm_json_set_f64(o, "eps", a->eps);
    lm_json_set_f64(o, "clip", a->clip);
    lm_json_set_str(o, "dtype",
                    r->o.dtype < 0 ? "as-read" : st_dtype_name((enum st_dtype)r->o.dtype));
    /* Whole blocks of tokens are computed in the same way in any micro-batch, and in any slice but
     * on a GPU that of a multiple of 2048 tokens. */
    bool whole = r->l.length % BK_BLOCK == 0, slices = r->b->block == BK_BLOCK;
    if (whole) lm_json_set_null(o, "micro-batch");
    else lm_json_set_u64(o, "micro-batch", r->pass.micro);
    if (slices || r->l.slice % SLICE_STEP == 0) lm_json_set_null(o, "slice");
    else lm_json_set_u64(o, "slice", r->l.slice);
    lm_json_set_str(o, "backend", r->b->name);
    lm_json_set_str(o, "blas", r->b->kernels ? r->b->kernels : "");
    lm_json_set_u64(o, "ranks", (uint64_t)r->ranks->size);
    r->overrides = lm_json_array();
    return o && r->overrides ? LM_OK : lm_fail_nomem(64);
}

/* A value as a user would write it: 0.0005, cosine. */
static int text_of(const lm_json *v, char text[80])
{
    lm_buf b = LM_BUF_INIT(4096);
    int rc = v ? lm_json_dump(v, 0, &b) : lm_buf_add(&b, "?", 1);
    size_t quotes = !rc && b.size > 1 && b.data[0] == '"';
    if (!rc) snprintf(text, 80, "%.*s", (int)(b.size - 2 * quotes), (char *)b.data + quotes);
    lm_buf_free(&b);
    return rc;
}

static void remember(tr_run *r, const char *name, const lm_json *then, const lm_json *now)
{
    lm_json *o = lm_json_object();
    lm_json_set_u64(o, "step", r->state.step);
    lm_json_set_str(o, "option", name);
    lm_json_set_copy(o, "from", then);
    lm_json_set_copy(o, "to", now);
    lm_json_set(r->overrides, NULL, o);
}

/* The learning rate of no step depends on --tokens. */
static bool is_longer(const tr_run *r, const char *name, const lm_json *then)
{
    const char *was = NULL;
    return !strcmp(name, "tokens") && r->o.optimizer.schedule == TR_CONSTANT &&
           !lm_json_str(&was, then, "schedule") && !strcmp(was, "constant");
}

/* "--lr", "blas": the last two are no options of the command line. */
static const char *dashes(size_t i) { return i + 2 < OPTIONS ? "--" : ""; }

/* The values of option i as text: 1 where they differ; 0; or an error. */
static int differs(const tr_run *r, const lm_json *then, size_t i, char was[80], char is[80])
{
    int rc = text_of(lm_json_get(then, options[i]), was);
    if (!rc) rc = text_of(lm_json_get(r->settings, options[i]), is);
    return rc ? rc : strcmp(was, is) != 0;
}

/* LM_EUSAGE with all that differs and is not allowed to. */
static int refuse(const tr_run *r, const lm_json *then, const char *path)
{
    char was[80], is[80], list[TEXT_MAX] = "", names[TEXT_MAX] = "";
    size_t used = 0, named = 0;
    for (size_t i = 0; i < OPTIONS; i++) {
        int rc = differs(r, then, i, was, is);
        if (rc < 0) return rc;
        if (!rc || is_longer(r, options[i], then) || is_in(r->o.override, options[i])) continue;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s%s %s (now %s)",
                                     used ? ", " : "", dashes(i), options[i], was, is);
        if (named < sizeof names)
            named += (size_t)snprintf(names + named, sizeof names - named, "%s%s", named ? "," : "",
                                      options[i]);
    }
    if (!used) return LM_OK;
    return lm_fail(LM_EUSAGE,
                   "%s was made with %s: the result would be another; use the same, or allow it "
                   "with --override %s",
                   path, list, names);
}

int tr_settings_compare(tr_run *r, const lm_json *then, const char *path)
{
    char was[80], is[80];
    if (!then) {
        tr_warn(r,
                "%s was made by version 0.1.0, which did not record the learning rate and other "
                "options: they are not compared",
                path);
        return LM_OK;
    }
    int rc = refuse(r, then, path);
    for (size_t i = 0; rc >= 0 && i < OPTIONS; i++) {
        rc = differs(r, then, i, was, is);
        if (rc <= 0) continue;
        tr_note(r, "from step %" PRIu64 " on: %s%s %s instead of %s", r->state.step + 1, dashes(i),
                options[i], is, was);
        remember(r, options[i], lm_json_get(then, options[i]),
                 lm_json_get(r->settings, options[i]));
    }
    return rc < 0 ? rc : LM_OK;
}
