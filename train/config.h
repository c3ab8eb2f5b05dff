/* config.h -- the shape of a LLaMA, as config.json of a Hugging Face model directory states it. */
#ifndef TRAIN_CONFIG_H
#define TRAIN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/json.h"

enum tr_rope_type { TR_ROPE_PLAIN, TR_ROPE_LINEAR, TR_ROPE_DYNAMIC, TR_ROPE_YARN, TR_ROPE_LLAMA3 };

typedef struct tr_rope {
    enum tr_rope_type type;
    double theta;                 /* the base */
    double factor;                /* all but plain */
    double attention_factor;      /* yarn: of cosines and sines */
    double beta_fast, beta_slow;  /* yarn */
    double low_freq, high_freq;   /* llama3 */
    double original;              /* yarn, llama3: positions of the pretraining */
} tr_rope;

typedef struct tr_config {
    size_t dim, mlp, layers, heads, kv_heads, head_dim, vocab, positions;
    double norm_eps, init_std;
    bool tied; /* the head is the embedding */
    tr_rope rope;
    lm_json *json; /* what was read, whose other fields are written again; NULL for a preset */
} tr_config;

/* Read config.json (or another file of its form). Everything that would change the arithmetic and
 * is not known here is refused by name: other architectures, biases, quantization, unknown RoPE
 * scalings. 0, LM_EIO or LM_EDATA. */
LM_CHECKED int tr_config_load(tr_config *c, const char *path);

/* "llama2-7b", "llama2-13b", "llama2-70b". 0, or LM_EUSAGE. */
LM_CHECKED int tr_config_preset(tr_config *c, const char *name);

/* As a new tree for config.json: what was read, with the fields known here as they stand now.
 * dtype: "float32", "bfloat16" or "float16". NULL when out of memory. */
lm_json *tr_config_json(const tr_config *c, const char *dtype);

void tr_config_free(tr_config *c); /* a zeroed one is fine */

/* Numbers in all weights, and operations of one training token at `context` tokens: 6 for each
 * weight in a product, and causal attention. */
double tr_config_weights(const tr_config *c);
double tr_config_flops(const tr_config *c, double context);

/* table[positions, head_dim]: head_dim/2 cosines, then as many sines, for each position, computed
 * in double. `length` is the sequence length, which dynamic scaling depends on. */
void tr_rope_table(const tr_config *c, size_t length, float *table, size_t positions);

#endif
