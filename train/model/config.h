/* config.h -- the configuration of a LLaMA, Qwen2, Qwen3 or Mistral, from config.json of a Hugging
 * Face model directory, as transformers reads it. */
#ifndef TRAIN_MODEL_CONFIG_H
#define TRAIN_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/json.h"

/* NTK has no name in config.json: it is written as another base. */
enum tr_rope_type {
    TR_ROPE_PLAIN,
    TR_ROPE_LINEAR,
    TR_ROPE_DYNAMIC,
    TR_ROPE_YARN,
    TR_ROPE_LLAMA3,
    TR_ROPE_NTK,
};

typedef struct tr_rope {
    enum tr_rope_type type;
    double theta;                /* the base */
    double factor;               /* all but plain */
    double attention_factor;     /* yarn: of cosines and sines */
    double beta_fast, beta_slow; /* yarn */
    double low_freq, high_freq;  /* llama3 */
    double original;             /* yarn, llama3: positions of the pretraining */
    bool exact_ramp;             /* yarn: the ends of the ramp are not rounded */
    bool overridden;             /* by tr_rope_override */
} tr_rope;

enum tr_arch { TR_LLAMA, TR_QWEN2, TR_QWEN3, TR_MISTRAL, TR_ARCHITECTURES };

/* "dual_chunk_attention_config" of Qwen2.5-1M; chunk 0: none. */
typedef struct tr_dual {
    size_t chunk, local;
    size_t
        original; /* positions of the pretraining: the scale of scores grows past it; 0: no scale */
    bool sparse;  /* the file asks for sparse attention, an approximation of what is computed */
} tr_dual;

/* A note for where `sparse` is set and that attention is used. */
#define TR_SPARSE_NOTE \
    "sparse_attention_enabled has no effect: attention is to all keys, which it approximates"

typedef struct tr_config {
    enum tr_arch arch;
    size_t dim, mlp, layers, heads, kv_heads, head_dim, vocab, positions;
    double norm_eps, init_std;
    bool tied;                         /* the head shares the embedding's weights */
    bool qkv_bias, out_bias, mlp_bias; /* of the products before and after attention, of the MLP */
    bool head_norm;                    /* RMSNorm of each head of q and k, before RoPE */
    tr_rope rope;
    size_t window; /* keys that a query of some layer attends to; 0: all */
    tr_dual dual;
    lm_json *json; /* what was read; unknown fields are written again. NULL for a preset */
} tr_config;

/* Read config.json (or another file of this format). What is absent is as in transformers. Whatever
 * would change the computation and is not implemented is refused by name: other architectures,
 * quantization, unknown RoPE scalings, fields of other models. 0, LM_EIO or LM_EDATA. */
LM_CHECKED int tr_config_load(tr_config *c, const char *path);

/* "llama2-7b", "llama2-13b", "llama2-70b". 0, or LM_EUSAGE. */
LM_CHECKED int tr_config_preset(tr_config *c, const char *name);

/* Replace the model's RoPE scaling; base and trained positions stay. `text`, with F >= 1:
 *   linear:F   positions are divided by F (position interpolation)
 *   ntk:F      the base grows to theta F^(d/(d-2)), d the width of a head
 *   dynamic:F  the same with F l/L0 - (F - 1) for F, l being tr_rope_table's length and L0 the
 *              trained positions; nothing changes where l <= L0
 *   yarn:F     YaRN with its authors' constants for LLaMA: L0 as the original positions, ramp from
 *              32 rotations to 1, cosines and sines times 0.1 ln F + 1
 * LM_EUSAGE for any other text. */
LM_CHECKED int tr_rope_override(tr_config *c, const char *text);

/* LM_EDATA, with both numbers, where the model has a sliding window that a sequence of `length`
 * tokens is longer than. */
LM_CHECKED int tr_config_check_length(const tr_config *c, size_t length);

/* L0, the positions of the pretraining: those of dual_chunk_attention_config, else
 * max_position_embeddings. */
size_t tr_config_trained(const tr_config *c);

/* The form of attention that config.json asks for, as attn_form_parse takes it: "rope", or its Dual
 * Chunk Attention. The result is the `mscale` of tr_layout that belongs to it. */
enum { TR_FORM = 64 };
double tr_config_attention(const tr_config *c, char form[TR_FORM]);

/* A new tree for config.json: what was read, with the current values of the fields known here, of
 * the same architecture. An overridden scaling is included, NTK as its base. dtype: "float32", "bfloat16" or
 * "float16". NULL when out of memory. */
lm_json *tr_config_json(const tr_config *c, const char *dtype);

void tr_config_free(tr_config *c); /* a zeroed one is allowed */

/* Number of parameters, and FLOP per training token at `context` tokens: 6 per weight in a
 * product, and causal attention. */
double tr_config_weights(const tr_config *c);
double tr_config_flops(const tr_config *c, double context);

/* The base for config.json: theta, scaled where the scaling is NTK. */
double tr_rope_base(const tr_config *c);

/* table[positions, head_dim]: head_dim/2 cosines, then as many sines, for each position, computed
 * in double. `length` is the sequence length, which dynamic scaling depends on. */
void tr_rope_table(const tr_config *c, size_t length, float *table, size_t positions);

#endif
