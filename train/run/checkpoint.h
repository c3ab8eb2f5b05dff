/* checkpoint.h -- the state of a run in a directory: weights, optimizer state, progress. It is
 * written under another name and renamed, so that one with its name is complete. */
#ifndef TRAIN_RUN_CHECKPOINT_H
#define TRAIN_RUN_CHECKPOINT_H

#include "longmix/json.h"
#include "train/files/model_dir.h"
#include "train/model/model.h"

/* The progress of a run, and the options that a resumed run must share with its checkpoint. */
typedef struct tr_run_state {
    uint64_t step, tokens; /* done */
    uint64_t data_hash;    /* tr_data_hash */
    uint64_t model_hash;   /* of the config.json of --model; 0: another start, or not recorded */
    /* Tokens per sequence, sequences per step: with `step` they give the position in the data. */
    uint64_t seed, length, batch;
    bool doc_mask;
    char attention[64]; /* as in the options */
    bool eval_due;      /* stopped before an evaluation was done */
    uint64_t log_bytes; /* length of the log at the time of saving */
    uint64_t log_hash;  /* of these bytes; 0: not recorded (version 0.1.0) */
    uint64_t ids;       /* hash of the tokenizer of the data; 0: not known */
    /* Options that change bits, and those that were changed in the run, of which `record` is the
     * root or NULL where the caller has them. NULL: not recorded. */
    const lm_json *settings, *overrides;
    lm_json *record;
} tr_run_state;

/* Save to out/checkpoint-STEP: model.safetensors, optimizer.safetensors, config.json, run.json, the
 * last with a hash of each tensor and of itself. Then remove all but the last `keep`. Collective;
 * rank 0 writes. 0 or LM_EIO. */
LM_CHECKED int tr_checkpoint_save(tr_model *m, const tr_config *c, const tr_run_state *p,
                                  const char *out, uint64_t keep);

/* Remove all checkpoints but the last `keep`. 0 or LM_EIO. */
LM_CHECKED int tr_checkpoint_drop(const char *out, uint64_t keep);

/* The path of the last checkpoint in `out`: 1, or 0 where there is none. `sweep` removes what a run
 * that was killed while it saved has left; for the owner of the directory. */
LM_CHECKED int tr_checkpoint_last(const char *out, bool sweep, char path[MODEL_PATH]);

/* Read its progress, with p->record for the caller to free, also on an error; and its tensors into a model of the same shape. LM_EDATA, with the name, for a
 * tensor that is missing or whose hash differs. */
LM_CHECKED int tr_checkpoint_state(const char *path, tr_run_state *p);
LM_CHECKED int tr_checkpoint_load(tr_model *m, const char *path);

/* Verify a checkpoint without a model: run.json, config.json and the hash of every tensor; `quick`:
 * not the numbers. *step: its step. 0, LM_EIO or LM_EDATA. */
LM_CHECKED int tr_checkpoint_check(const char *path, bool quick, uint64_t *step);

#endif
