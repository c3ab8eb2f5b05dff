/* internal.h -- private to train/model: the state of a model. */
#ifndef TRAIN_MODEL_INTERNAL_H
#define TRAIN_MODEL_INTERNAL_H

#include "train/model/model.h"
#include "train/model/state.h"

/* The parameters of a layer, in their order in the model. */
enum {
    ATTN_NORM,
    WQ,
    BIAS_Q,
    WK,
    BIAS_K,
    WV,
    BIAS_V,
    WO,
    BIAS_O,
    Q_NORM,
    K_NORM,
    MLP_NORM,
    GATE,
    BIAS_GATE,
    UP,
    BIAS_UP,
    DOWN,
    BIAS_DOWN,
    LAYER_PARAMS
};

/* Activations of one layer. Without activation checkpointing each layer has its own, for the
 * backward pass; with it all layers share one set, except x (and o, lse). */
typedef struct layer {
    bk_act *x;                  /* [N, D] the layer's input */
    void *host;                 /* x in host memory, with offload_checkpoints */
    bk_act *h, *q, *k, *v, *o;  /* [N, D], [N, H, d], [N or cache, K, d] twice, [N, H, d] */
    bk_act *q_in, *k_in;        /* with norms of heads: before these; q and k in inference */
    bk_acc *q_rstd, *k_rstd;    /* [N, H], [N, K] */
    bk_act *mid, *h2;           /* [N, D]: after attention, and its norm */
    bk_act *gate, *up;          /* [N, F], or [slice, F] with recompute */
    bk_acc *rstd, *lse, *rstd2; /* [N], [N, H], [N] */
    tr_param *w[LAYER_PARAMS];  /* NULL: the model has none */
} layer;

struct tr_model {
    const tr_config *c;
    backend *b;
    tr_layout l;
    tr_param *params;
    size_t n_params;
    enum bk_packing packing; /* of parameters that are packed */
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
