/* gguf_config.h -- the configuration of the model in a GGUF file, as a config.json. */
#ifndef TRAIN_IMPORT_GGUF_CONFIG_H
#define TRAIN_IMPORT_GGUF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "longmix/json.h"
#include "train/import/gguf.h"

/* Architectures, by their names in GGUF. Mistral's models are "llama" there. */
typedef struct gguf_arch {
    const char *name, *model_type, *class;
    bool permuted; /* rows of q and k are in the order of neighbouring rotary pairs */
    bool qkv_bias; /* the model has biases of q, k and v, and none of the output */
    bool qk_norm;
} gguf_arch;

enum gguf_rope { GGUF_ROPE_PLAIN, GGUF_ROPE_LINEAR, GGUF_ROPE_YARN, GGUF_ROPE_LLAMA3 };

typedef struct gguf_config {
    const gguf_arch *arch;
    size_t dim, mlp, layers, heads, kv_heads, head_dim, vocab, positions;
    double norm_eps, rope_theta;
    bool tied, attention_bias;
    enum gguf_rope rope;
    double factor, low_freq, high_freq; /* of the scaling */
    uint64_t original;                  /* positions before scaling; 0: not said */
    int64_t bos, eos, pad;              /* ids; -1: none */
} gguf_config;

#define GGUF_ROPE_FREQS "rope_freqs.weight"

/* Whatever the file says about the architecture and is not implemented is refused by the name of its
 * key: LM_EDATA. */
LM_CHECKED int gguf_config_read(gguf_config *c, const gguf *g);

/* The config.json that transformers reads. `dtype`: "float32", "bfloat16" or "float16". NULL when out
 * of memory. */
lm_json *gguf_config_json(const gguf_config *c, const char *dtype);

#endif
