/* One optimizer step: rows, forward and backward passes, reduction, update, report. */
#include <inttypes.h>
#include <math.h>
#include <sys/resource.h>

#include "lib/base/threads.h"
#include "longmix/progress.h"
#include "train/run/internal.h"

static int not_finite(const tr_data *d, const tr_rows *rows, size_t sequence, uint64_t step)
{
    char where[768];
    tr_data_lineage(d, rows->which[sequence], where, sizeof where);
    return lm_fail(LM_EDATA, "step %" PRIu64 ": the loss is not finite in %s", step, where);
}

int tr_run_rows(const tr_passes *p, const tr_data *d, const tr_rows *rows, double scale,
                uint64_t step, double *total, const tr_sums *by_domain)
{
    for (size_t from = 0; from < rows->count; from += (size_t)p->micro) {
        size_t left = rows->count - from, count = left < p->micro ? left : (size_t)p->micro;
        tr_batch t = tr_rows_batch(rows, from, count, p->starts);
        int rc = lm_check_interrupt();
        if (!rc) rc = tr_model_forward_backward(p->m, &t, scale, p->losses);
        if (rc) return rc;
        for (size_t i = 0; i < t.n; i++) {
            if (!isfinite(p->losses[i])) return not_finite(d, rows, from + i / rows->length, step);
            *total += (double)p->losses[i];
            if (!by_domain || t.targets[i] < 0) continue;
            uint16_t domain = rows->domains[from * rows->length + i];
            by_domain->loss[domain] += (double)p->losses[i];
            by_domain->count[domain]++;
        }
    }
    return LM_OK;
}

/* Divided by the number of tokens: the mean context of attention, to count its operations. */
static double squares(const tr_rows *rows)
{
    double sum = 0;
    for (size_t i = 0; i < rows->n_segments; i++) {
        double n = (double)(rows->starts[i + 1] - rows->starts[i]);
        sum += n * n;
    }
    return sum;
}

static int log_step(tr_run *r, const tr_report *p)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    lm_json *line = lm_json_object();
    lm_json_set_u64(line, "step", p->step);
    lm_json_set_u64(line, "tokens", p->tokens);
    lm_json_set_f64(line, "loss", p->loss);
    lm_json_set_f64(line, "grad_norm", p->norm);
    lm_json_set_f64(line, "lr", p->lr);
    lm_json_set_f64(line, "tokens_per_second", floor(p->tokens_per_second * 10) / 10);
    lm_json_set_f64(line, "mfu", floor(p->mfu * 1e4) / 1e4);
    lm_json_set_u64(line, "memory_mib", (uint64_t)u.ru_maxrss / 1024);
    return tr_log_line(r, line);
}

/* Load this rank's share of the step's sequences; *all: the number of targets on all ranks. */
static int take_rows(tr_run *r, uint64_t *all)
{
    uint64_t sequences = tr_data_sequences(r->data), first = 0;
    uint64_t count = tr_share(r, r->state.batch, &first);
    int rc = LM_OK;
    first += r->state.step * r->state.batch;
    tr_rows_clear(&r->rows);
    for (uint64_t i = 0; !rc && i < count; i++)
        rc = tr_data_add(r->data, tr_data_order(sequences, r->o.seed, first + i), &r->rows);
    double sum = (double)r->rows.predicted;
    rc = comm_agree(r->ranks, rc);
    if (!rc) rc = r->ranks->sum(r->ranks, &sum, 1);
    *all = (uint64_t)sum;
    if (!rc && !*all)
        rc = lm_fail(LM_EDATA, "step %" PRIu64 ": no token of its rows is to be predicted",
                     r->state.step + 1);
    return rc;
}

static int report_step(tr_run *r, tr_report *p, double context)
{
    p->step = r->state.step;
    p->steps = r->steps;
    p->tokens = r->state.tokens;
    if (r->peak > 0) p->mfu = p->tokens_per_second * tr_config_flops(&r->c, context) / r->peak;
    int rc = comm_agree(r->ranks, log_step(r, p));
    if (!rc && r->watch.step) r->watch.step(r->watch.arg, p);
    return rc;
}

int tr_take_step(tr_run *r)
{
    double start = lm_seconds(), norm = 0;
    double sums[2] = { 0, 0 }; /* losses; squared lengths of the segments */
    uint64_t predicted = 0;
    int rc = take_rows(r, &predicted);
    if (!rc)
        rc = comm_agree(r->ranks, tr_run_rows(&r->pass, r->data, &r->rows, 1 / (double)predicted,
                                              r->state.step + 1, &sums[0], NULL));
    sums[1] = rc ? 0 : squares(&r->rows);
    if (!rc) rc = r->ranks->sum(r->ranks, sums, 2);
    if (!rc) rc = tr_reduce(r->pass.m, &norm);
    if (rc) return rc;
    double tokens = (double)(r->state.batch * r->l.length);
    if (!isfinite(norm)) {
        char where[768];
        tr_data_lineage(r->data, r->rows.which[0], where, sizeof where);
        return comm_agree(r->ranks, lm_fail(LM_EDATA,
                                            "step %" PRIu64 ": the gradient is not "
                                            "finite; its %" PRIu64 " rows begin with %s",
                                            r->state.step + 1, r->state.batch, where));
    }
    double lr = tr_learning_rate(&r->o.optimizer, (double)r->state.tokens, tokens);
    rc = tr_step(r->pass.m, &r->o.optimizer, r->state.step + 1, lr, norm);
    if (rc) return rc;
    r->state.step++;
    r->state.tokens += r->state.batch * r->l.length;
    double seconds = lm_seconds() - start;
    tr_report p = { .loss = sums[0] / (double)predicted,
                    .norm = norm,
                    .lr = lr,
                    .tokens_per_second = tokens / seconds,
                    .seconds_left = seconds * (double)(r->steps - r->state.step) };
    return report_step(r, &p, sums[1] / tokens);
}
