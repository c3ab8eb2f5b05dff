/* Loss on held-out shards, by domain. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/threads.h"
#include "train/run/internal.h"

static lm_json *result_json(const tr_run *r, const tr_sums *s, double all, uint64_t count)
{
    lm_json *line = lm_json_object(), *domains = lm_json_object();
    lm_json_set_u64(line, "step", r->state.step);
    lm_json_set_u64(line, "tokens", r->state.tokens);
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

/* A subset of the sequences is spread evenly over all. */
static uint64_t spread(const tr_run *r, uint64_t i)
{
    uint64_t all = tr_data_sequences(r->eval), n = r->eval_sequences;
    return all / n * i + all % n * i / n;
}

/* The losses of this rank's share of the sequences. */
static int run_share(tr_run *r, tr_rows *rows, double *all, const tr_sums *s)
{
    uint64_t first = 0, count = tr_share(r, r->eval_sequences, &first), end = first + count;
    int rc = LM_OK;
    for (uint64_t at = first; !rc && at < end; at += r->pass.micro) {
        rc = lm_check_interrupt();
        tr_rows_clear(rows);
        for (uint64_t i = at; !rc && i < at + r->pass.micro && i < end; i++)
            rc = tr_data_add(r->eval, spread(r, i), rows);
        if (!rc) rc = tr_run_rows(&r->pass, r->eval, rows, 0, r->state.step + 1, all, s);
    }
    return rc;
}

/* The sums of all ranks: `losses` of n domains and of all, then `counts` likewise. */
static int add_ranks(const tr_run *r, tr_sums *s, size_t n, double *all, uint64_t *count)
{
    double *x = calloc(2 * n + 1, sizeof *x);
    int rc = comm_agree(r->ranks, x ? LM_OK : lm_fail_nomem((2 * n + 1) * sizeof *x));
    for (size_t i = 0; !rc && i < n; i++) {
        x[i] = s->loss[i];
        x[n + i] = (double)s->count[i];
    }
    if (!rc) x[2 * n] = *all;
    if (!rc) rc = r->ranks->sum(r->ranks, x, 2 * n + 1);
    *count = 0;
    for (size_t i = 0; !rc && i < n; i++) {
        s->loss[i] = x[i];
        s->count[i] = (uint64_t)x[n + i];
        *count += s->count[i];
    }
    if (!rc) *all = x[2 * n];
    free(x);
    return rc;
}

int tr_evaluate(tr_run *r)
{
    size_t n = tr_data_domains(r->eval) + 1;
    tr_sums s = { calloc(n, sizeof *s.loss), calloc(n, sizeof *s.count) };
    tr_rows rows = { 0 };
    double all = 0;
    uint64_t count = 0;
    int rc =
        s.loss && s.count ? tr_rows_new(&rows, r->l.length, r->pass.micro) : lm_fail_nomem(n * 16);
    if (!rc) rc = run_share(r, &rows, &all, &s);
    rc = comm_agree(r->ranks, rc);
    if (!rc) rc = add_ranks(r, &s, n, &all, &count);
    if (!rc && !count)
        rc = lm_fail(LM_ESHORT, "%s: no token of it is to be predicted", r->o.eval_data);
    if (!rc) rc = comm_agree(r->ranks, tr_log_line(r, result_json(r, &s, all, count)));
    if (!rc) r->state.eval_due = false;
    if (!rc)
        tr_note(r, "step %" PRIu64 ": held-out loss %.4f over %" PRIu64 " tokens", r->state.step,
                all / (double)count, count);
    tr_rows_free(&rows);
    free(s.loss);
    free(s.count);
    return rc;
}
