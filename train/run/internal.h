/* internal.h -- private to train/run: the state of a run, and what its files share. */
#ifndef TRAIN_RUN_INTERNAL_H
#define TRAIN_RUN_INTERNAL_H

#include "lib/base/hash.h"
#include "longmix/json.h"
#include "train/files/model_dir.h"
#include "train/run/checkpoint.h"
#include "train/run/data.h"
#include "train/run/run.h"

/* Forward and backward passes over rows, `micro` sequences in each. */
typedef struct tr_passes {
    tr_model *m;
    uint64_t micro;
    uint32_t *starts; /* [tokens of a pass + 1] its documents */
    float *losses;    /* [tokens of a pass] */
} tr_passes;

struct tr_run {
    tr_options o;
    tr_watch watch;
    backend *b;
    comm *ranks;
    tr_config c;
    tr_layout l;
    tr_data *data, *eval;
    tr_passes pass;
    tr_rows rows;       /* of one step */
    tr_run_state state; /* what is done */
    uint64_t steps, eval_sequences;
    uint64_t saved;      /* step of the last checkpoint; UINT64_MAX: none */
    enum st_dtype read;  /* type of the weights that were loaded */
    double peak;         /* FLOP/s, for MFU */
    size_t host;         /* bytes of host memory available at the start; 0: unknown */
    int log, lock;       /* file descriptors: the log; the directory, locked */
    lm_hasher *log_hash; /* of all that is in the log */
    char log_path[MODEL_PATH];
    lm_json *settings;    /* options that change bits: see tr_settings_make */
    lm_json *overrides;   /* options that were changed in the run, in order */
    uint64_t ids;         /* hash of the tokenizer of the data; 0: the shards do not say */
    bool other_tokenizer; /* the model's is another, which is allowed */
};

/* Sums by domain. */
typedef struct tr_sums {
    double *loss;
    uint64_t *count;
} tr_sums;

/* Forward and, where `scale` > 0, backward passes (see tr_model_forward_backward) over all rows,
 * which are of `d`. The losses are added to `total` and `by_domain` (may be NULL). LM_EDATA, with
 * `step` and the source of the row, for a loss that is not finite; LM_EINTR. */
LM_CHECKED int tr_run_rows(const tr_passes *p, const tr_data *d, const tr_rows *rows, double scale,
                           uint64_t step, double *total, const tr_sums *by_domain);

/* One optimizer step, which is logged and reported. */
LM_CHECKED int tr_take_step(tr_run *r);

/* Make the output directory and lock it until the run is closed: rank 0 does. */
LM_CHECKED int tr_take_directory(tr_run *r);

/* Set the weights and the state: from the last checkpoint (*resumed; LM_EUSAGE where the options
 * are not those it was made with), else from the model, else random. */
LM_CHECKED int tr_begin(tr_run *r, bool *resumed);

/* This rank's share of n things: first .. first+count-1. */
static inline uint64_t tr_share(const tr_run *r, uint64_t n, uint64_t *first)
{
    uint64_t size = (uint64_t)r->ranks->size, rank = (uint64_t)r->ranks->rank;
    *first = n / size * rank + n % size * rank / size;
    return n / size * (rank + 1) + n % size * (rank + 1) / size - *first;
}

/* Bytes of available host memory; 0: unknown. */
size_t tr_host_available(void);

/* LM_ENOMEM, with the options that would make it fit, where the run does not fit in memory. */
LM_CHECKED int tr_check_memory(const tr_run *r);

/* Write weights, tokenizer and config.json to the output directory. Collective; rank 0 writes. */
LM_CHECKED int tr_write_model(const tr_run *r);

/* Log the loss on the held-out shards by domain. */
LM_CHECKED int tr_evaluate(tr_run *r);

/* The log, which rank 0 writes. A file that is there is written to only where it is this run's: one
 * that begins with what the checkpoint says was in it, followed by lines of a log, is cut back
 * to there; one that this run made before its first checkpoint is emptied. LM_EUSAGE for any other
 * file that is not empty, and for one that the run reads or writes as something else. */
LM_CHECKED int tr_log_open(tr_run *r, bool resumed);
LM_CHECKED int tr_log_line(tr_run *r, lm_json *line); /* takes line */
/* Sync it; set what the state records of it. */
LM_CHECKED int tr_log_mark(tr_run *r);
/* A checkpoint knows the log now: OUT/started.json is removed. */
LM_CHECKED int tr_log_known(const tr_run *r);

/* Set r->settings: the options that change bits, by name. */
LM_CHECKED int tr_settings_make(tr_run *r);
/* Compare with those of the checkpoint at `path` (NULL: it has none): LM_EUSAGE names each that
 * differs and is not overridden. Those that are, are added to r->overrides. */
LM_CHECKED int tr_settings_compare(tr_run *r, const lm_json *then, const char *path);
/* LM_EUSAGE where --override names what is no option, or one that may not change. */
LM_CHECKED int tr_settings_check(const tr_run *r);

void tr_note(const tr_run *r, const char *fmt, ...) LM_PRINTF(2, 3);
void tr_warn(const tr_run *r, const char *fmt, ...) LM_PRINTF(2, 3);

#endif
