/* internal.h -- what a run is, for the files that a run is made of: run.c, memory.c,
 * output.c, evaluate.c, runlog.c. */
#ifndef TRAIN_RUN_INTERNAL_H
#define TRAIN_RUN_INTERNAL_H

#include "longmix/json.h"
#include "train/files/model_dir.h"
#include "train/run/checkpoint.h"
#include "train/run/data.h"
#include "train/run/run.h"

struct tr_run {
    tr_options o;
    tr_watch watch;
    backend *b;
    comm *ranks;
    tr_config c;
    tr_layout l;
    tr_data *data, *eval;
    tr_model *m;
    tr_rows rows;     /* of one step */
    uint32_t *starts; /* segments of one call */
    float *losses;    /* of one call */
    tr_place place;   /* what is done */
    uint64_t steps, micro, eval_sequences;
    uint64_t saved;     /* the step of the last checkpoint */
    enum st_dtype read; /* the type the weights were kept in */
    double peak;        /* operations a second, for MFU */
    size_t host;        /* bytes of host memory that were available; 0: nobody knows */
    int log, lock;      /* file descriptors: the log; the directory, locked */
};

/* Run `count` sequences of `rows`, `micro` at a time. `by_domain` (may be NULL)
 * and `total` grow by the losses. A loss that is not finite is LM_EDATA with the lineage. */
typedef struct tr_sums {
    double *loss;
    uint64_t *count;
} tr_sums;
LM_CHECKED int tr_run_rows(tr_run *r, const tr_data *d, const tr_rows *rows, double scale,
                           double *total, const tr_sums *by_domain);

/* This rank's share of n things: first .. first+count-1. */
static inline uint64_t tr_share(const tr_run *r, uint64_t n, uint64_t *first)
{
    uint64_t size = (uint64_t)r->ranks->size, rank = (uint64_t)r->ranks->rank;
    *first = n / size * rank + n % size * rank / size;
    return n / size * (rank + 1) + n % size * (rank + 1) / size - *first;
}

/* What Linux could give to programs now; 0 where nobody knows. */
size_t tr_host_available(void);

/* Refuse what does not fit, and say what would make it fit. */
LM_CHECKED int tr_check_memory(const tr_run *r);

/* Weights, tokenizer and config.json into the directory, as a model: rank 0 does. */
LM_CHECKED int tr_write_model(const tr_run *r);

/* Loss on the held-out shards, by domain, into the log. */
LM_CHECKED int tr_evaluate(tr_run *r);

/* The log, which rank 0 keeps: opened anew, or cut back to where the checkpoint stood. */
LM_CHECKED int tr_log_open(tr_run *r, bool resumed);
LM_CHECKED int tr_log_line(tr_run *r, lm_json *line); /* takes line */
LM_CHECKED int tr_log_size(tr_run *r, uint64_t *bytes);

void tr_note(const tr_run *r, const char *fmt, ...) LM_PRINTF(2, 3);

#endif
