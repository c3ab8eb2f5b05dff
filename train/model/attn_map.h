/* attn_map.h -- the keys that a query attends to, and the RoPE positions of both, for every form of
 * attention; in plain C, for all backends.
 *
 * Plain RoPE is one causal call at positions counted from the start of the document. Dual Chunk
 * Attention (An et al. 2024, arXiv 2402.17463, section 3) cuts a document into chunks of s tokens
 * and rotates key j once, at position j mod s. The position of a query i is
 *   for keys of its own chunk           i mod s                   (causal)
 *   for those of the preceding chunk    min(i mod s + s, c')
 *   for those of all earlier chunks     min(2 s - 1, c')
 * where c' is the greatest position. Three calls of attention, merged by their log-sum-exp, equal
 * one softmax over that matrix of relative positions. */
#ifndef TRAIN_MODEL_ATTN_MAP_H
#define TRAIN_MODEL_ATTN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "longmix/err.h"
#include "train/backend.h"

enum attn_part { ATTN_INTRA, ATTN_SUCCESSIVE, ATTN_INTER, ATTN_PARTS };

typedef struct attn_form {
    size_t stride; /* s; 0: plain RoPE, a single chunk */
    size_t clamp;  /* c', the greatest position a query takes */
    /* Cleared for the paper's ablation (its Figure 4). Without `successive`, inter includes the
     * preceding chunk; without both, a query attends to its own chunk only. */
    bool successive, inter;
} attn_form;

/* `text` for a model pretrained at `trained` tokens (L0):
 *   rope              plain
 *   dca               the paper's: s = 3/4 L0, c' = L0 - 1
 *   dca:chunkllama    the authors' code: c' = 3/4 L0, s = c' - L0/8
 *   dca:CHUNK,LOCAL   explicit, as Qwen2.5-1M: s = CHUNK - LOCAL, c' = CHUNK
 * LM_EUSAGE for anything else: a chunk past L0, CHUNK <= LOCAL, a window
 * LOCAL longer than s. */
LM_CHECKED int attn_form_parse(attn_form *out, const char *text, size_t trained);

/* The number of positions in a RoPE table for sequences of `length` tokens. */
size_t attn_form_positions(const attn_form *f, size_t length);

/* The calls of one forward pass of attention. */
typedef struct attn_map {
    size_t parts;               /* 1, or ATTN_PARTS */
    bk_spans spans[ATTN_PARTS]; /* count 0: no such call */
    int32_t *query[ATTN_PARTS]; /* [queries] positions; undefined for a query in no span. That of
                                   the intra part is also the position of a new key. */
    bk_span *v[ATTN_PARTS];     /* storage of spans[] */
    size_t max_queries;
} attn_map;

/* Room for calls of at most `queries` tokens. 0 or LM_ENOMEM. */
LM_CHECKED int attn_map_new(attn_map *m, const attn_form *f, size_t queries);
void attn_map_free(attn_map *m); /* a zeroed one is allowed */

/* Fill the map for documents starts[0] = 0 .. starts[count] = n tokens (each not empty), whose keys
 * are the same rows. Or, with `past` > 0 and count 1: n tokens that follow `past` tokens, whose
 * keys are rows 0 .. past-1; their own keys are rows past .. past+n-1. */
void attn_map_fill(attn_map *m, const attn_form *f, const uint32_t *starts, size_t count,
                   size_t past);

#endif
