/* state.h -- weights and optimizer state as float32 of the host, wherever they stand: on the device
 * or in host memory, with this rank or with another. For files; optimizer.c calculates. */
#ifndef TRAIN_MODEL_STATE_H
#define TRAIN_MODEL_STATE_H

#include "train/model/model.h"

enum tr_state { TR_STATE_M, TR_STATE_V, TR_STATE_MASTER, TR_STATES };

/* Numbers at .. at+n-1 of parameter p. For rank 0; all ranks call, and dst of the others is
 * scratch. Weights come from the master copy where there is one. 0, or the fault of the ranks. */
LM_CHECKED int tr_weights_get(tr_model *m, const tr_param *p, size_t at, float *dst, size_t n);
LM_CHECKED int tr_state_get(tr_model *m, enum tr_state kind, const tr_param *p, size_t at,
                            float *dst, size_t n);

/* Set them. Each rank calls with what all call with, and keeps what is its own. */
void tr_weights_put(tr_model *m, tr_param *p, size_t at, const float *src, size_t n);
void tr_state_put(tr_model *m, enum tr_state kind, const tr_param *p, size_t at, const float *src,
                  size_t n);

/* State in host memory: numbers at .. at+n-1 of this rank's share to a lane's stage, and back. */
void tr_state_fetch(tr_model *m, size_t at, size_t n, int lane);
void tr_state_store(tr_model *m, size_t at, size_t n, int lane);

#endif
