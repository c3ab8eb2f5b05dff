/* internal.h -- private to train/model: the state of a model. */
#ifndef TRAIN_MODEL_INTERNAL_H
#define TRAIN_MODEL_INTERNAL_H

#include "train/model/model.h"
#include "train/model/state.h"

/* Activations of one layer. Without activation checkpointing each layer has its own, for the
 * backward pass; with it all layers share one set, except x (and o, lse). */
typedef struct layer {
    bk_act *x;                  /* [N, D] the layer's input */
    void *host;                 /* x in host memory, with offload_checkpoints */
    bk_act *h, *q, *k, *v, *o;  /* [N, D], [N, H, d], [N or cache, K, d] twice, [N, H, d] */
    bk_act *mid, *h2;           /* [N, D]: after attention, and its norm */
    bk_act *gate, *up;          /* [N, F], or [slice, F] with recompute */
    bk_acc *rstd, *lse, *rstd2; /* [N], [N, H], [N] */
    size_t first;               /* its first parameter */
} layer;

/* The parameters of a layer, in order, from `first` on. */
enum { ATTN_NORM, WQ, WK, WV, WO, MLP_NORM, GATE, UP, DOWN, LAYER_PARAMS };

struct tr_model {
    const tr_config *c;
    backend *b;
    tr_layout l;
    tr_param *params;
    size_t n_params;
    /* All parameters concatenated, padded to `share` elements for each rank: [ranks, share]. */
    bk_act *weights;
    bk_acc *gradients;
    size_t share;
    comm *ranks;
    /* This rank's share of the optimizer state, [share] each: on the device, or in host memory and
     * streamed through the two stages, [staged]. */
    bk_acc *state[TR_STATES];
    void *host_state[TR_STATES];
    bk_acc *stage[BK_LANES][TR_STATES];
    size_t staged;
    layer *layers;          /* [layers] */
    bk_act *out, *norm;     /* [N, D] the last layer's output, and its norm */
    bk_acc *rstd, *loss;    /* [N] */
    bk_act *dx, *dh, *dout; /* [N, D], [N, D], [N, H, d] */
    bk_act *dq, *dk, *dv;
    bk_act *q_rot, *dq_rot;   /* [N, H, d]: q at one part's positions; NULL with one part */
    bk_acc *delta;            /* [N, H] */
    bk_act *act, *dact, *dup; /* [slice, F] */
    bk_act *logits;           /* [slice, V] */
    bk_acc *rope;             /* [positions, d] */
    bk_int *ids, *targets, *at_query[ATTN_PARTS]; /* at_*: positions */
    attn_map map;
    double score_scale;
    struct {
        void *p;
        size_t bytes;
        bool host;
    } * blocks; /* all allocations */
    size_t n_blocks, cap_blocks;
};

#endif
