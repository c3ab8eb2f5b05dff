/* fields.h -- private to train/model: reading config.json, in parts. Messages name file and field. */
#ifndef TRAIN_MODEL_FIELDS_H
#define TRAIN_MODEL_FIELDS_H

#include "train/model/config.h"

/* What an architecture is where its config.json does not say. A size of 0: the heads, or
 * the width over the heads. */
typedef struct tr_kind {
    const char *name, *class; /* model_type; the class in "architectures" */
    size_t kv_heads, head_dim, positions;
    bool qkv_bias;  /* always */
    bool any_bias;  /* "attention_bias" is a field of it */
    bool head_norm; /* always */
    bool window;    /* a sliding window in all layers, of 4096 where the field is absent */
    bool windows;   /* by layer, where "use_sliding_window" is true */
} tr_kind;
extern const tr_kind tr_kinds[TR_ARCHITECTURES];

/* Neither absent nor null. */
bool field_present(const lm_json *o, const char *key);

/* 0 or LM_EDATA. A size is within 1..max; `fallback` is for what is absent or null. */
LM_CHECKED int field_size(size_t *out, const lm_json *o, const char *key, uint64_t max);
LM_CHECKED int field_size_or(size_t *out, const lm_json *o, const char *key, uint64_t max,
                             size_t fallback);
/* Above 0. */
LM_CHECKED int field_real_or(double *out, const lm_json *o, const char *key, double fallback);
LM_CHECKED int field_bool_or(bool *out, const lm_json *o, const char *key, bool fallback);
/* LM_EDATA for another value than this one. */
LM_CHECKED int field_is_number(const lm_json *o, const char *key, double value);
LM_CHECKED int field_is_text(const lm_json *o, const char *key, const char *value);

/* config_rope.c: "rope_scaling", or "rope_parameters" of transformers 5, which also holds the base.
 * Reads c->positions. */
LM_CHECKED int config_read_rope(tr_config *c, const lm_json *root);
const char *config_rope_name(enum tr_rope_type type);
/* The object that was read; NULL for plain RoPE. */
const lm_json *config_rope_object(const lm_json *root);

/* config_attention.c: sliding windows, Dual Chunk Attention, and fields that change the computation
 * and are refused. Reads the shape. */
LM_CHECKED int config_read_attention(tr_config *c, const lm_json *root);

#endif
