/* run_internal.h -- what a run is, for run.c, evaluate.c and runlog.c alone. */
#ifndef TRAIN_RUN_INTERNAL_H
#define TRAIN_RUN_INTERNAL_H

#include "longmix/json.h"
#include "train/checkpoint.h"
#include "train/data.h"
#include "train/train.h"

struct tr_run {
    tr_options o;
    tr_watch watch;
    backend *b;
    tr_config c;
    tr_layout l;
    tr_data *data, *eval;
    tr_model *m;
    tr_rows rows;        /* of one step */
    uint32_t *starts;    /* segments of one call */
    float *losses;       /* of one call */
    tr_place place;      /* what is done */
    uint64_t steps, micro, eval_sequences;
    uint64_t saved;      /* the step of the last checkpoint */
    enum st_dtype read;  /* the type the weights were kept in */
    double peak;         /* operations a second, for MFU */
    int log, lock;       /* file descriptors: the log; the directory, locked */
};

/* Run `count` sequences of `rows`, `micro` at a time. `by_domain` (may be NULL)
 * and `total` grow by the losses. A loss that is not finite is LM_EDATA with the lineage. */
typedef struct tr_sums {
    double *loss;
    uint64_t *count;
} tr_sums;
LM_CHECKED int tr_run_rows(tr_run *r, const tr_data *d, const tr_rows *rows, double scale,
                           double *total, const tr_sums *by_domain);

/* Loss on the held-out shards, by domain, into the log. */
LM_CHECKED int tr_evaluate(tr_run *r);

/* The log: opened anew, or cut back to where the checkpoint stood. */
LM_CHECKED int tr_log_open(tr_run *r, bool resumed);
LM_CHECKED int tr_log_line(tr_run *r, lm_json *line); /* takes line */
LM_CHECKED int tr_log_size(tr_run *r, uint64_t *bytes);

void tr_note(const tr_run *r, const char *fmt, ...) LM_PRINTF(2, 3);

#endif
