/* Loss on held-out shards, by domain. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "longmix/threads.h"
#include "train/run_internal.h"

static lm_json *result_json(const tr_run *r, const tr_sums *s, double all, uint64_t count)
{
    lm_json *line = lm_json_object(), *domains = lm_json_object();
    lm_json_set_u64(line, "step", r->place.step);
    lm_json_set_u64(line, "tokens", r->place.tokens);
    lm_json_set_f64(line, "eval_loss", all / (double)count);
    lm_json_set_u64(line, "eval_tokens", count);
    for (size_t i = 0; i < tr_data_domains(r->eval); i++) {
        if (!s->count[i]) continue;
        lm_json *one = lm_json_object();
        lm_json_set_f64(one, "loss", s->loss[i] / (double)s->count[i]);
        lm_json_set_u64(one, "tokens", s->count[i]);
        lm_json_set(domains, tr_data_domain(r->eval, i), one);
    }
    lm_json_set(line, "domains", domains);
    return line;
}

/* Where fewer sequences are taken than there are, they are spread over all. */
static uint64_t place(const tr_run *r, uint64_t i)
{
    uint64_t all = tr_data_sequences(r->eval), n = r->eval_sequences;
    return all / n * i + all % n * i / n;
}

int tr_evaluate(tr_run *r)
{
    size_t n = tr_data_domains(r->eval);
    tr_sums s = { calloc(n + 1, sizeof *s.loss), calloc(n + 1, sizeof *s.count) };
    tr_rows rows = { 0 };
    double all = 0;
    uint64_t count = 0;
    int rc = s.loss && s.count ? tr_rows_new(&rows, r->l.length, r->micro) : lm_fail_nomem(n * 16);
    for (uint64_t at = 0; !rc && at < r->eval_sequences; at += r->micro) {
        if (lm_interrupted()) rc = lm_fail(LM_EINTR, "interrupted");
        tr_rows_clear(&rows);
        for (uint64_t i = at; !rc && i < at + r->micro && i < r->eval_sequences; i++)
            rc = tr_data_add(r->eval, place(r, i), &rows);
        if (!rc) rc = tr_run_rows(r, r->eval, &rows, 0, &all, &s);
        count += rows.predicted;
    }
    if (!rc && !count) rc = lm_fail(LM_ESHORT, "%s: no token to predict in it", r->o.eval_data);
    if (!rc) rc = tr_log_line(r, result_json(r, &s, all, count));
    if (!rc) r->place.eval_due = false;
    if (!rc)
        tr_note(r, "step %" PRIu64 ": held-out loss %.4f over %" PRIu64 " tokens", r->place.step,
                all / (double)count, count);
    tr_rows_free(&rows);
    free(s.loss);
    free(s.count);
    return rc;
}
