/* checkpoint.h -- the state of a run in a directory: weights, optimizer, place. It is written aside
 * and renamed, so a checkpoint under its own name is whole. */
#ifndef TRAIN_RUN_CHECKPOINT_H
#define TRAIN_RUN_CHECKPOINT_H

#include "longmix/json.h"
#include "train/files/model_dir.h"
#include "train/model/model.h"

/* What a run must share with the checkpoint it goes on from, and where it stands. */
typedef struct tr_run_state {
    uint64_t step, tokens; /* done */
    uint64_t data_hash;    /* tr_data_hash */
    /* Tokens a sequence, sequences a step: with the step they are the place in the data. */
    uint64_t seed, length, batch;
    bool doc_mask;
    char attention[64]; /* the form, as it was asked for */
    bool eval_due;      /* stopped before an evaluation was done */
    uint64_t log_bytes; /* length of the log when it was saved */
} tr_run_state;

/* Save to out/checkpoint-STEP: model.safetensors, optimizer.safetensors, config.json, run.json, the
 * last with the hash of each tensor and one of itself. Then remove all but the last `keep`. Rank 0
 * writes; all call, and all get the same: 0 or LM_EIO. */
LM_CHECKED int tr_checkpoint_save(tr_model *m, const tr_config *c, const tr_run_state *p,
                                  const char *out, uint64_t keep);

/* Remove all checkpoints but the last `keep`. 0 or LM_EIO. */
LM_CHECKED int tr_checkpoint_drop(const char *out, uint64_t keep);

/* The path of the last checkpoint in `out`: 1, or 0 where there is none. `sweep` removes what a run
 * that was killed while it saved has left; for the owner of the directory. */
LM_CHECKED int tr_checkpoint_last(const char *out, bool sweep, char path[MODEL_PATH]);

/* Its place; and its state into a model of the same shape. A tensor that is missing or whose
 * numbers are not those that were saved is LM_EDATA with its name. */
LM_CHECKED int tr_checkpoint_state(const char *path, tr_run_state *p);
LM_CHECKED int tr_checkpoint_load(tr_model *m, const char *path);

#endif
