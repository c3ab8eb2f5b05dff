/* state.h -- access to weights and optimizer state as host float32, wherever they are: on the
 * device or in host memory, on this rank or another. For reading and writing files. */
#ifndef TRAIN_MODEL_STATE_H
#define TRAIN_MODEL_STATE_H

#include "train/model/model.h"

enum tr_state { TR_STATE_M, TR_STATE_V, TR_STATE_MASTER, TR_STATES };

/* Elements at .. at+n-1 of parameter p, for rank 0. Collective; dst of the other ranks is scratch.
 * Weights come from the master copy where there is one. 0, or an error of a rank. */
LM_CHECKED int tr_weights_get(tr_model *m, const tr_param *p, size_t at, float *dst, size_t n);
LM_CHECKED int tr_state_get(tr_model *m, enum tr_state kind, const tr_param *p, size_t at,
                            float *dst, size_t n);

/* Set them. All ranks call with the same arguments; each stores what it owns. */
void tr_weights_put(tr_model *m, tr_param *p, size_t at, const float *src, size_t n);
void tr_state_put(tr_model *m, enum tr_state kind, const tr_param *p, size_t at, const float *src,
                  size_t n);

/* State in host memory: elements at .. at+n-1 of this rank's share to a lane's stage, and back. */
void tr_state_fetch(tr_model *m, size_t at, size_t n, int lane);
void tr_state_store(tr_model *m, size_t at, size_t n, int lane);

#endif
