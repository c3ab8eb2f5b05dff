/* run.h -- a training run, from a model and shards to a model, with checkpoints: what programs use.
 * docs/training.md describes it for users. */
#ifndef TRAIN_RUN_RUN_H
#define TRAIN_RUN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "longmix/buf.h"
#include "longmix/err.h"
#include "train/backend.h"
#include "train/comm/comm.h"
#include "train/model/model.h"
#include "train/model/optimizer.h"

typedef struct tr_run tr_run;

typedef struct tr_options {
    const char *model;               /* a model directory to start from; or */
    const char *init;                /* a shape: its name, or a file like config.json */
    const char *data, *eval_data;    /* shards; eval_data may be NULL */
    const char *out;                 /* directory */
    const char *log;                 /* NULL: out/log.jsonl */
    uint64_t length;                 /* tokens per sequence, 0: the shards' rows */
    uint64_t batch;                  /* tokens per step; rounded to whole sequences */
    uint64_t tokens;                 /* of the whole run; rounded up to whole steps */
    uint64_t micro;                  /* sequences per forward and backward pass */
    uint64_t slice;                  /* tokens per chunk of MLP and logits */
    uint64_t save_every, eval_every; /* tokens; 0: only at the end */
    uint64_t eval_tokens;            /* at most, 0: all of eval_data */
    uint64_t keep;                   /* checkpoints to keep */
    uint64_t seed;
    double rope_base;      /* 0: the model's */
    const char *attention; /* as attn_form_parse; NULL: the model's own */
    bool doc_mask, recompute, keep_attention, resume;
    bool offload_optimizer, offload_checkpoints;
    comm *ranks; /* the processes that train together; NULL: this one only. Borrowed */
    /* Names of options, with commas, that may differ from those of the checkpoint; NULL: none. */
    const char *override;
    bool allow_tokenizer; /* data whose ids are of another tokenizer than the model's */
    int dtype; /* enum st_dtype of the model written; -1: as it was read, float32 for --init */
    tr_optimizer optimizer; /* its total is set by the run */
} tr_options;

/* After each step; on rank 0 only. */
typedef struct tr_report {
    uint64_t step, steps, tokens; /* done, of the whole run */
    double loss, norm, lr, tokens_per_second, mfu, seconds_left;
} tr_report;

typedef struct tr_watch {
    void (*step)(void *arg, const tr_report *r);
    void (*note)(void *arg, const char *line); /* resumed, saved, evaluated */
    void *arg;
    void (*warn)(void *arg, const char *line); /* what may be wrong */
} tr_watch;

/* Read options, shapes and shards; nothing large is allocated yet. The backend is borrowed. Here
 * and in tr_run_train all ranks return the error of one. */
LM_CHECKED int tr_run_open(tr_run **out, const tr_options *o, backend *b, const tr_watch *w);
void tr_run_close(tr_run *r); /* NULL is allowed */

/* The memory plan of a rank as lines of text, and its sum. */
LM_CHECKED int tr_run_plan(const tr_run *r, lm_buf *text);

/* Allocate and train to the end, with `resume` from the latest complete checkpoint; then write the
 * model to the directory. LM_ENOMEM, with the options that would help, where the plan does not fit.
 * LM_EINTR after lm_interrupt(): a checkpoint is saved first. LM_EUSAGE where `resume` finds a
 * checkpoint made with other options than `override` names, or the log is not this run's. */
LM_CHECKED int tr_run_train(tr_run *r);

#endif
