/* pattern.c -- a scanner where the steps are known, else PCRE2. */
#include "lib/tokenizer/pattern/internal.h"

#include <stdio.h>
#include <stdlib.h>

struct lm_pattern {
    const lm_rules *rules; /* NULL: the steps */
    lm_scanner *scan;
    lm_step_list *steps;
};

struct lm_cutter {
    const lm_pattern *pattern;
    lm_splitter *splitter;
};

int lm_pattern_new(lm_pattern **out, const lm_step *steps, size_t count, unsigned flags)
{
    lm_pattern *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p) return lm_fail_nomem(sizeof *p);
    if (!(flags & LM_PATTERN_PCRE2)) p->rules = lm_rules_find(steps, count);
    if (p->rules) {
        const bool simd = !(flags & LM_PATTERN_SCALAR) && lm_parts_have_avx2();
        p->scan = simd ? lm_parts_avx2 : lm_parts_scalar;
    } else {
        int rc = lm_step_list_new(&p->steps, steps, count);
        if (rc) return free(p), rc;
    }
    *out = p;
    return LM_OK;
}

int lm_pattern_from(lm_pattern **out, const lm_step *steps, size_t count, unsigned flags,
                    const char *path, const char *field)
{
    char message[400];
    int rc = lm_pattern_new(out, steps, count, flags);
    if (rc != LM_EDATA) return rc;
    snprintf(message, sizeof message, "%s", lm_err());
    return lm_fail(LM_EDATA, "%s: %s: %s", path, field, message);
}

void lm_pattern_free(lm_pattern *p)
{
    if (!p) return;
    lm_step_list_free(p->steps);
    free(p);
}

const char *lm_pattern_scanner(const lm_pattern *p) { return p->rules ? p->rules->name : NULL; }

bool lm_pattern_restarts(const lm_pattern *p)
{
    return p->rules || lm_step_list_restarts(p->steps);
}

int lm_cutter_new(lm_cutter **out, const lm_pattern *p)
{
    lm_cutter *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c) return lm_fail_nomem(sizeof *c);
    c->pattern = p;
    if (p->steps) {
        int rc = lm_splitter_new(&c->splitter, p->steps);
        if (rc) return free(c), rc;
    }
    *out = c;
    return LM_OK;
}

void lm_cutter_free(lm_cutter *c)
{
    if (!c) return;
    lm_splitter_free(c->splitter);
    free(c);
}

ptrdiff_t lm_pattern_cut(lm_cutter *c, const unsigned char *text, size_t n, size_t from,
                         uint32_t *ends, size_t max)
{
    const lm_pattern *p = c->pattern;
    if (p->rules) return p->scan(p->rules, text, n, from, ends, max);
    return lm_split(c->splitter, text, n, from, ends, max);
}
